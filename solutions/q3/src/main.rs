//! One new process, which prints one line.
//!
//! Two processes take part. Main starts a child and waits; the child calls `start` and ends.

use multiprocessing::Error;

/// What the child does. The number of the person is sent to it.
fn start(person: u32) {
    println!("Person {person} started");
}

fn main() -> Result<(), Error> {
    // A child is this same program, started again, so it comes by here too.
    // In main `init` does next to nothing; in a child it calls `start` and never returns.
    multiprocessing::init();

    let child = multiprocessing::spawn(start, 1)?;

    // From here on both run at the same time. `join` waits until the child has ended;
    // it would also hand over what `start` returns, and say so if the child had died.
    child.join()
}
