use std::time::Instant;

use multiprocessing::{Error, Pool, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let start = Instant::now();
    let mut ids = Pool::new(4)?.map(|_: u8| std::process::id(), 0..100)?;
    ids.sort();
    ids.dedup();
    let pool_time = start.elapsed();
    println!("Pool of 4 workers: 100 tasks in {} processes", ids.len());

    let start = Instant::now();
    let tasks = spawn(|tasks: Vec<u32>| tasks.len(), (0..100).collect())?.join()?;
    println!("One process per task: 100 tasks in {tasks} processes");
    println!("The pool was {} times faster", start.elapsed().as_secs_f64() / pool_time.as_secs_f64());
    Ok(())
}
