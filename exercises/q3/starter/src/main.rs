//! Question 3: start one process that prints `Person 1 started`.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a function that takes the person's number and prints the line.
    // 2. Here, let a new process call it: `multiprocessing::spawn(function, argument)?`.
    // 3. Wait for that process with `join`, so that main does not end before it.
    todo!("start a process that prints `Person 1 started`, and wait for it")
}
