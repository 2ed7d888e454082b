//! Question 2: what threads share and processes do not, and what each costs.

use multiprocessing::Error;

fn main() -> Result<(), Error> {
    // Stays the first line: in a child, `init` runs the child's function and never comes back.
    multiprocessing::init();

    // 1. Above `main`, put a counter into a `static` variable, and write a function that adds 1.
    // 2. Let four threads call it (`std::thread::scope` waits for them), and print the counter.
    // 3. Set the counter back to 0, let four processes call the function, and print it again.
    // 4. Start a process that calls `std::process::abort()`, wait for it, and print the third line.
    //    Its `join` is an `Err`, and this time that is what you want.
    // 5. Take both times with `std::time::Instant`, and print them in microseconds.
    todo!("count in threads, count in processes, survive an abort, take both times")
}
