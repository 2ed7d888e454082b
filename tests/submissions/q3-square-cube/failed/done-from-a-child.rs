use multiprocessing::{Error, spawn};

fn print_square(n: u32) {
    println!("Square: {}", n * n);
}

fn print_cube(n: u32) {
    println!("Cube: {}", n * n * n);
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let square = spawn(print_square, 10)?;
    let cube = spawn(print_cube, 10)?;
    square.join()?;
    cube.join()?;
    spawn(|()| println!("Done!"), ())?.join()?;
    Ok(())
}
