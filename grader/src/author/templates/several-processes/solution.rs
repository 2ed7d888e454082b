//! Three processes at the same time, each of which prints a line.

use multiprocessing::Error;

/// What each child does. Its number is sent to it.
fn work(number: u32) {
    println!("Worker {number} is ready");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // All are started before any is waited for, so they run side by side.
    let mut children = Vec::new();
    for number in 1..=3 {
        children.push(multiprocessing::spawn(work, number)?);
    }
    for child in children {
        child.join()?;
    }
    Ok(())
}
