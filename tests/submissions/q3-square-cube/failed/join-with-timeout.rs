use std::time::Duration;

use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut square = spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let mut cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    let _ = square.join_timeout(Duration::from_millis(500));
    let _ = cube.join_timeout(Duration::from_millis(500));
    println!("Done!");
    Ok(())
}
