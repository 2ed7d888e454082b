use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(3)?;
    let results = pool.map(|n: u32| 2 * n, 1..=5)?;
    pool.apply(|results: Vec<u32>| println!("{results:?}"), results)
}
