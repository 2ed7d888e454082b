use multiprocessing::{Error, spawn};

fn print_square(n: u32) {
    println!("Square: {}", n * n);
}

fn print_cube(n: u32) {
    println!("Cube: {}", n * n * n);
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    spawn(print_square, 10)?.join()?;
    spawn(print_cube, 10)?.join()?;
    println!("Done!");
    Ok(())
}
