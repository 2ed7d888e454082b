use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let results = Pool::new(1)?.map(|n: u32| 2 * n, 1..=5)?;
    println!("{results:?}");
    Ok(())
}
