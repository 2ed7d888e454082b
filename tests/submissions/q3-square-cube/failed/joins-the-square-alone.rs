use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let square = spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let _cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    square.join()?;
    println!("Done!");
    Ok(())
}
