//! A pool of four workers makes fifty random choices from the numbers 0 to 49.

use multiprocessing::{Error, Pool};

/// One task. Which of the fifty it is makes no difference.
///
/// `random_range` draws from a generator that belongs to the running thread, and that the
/// operating system seeds when it is first used. A worker is a fresh process, so it has a generator
/// of its own. In a language whose workers are copies of main, each may go on from a copy of
/// main's generator, and then all of them choose the same numbers.
fn choose(_task: u32) -> u32 {
    rand::random_range(0..50)
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let pool = Pool::new(4)?;

    // The range has fifty items, so it stands for fifty tasks.
    let numbers = pool.map(choose, 0..50)?;
    println!("{numbers:?}");
    Ok(())
}
