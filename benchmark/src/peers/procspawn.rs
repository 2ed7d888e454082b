//! The crate `procspawn`: a process for each call, or a pool that makes calls one by one.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use procspawn::{JoinHandle, Pool};

use super::{ITEMS, workers};
use crate::measure;

/// `procspawn` has no `map`; this one keeps so many chunks in its queue.
const WINDOW: usize = 64;

fn pool(processes: usize) -> Pool {
    let pool = Pool::new(processes).expect("a pool starts");
    let mut up = HashSet::new();
    while up.len() < processes {
        let calls: Vec<_> = (0..processes).map(|_| pool.spawn((), number_of_worker)).collect();
        up.extend(calls.into_iter().map(|call| call.join().expect("a warm pool")));
    }
    pool
}

/// Takes long enough for every worker of a pool to get one of these.
fn number_of_worker(_: ()) -> u32 {
    std::thread::sleep(Duration::from_millis(2));
    std::process::id()
}

pub fn start() -> f64 {
    measure::micros(200, || assert_eq!(procspawn::spawn(3_u64, |x| x * x).join().ok(), Some(9)))
}

pub fn pool_start() -> f64 {
    let round = || {
        let pool = Pool::new(4).expect("a pool starts");
        assert_eq!(pool.spawn(3_u64, |x| x * x).join().ok(), Some(9));
        pool.shutdown();
    };
    measure::micros(30, round) / 1e3
}

fn map_in_chunks(pool: &Pool, items: u64, chunk: u64) -> Vec<u64> {
    let mut squares = Vec::with_capacity(items as usize);
    let mut calls: VecDeque<JoinHandle<Vec<u64>>> = VecDeque::new();
    let mut take = |calls: &mut VecDeque<JoinHandle<Vec<u64>>>| {
        let call = calls.pop_front().expect("a call is under way");
        squares.extend(call.join().expect("squares come back"));
    };
    for first in (0..items).step_by(chunk as usize) {
        if calls.len() == WINDOW {
            take(&mut calls);
        }
        let chunk: Vec<u64> = (first..items.min(first + chunk)).collect();
        calls.push_back(pool.spawn(chunk, |chunk: Vec<u64>| chunk.into_iter().map(|x| x * x).collect()));
    }
    while !calls.is_empty() {
        take(&mut calls);
    }
    squares
}

pub fn map() -> f64 {
    let pool = pool(workers());
    let chunk = ITEMS.div_ceil(4 * workers() as u64);
    measure::rate(ITEMS as usize, 5, || assert_eq!(map_in_chunks(&pool, ITEMS, chunk).len() as u64, ITEMS))
}

pub fn map_single() -> f64 {
    let pool = pool(workers());
    let items = 5_000;
    measure::rate(items as usize, 3, || assert_eq!(map_in_chunks(&pool, items, 1).len() as u64, items))
}

pub fn apply() -> f64 {
    let pool = pool(workers());
    measure::micros(2000, || assert_eq!(pool.spawn(3_u64, |x| x * x).join().ok(), Some(9)))
}

pub fn idle_memory() -> f64 {
    let _pool = pool(4);
    let workers = measure::children();
    workers.iter().map(|pid| measure::proportional_memory(*pid)).sum::<f64>() / workers.len() as f64
}

pub fn idle_wakeups() -> f64 {
    let _pool = pool(4);
    std::thread::sleep(Duration::from_millis(200));
    measure::wakeups(Duration::from_secs(2))
}

pub fn idle_descriptors() -> f64 {
    measure::descriptors_of_worker(|workers, count| {
        let pool = pool(workers);
        let count = count();
        pool.shutdown();
        count
    })
}
