use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for number in 1..=3 {
        std::mem::forget(spawn(|number: u32| println!("Worker {number} is ready"), number)?);
    }
    Ok(())
}
