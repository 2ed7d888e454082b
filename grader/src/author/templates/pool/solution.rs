//! A pool of three workers doubles five numbers.

use multiprocessing::{Error, Pool};

/// The work. It runs in a worker; the number is sent there, and the result is sent back.
fn double(n: u32) -> u32 {
    2 * n
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(3)?;

    // Who doubles which number is left to the pool; the results come back in the order of the numbers all the same.
    let results = pool.map(double, 1..=5)?;
    println!("{results:?}");

    // A pool that goes out of scope ends its workers and waits for them.
    Ok(())
}
