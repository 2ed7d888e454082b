//! Question 6, second part: a pool of four workers makes fifty random choices.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a worker, `init` does the worker's work and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write the task: a function that returns `rand::random_range(0..50)`.
    //    It has to take an argument, since `map` passes one, and may ignore it.
    // 2. Create a pool of four workers: `multiprocessing::Pool::new(4)?`.
    // 3. Let the workers run the task 50 times with `pool.map(function, items)?`.
    // 4. Print the numbers with `{:?}`.
    todo!("let a pool of four workers choose 50 random numbers, and print them")
}
