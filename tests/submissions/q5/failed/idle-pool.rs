use multiprocessing::{Error, Pool};

fn square(n: u32) -> u32 {
    n * n
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _pool = Pool::new(4);
    let squares: Vec<u32> = (1..=5).map(square).collect();
    println!("{squares:?}");
    Ok(())
}
