use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    pool.map(|number: u32| println!("Process {number}: {number}"), 1..=4)?;
    Ok(())
}
