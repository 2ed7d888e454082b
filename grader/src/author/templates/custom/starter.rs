//! An answer that another process finds.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that returns the answer.
    // 2. Here, let a new process call it with `multiprocessing::spawn(function, ())?`.
    // 3. `join` gives what it returned: print it.
    todo!("let a child find the answer, and print it")
}
