//! Counts primes, first in one process, then in as many as there are logical CPUs.
//!
//! The work falls into parts that have nothing to do with each other, so several processes can do
//! it at the same time. That is where multiprocessing helps.

use std::ops::Range;
use std::time::Instant;

use multiprocessing::{Error, Pool};

/// The primes below this number are counted.
const LIMIT: u32 = 200_000;

/// A part is this many numbers. There are more parts than most machines have CPUs, because the
/// large numbers take longer than the small ones: a process that is done takes another part.
const PART: u32 = 5_000;

/// Whether no number divides `n` but 1 and `n` itself.
///
/// If `n` is a product, one of the two factors is at most the square root of `n`, so it is enough
/// to look that far.
fn is_prime(n: u32) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= n {
        if n.is_multiple_of(divisor) {
            return false;
        }
        divisor += 1;
    }
    n >= 2
}

/// How many of these numbers are primes.
fn count_primes(numbers: Range<u32>) -> usize {
    numbers.filter(|&n| is_prime(n)).count()
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let cpus = num_cpus::get();
    println!("Logical CPUs: {cpus}");

    // One process does all the work. The other CPUs can only look on.
    let start = Instant::now();
    let primes = count_primes(0..LIMIT);
    let alone = start.elapsed();
    println!("1 process: {primes} primes below {LIMIT}");

    // Several processes share the work. Their start belongs to the price, so it is timed as well.
    let processes = cpus.max(2);
    let parts = (0..LIMIT).step_by(PART as usize).map(|first| first..first + PART);
    let start = Instant::now();
    let pool = Pool::new(processes)?;
    let primes: usize = pool.map(count_primes, parts)?.into_iter().sum();
    let together = start.elapsed();
    println!("{processes} processes: {primes} primes below {LIMIT}");

    println!("Speed-up: {:.2}", alone.as_secs_f64() / together.as_secs_f64());
    Ok(())
}
