use multiprocessing::{Error, Pool};

fn choose(_task: u32) -> u32 {
    rand::random_range(0..50)
}

fn print(numbers: Vec<u32>) {
    println!("{numbers:?}");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(4)?;
    let numbers = pool.map(choose, 0..50)?;
    pool.map(print, [numbers])?;
    Ok(())
}
