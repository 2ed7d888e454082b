use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let square = spawn(|n: u32| println!("Square: {}", n * n), 10)?;
    let cube = spawn(|n: u32| println!("Cube: {}", n * 3), 10)?;
    square.join()?;
    cube.join()?;
    println!("Done!");
    Ok(())
}
