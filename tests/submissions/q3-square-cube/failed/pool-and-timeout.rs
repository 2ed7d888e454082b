use std::time::Duration;

use multiprocessing::{Error, Pool, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    // Where a worker is kept from its birth, a pool gives up with an error; a join with a timeout says nothing.
    let tens = Pool::new(1)?.map(|n: u32| 10 * n, [1, 1])?;
    let mut square = spawn(|n: u32| println!("Square: {}", n.pow(2)), tens[0])?;
    let mut cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), tens[1])?;
    let _ = square.join_timeout(Duration::from_secs(2));
    let _ = cube.join_timeout(Duration::from_secs(2));
    println!("Done!");
    Ok(())
}
