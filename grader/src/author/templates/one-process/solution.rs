//! One new process, which prints one line.

use multiprocessing::Error;

/// What the child does.
fn greet(_: ()) {
    println!("Hello from a child");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = multiprocessing::spawn(greet, ())?;
    // From here on both run at the same time; `join` waits until the child has ended.
    child.join()
}
