//! Three processes at the same time, each with a line of its own.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes a number and prints the line with it.
    // 2. In a loop, start a process for each number, and keep all of them in a `Vec`.
    // 3. In a second loop, wait for each with `join`.
    todo!("start three processes, and wait for all of them")
}
