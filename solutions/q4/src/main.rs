//! A hundred small tasks, done in two ways: by a pool of four workers, and by a process for each.
//!
//! A task that takes almost no time shows what the rest costs. The pool pays for four starts, the
//! other way for a hundred.

use std::collections::HashSet;
use std::time::Instant;

use multiprocessing::{Error, Pool};

const TASKS: u32 = 100;
const WORKERS: usize = 4;

/// One task: it only tells which process it ran in.
fn task(_number: u32) -> u32 {
    std::process::id()
}

/// Does all tasks in a pool and returns the ids of the processes that took part.
fn in_a_pool() -> Result<HashSet<u32>, Error> {
    let pool = Pool::new(WORKERS)?;
    let ids = pool.map(task, 0..TASKS)?;
    Ok(ids.into_iter().collect())
}

/// Does each task in a process of its own and returns the ids of these processes.
fn in_a_process_each() -> Result<HashSet<u32>, Error> {
    let mut ids = HashSet::new();
    let tasks: Vec<u32> = (0..TASKS).collect();

    // As many at a time as the pool has workers, so that both ways use the same number of CPUs.
    for batch in tasks.chunks(WORKERS) {
        let mut children = Vec::new();
        for &number in batch {
            children.push(multiprocessing::spawn(task, number)?);
        }
        for child in children {
            ids.insert(child.join()?);
        }
    }
    Ok(ids)
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // The time includes the start of the workers and their end: that is the price of a pool.
    let start = Instant::now();
    let ids = in_a_pool()?;
    let pool_time = start.elapsed();
    println!("Pool of {WORKERS} workers: {TASKS} tasks in {} processes", ids.len());

    let start = Instant::now();
    let ids = in_a_process_each()?;
    let process_time = start.elapsed();
    println!("One process per task: {TASKS} tasks in {} processes", ids.len());

    let faster = process_time.as_secs_f64() / pool_time.as_secs_f64();
    println!("The pool was {faster:.1} times faster");
    Ok(())
}
