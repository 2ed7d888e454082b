use multiprocessing::{Error, Pool};

fn double(n: u32) -> u32 {
    2 * n
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _pool = Pool::new(3);
    let results: Vec<u32> = (1..=5).map(double).collect();
    println!("{results:?}");
    Ok(())
}
