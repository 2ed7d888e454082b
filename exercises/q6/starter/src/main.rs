//! Question 6: four processes at the same time, each of which prints a number of its own.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes a number and prints `Process {number}: {number}`.
    // 2. In a loop, start a process for each of 1 to 4, and keep all four in a `Vec`.
    // 3. In a second loop, wait for each of them with `join`.
    todo!("start four processes, each with a number of its own, and wait for all of them")
}
