//! One process, which prints a line.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that prints the line.
    // 2. Here, let a new process call it: `multiprocessing::spawn(function, ())?`.
    // 3. Wait for that process with `join`.
    todo!("start a process that prints the line, and wait for it")
}
