//! Four processes at the same time, each of which prints a number of its own.

use multiprocessing::Error;

/// What each child does. All four run the same function; the argument makes the difference.
fn print_number(number: u32) {
    println!("Process {number}: {number}");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // The first loop only starts: after it, up to four children are running.
    let mut children = Vec::new();
    for number in 1..=4 {
        children.push(multiprocessing::spawn(print_number, number)?);
    }

    // The second loop only waits. Were both one loop, each child would have to end before the
    // next one could start, and four processes would be no quicker than one.
    for child in children {
        child.join()?;
    }
    Ok(())
}
