use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let cube = spawn(|n: u64| println!("Cube: {}", n.pow(3)), 10)?;
    let square = spawn(|n: u64| println!("Square: {}", n.pow(2)), 10)?;
    square.join()?;
    cube.join()?;
    println!("Done!");
    Ok(())
}
