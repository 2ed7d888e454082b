//! Question 1: count the primes below 200000, in one process and then in several.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    println!("Logical CPUs: {}", num_cpus::get());

    // 1. Above `main`, write a function that takes a `std::ops::Range<u32>` and returns how many
    //    primes are in it. A number is a prime if it is at least 2 and no number from 2 up to its
    //    square root divides it.
    // 2. Count the primes below 200000 here in main, and take the time with `std::time::Instant`.
    // 3. Cut the range into parts, let a pool count them, and add the counts up. Take the time again.
    // 4. Print the other three lines. `{:.2}` prints a number with two digits after the point.
    todo!("count the primes in one process, then in several, and compare the times")
}
