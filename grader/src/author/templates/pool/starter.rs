//! A pool of three workers doubles the numbers 1 to 5.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes a number and returns its double.
    // 2. Create a pool of three workers: `multiprocessing::Pool::new(3)?`.
    // 3. Let the workers call your function for 1 to 5: `pool.map(function, items)?`.
    // 4. Print the results with `{:?}`.
    todo!("create a pool, double 1 to 5 in it, and print the results")
}
