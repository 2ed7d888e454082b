use multiprocessing::{Error, spawn};

fn print_square(n: u32) {
    println!("Square: {}", n * n);
}

fn print_cube(n: u32) {
    println!("Cube: {}", n * n * n);
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _square = spawn(print_square, 10)?;
    let _cube = spawn(print_cube, 10)?;
    std::thread::sleep(std::time::Duration::from_millis(100));
    println!("Done!");
    Ok(())
}
