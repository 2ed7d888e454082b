use std::hint::spin_loop;
use std::time::{Duration, Instant};

use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _square = spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let _cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(300) {
        spin_loop();
    }
    println!("Done!");
    Ok(())
}
