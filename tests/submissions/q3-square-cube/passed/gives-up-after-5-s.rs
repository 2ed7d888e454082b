use std::process::ExitCode;
use std::time::Duration;

use multiprocessing::{Error, spawn};

fn main() -> Result<ExitCode, Error> {
    multiprocessing::init();
    let square = spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    for mut child in [square, cube] {
        match child.join_timeout(Duration::from_secs(5)) {
            Some(result) => result?,
            None => return Ok(ExitCode::FAILURE),
        }
    }
    println!("Done!");
    Ok(ExitCode::SUCCESS)
}
