use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::with_default_size()?;
    println!("Workers by default: {}", pool.processes());
    let _pool = Pool::new(4)?;
    Ok(())
}
