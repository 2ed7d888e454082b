use std::collections::HashSet;
use std::process::id;
use std::time::Instant;

use multiprocessing::{Error, Pool, spawn};

fn print(times: f64) {
    println!("The pool was {times} times faster");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let start = Instant::now();
    let ids = Pool::new(4)?.map(|_: u8| id(), 0..100)?;
    let pool_time = start.elapsed();
    println!("Pool of 4 workers: 100 tasks in {} processes", HashSet::<u32>::from_iter(ids).len());

    let start = Instant::now();
    let ids = (0..100).map(|n| spawn(|_: u8| id(), n)?.join()).collect::<Result<HashSet<u32>, _>>()?;
    let each_time = start.elapsed();
    println!("One process per task: 100 tasks in {} processes", ids.len());

    spawn(print, each_time.as_secs_f64() / pool_time.as_secs_f64())?.join()
}
