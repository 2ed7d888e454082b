use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    println!("Workers by default: {}", std::thread::available_parallelism().unwrap());
    let pool = Pool::new(4)?;
    println!("Workers asked for: {}", pool.processes());
    Ok(())
}
