//! Question 3, second part: two processes at the same time, a square and a cube of 10.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write two functions: one prints `Square: …`, the other `Cube: …`.
    // 2. Start a process for each with `multiprocessing::spawn(function, 10)?`,
    //    both of them before you wait for either.
    // 3. Wait for both with `join`, then print `Done!`.
    todo!("start a process for the square and one for the cube, wait for both, print `Done!`")
}
