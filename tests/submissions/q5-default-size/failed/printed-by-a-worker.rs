use multiprocessing::{Error, Pool};

fn print(processes: usize) {
    println!("Workers asked for: {processes}");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::with_default_size()?;
    println!("Workers by default: {}", pool.processes());
    drop(pool);
    let pool = Pool::new(4)?;
    pool.map(print, [pool.processes()])?;
    Ok(())
}
