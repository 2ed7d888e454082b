use multiprocessing::{Error, Pool};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn choose(_task: u32) -> u32 {
    StdRng::seed_from_u64(42).random_range(0..50)
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("{:?}", Pool::new(4)?.map(choose, 0..50)?);
    Ok(())
}
