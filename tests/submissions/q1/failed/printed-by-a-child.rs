use std::time::Instant;

use multiprocessing::{Error, spawn};

fn count_primes(from: u32, to: u32) -> usize {
    let is_prime = |n: &u32| *n >= 2 && (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0);
    (from..to).filter(is_prime).count()
}

fn count((from, to): (u32, u32)) -> usize {
    count_primes(from, to)
}

fn count_and_print((): ()) {
    println!("1 process: {} primes below 200000", count_primes(0, 200_000));
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("Logical CPUs: {}", num_cpus::get());

    let start = Instant::now();
    spawn(count_and_print, ())?.join()?;
    let alone = start.elapsed();

    let start = Instant::now();
    let halves = [spawn(count, (0, 120_000))?, spawn(count, (120_000, 200_000))?];
    let counts: Vec<usize> = halves.into_iter().map(|half| half.join()).collect::<Result<_, _>>()?;
    let together = start.elapsed();
    println!("2 processes: {} primes below 200000", counts.iter().sum::<usize>());
    println!("Speed-up: {}", alone.as_secs_f64() / together.as_secs_f64());
    Ok(())
}
