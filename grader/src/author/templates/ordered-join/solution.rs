//! Two processes at the same time, and a line when both have ended.

use multiprocessing::Error;

/// What each child does. The number of its part is sent to it.
fn work(part: u32) {
    println!("Part {part} is done");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // Both are started before either is waited for, so they run side by side.
    let first = multiprocessing::spawn(work, 1)?;
    let second = multiprocessing::spawn(work, 2)?;

    // After both waits both have ended, whichever was quicker, and nothing can follow the last line.
    first.join()?;
    second.join()?;
    println!("All is done");
    Ok(())
}
