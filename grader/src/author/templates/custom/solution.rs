//! An answer that another process finds.

use multiprocessing::Error;

/// What the child does. What it returns is sent back to main.
fn find(_: ()) -> u32 {
    6 * 7
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let answer = multiprocessing::spawn(find, ())?.join()?;
    println!("The answer is {answer}");
    Ok(())
}
