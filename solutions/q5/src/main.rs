//! A pool of four workers squares five numbers.

use multiprocessing::{Error, Pool};

/// The work. It runs in a worker; the number is sent there, and the square is sent back.
fn square(n: u32) -> u32 {
    n * n
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // Four processes start here, and wait for work.
    let pool = Pool::new(4)?;

    // Who squares which number is left to the pool: a worker that is done gets the next one.
    // The results come back in the order of the numbers all the same.
    let squares = pool.map(square, 1..=5)?;
    println!("{squares:?}");

    // A pool that goes out of scope ends its workers and waits for them.
    Ok(())
}
