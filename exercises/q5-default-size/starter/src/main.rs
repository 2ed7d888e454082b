//! Question 5, second part: how many workers a pool has by default, and how to ask for four.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a worker, `init` does the worker's work and never comes back.
    multiprocessing::init();

    // 1. Create a pool and leave its size to the library: `multiprocessing::Pool::with_default_size()?`.
    // 2. Print `Workers by default: …`; the pool knows its size: `pool.processes()`.
    // 3. Create a pool of four with `multiprocessing::Pool::new(4)?`.
    // 4. Print `Workers asked for: …` in the same way.
    todo!("create a pool of the default size and one of four, and print how many workers each has")
}
