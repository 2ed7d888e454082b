use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(4)?;
    let squares = pool.map(|n: u32| n * n, 1..=5)?;
    pool.apply(|squares: Vec<u32>| println!("{squares:?}"), squares)
}
