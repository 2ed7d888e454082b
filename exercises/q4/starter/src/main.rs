//! Question 4: a hundred tasks in a pool of four workers, then in a process each.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, write a task: a function that takes a number, does something small, and
    //    returns the id of its process, `std::process::id()`.
    // 2. Do 100 tasks in a pool of four workers, and take the time with `std::time::Instant`.
    //    A `std::collections::HashSet` of the ids tells how many processes took part.
    // 3. Do 100 tasks in a process each with `multiprocessing::spawn` and `join`, and take the time.
    // 4. Print the three lines. `{:.1}` prints a number with one digit after the point.
    todo!("do 100 tasks in a pool of four, then in 100 processes, and compare the times")
}
