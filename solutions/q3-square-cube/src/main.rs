//! Two processes at the same time: one prints the square of 10, the other the cube.
//!
//! Which of the two prints first is up to the machine. That `Done!` comes last is up to us.

use multiprocessing::Error;

/// The number whose square and cube are wanted.
const NUMBER: u32 = 10;

fn print_square(n: u32) {
    println!("Square: {}", n * n);
}

fn print_cube(n: u32) {
    println!("Cube: {}", n * n * n);
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // Both are started before either is waited for, so they run side by side.
    let square = multiprocessing::spawn(print_square, NUMBER)?;
    let cube = multiprocessing::spawn(print_cube, NUMBER)?;

    // The order of the two waits does not matter: after both, both have ended.
    square.join()?;
    cube.join()?;

    // A child's last line is written before the child ends, so nothing can follow this one.
    println!("Done!");
    Ok(())
}
