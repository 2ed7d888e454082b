//! Two processes at the same time, and a line when both have ended.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes a number and prints the line with it.
    // 2. Start a process for each part with `multiprocessing::spawn(function, number)?`, both before you wait for either.
    // 3. Wait for both with `join`, then print the last line.
    todo!("start two processes, wait for both, print the last line")
}
