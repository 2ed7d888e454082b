use std::ops::Range;
use std::thread;
use std::time::Instant;

fn count_primes(numbers: Range<u32>) -> usize {
    let is_prime = |&n: &u32| n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0);
    numbers.filter(is_prime).count()
}

fn main() {
    println!("Logical CPUs: {}", num_cpus::get());

    let start = Instant::now();
    let primes = count_primes(0..200_000);
    let alone = start.elapsed();
    println!("1 process: {primes} primes below 200000");

    let start = Instant::now();
    let other = thread::spawn(|| count_primes(0..120_000));
    let primes = count_primes(120_000..200_000) + other.join().unwrap();
    let together = start.elapsed();
    println!("2 processes: {primes} primes below 200000");
    println!("Speed-up: {:.2}", alone.as_secs_f64() / together.as_secs_f64());
}
