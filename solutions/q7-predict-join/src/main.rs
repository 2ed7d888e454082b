//! Two children, and main waits for one of them before it prints.

use multiprocessing::Error;

/// What each child does; the line is sent to it.
fn say(line: String) {
    println!("{line}");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let left = multiprocessing::spawn(say, "left".to_owned())?;
    let right = multiprocessing::spawn(say, "right".to_owned())?;

    left.join()?;
    println!("main");
    right.join()
}
