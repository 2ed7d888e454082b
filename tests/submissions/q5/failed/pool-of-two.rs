use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("{:?}", Pool::new(2)?.map(|n: u32| n * n, 1..=5)?);
    Ok(())
}
