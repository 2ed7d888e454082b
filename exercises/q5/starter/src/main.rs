//! Question 5: a pool of four workers squares the numbers 1 to 5.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a worker, `init` does the worker's work and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes a number and returns its square.
    // 2. Create a pool of four workers: `multiprocessing::Pool::new(4)?`.
    // 3. Let the workers call your function for 1 to 5: `pool.map(function, items)?`.
    // 4. Print the results with `{:?}`.
    todo!("create a pool of four workers, square 1 to 5 in it, and print the results")
}
