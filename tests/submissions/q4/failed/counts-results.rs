use std::time::Instant;

use multiprocessing::{Error, Pool, spawn};

fn task(_number: u32) -> u32 {
    std::process::id()
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let start = Instant::now();
    let pool = Pool::new(4)?;
    let ids = pool.map(task, 0..100)?;
    drop(pool);
    let pool_time = start.elapsed();
    println!("Pool of 4 workers: 100 tasks in {} processes", ids.len());

    let start = Instant::now();
    for number in 0..100 {
        spawn(task, number)?.join()?;
    }
    let each_time = start.elapsed();
    println!("One process per task: 100 tasks in 100 processes");
    println!("The pool was {:.1} times faster", each_time.as_secs_f64() / pool_time.as_secs_f64());
    Ok(())
}
