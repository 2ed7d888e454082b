//! Threads: what can be had where nothing has to cross between processes.

use rayon::prelude::*;

use super::{ITEMS, count_primes, workers};
use crate::measure;

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(workers()).build().expect("threads start")
}

pub fn map() -> f64 {
    let pool = pool();
    measure::rate(ITEMS as usize, 5, || {
        let squares: Vec<u64> = pool.install(|| (0..ITEMS).into_par_iter().map(|x| x * x).collect());
        assert_eq!(squares.last(), Some(&((ITEMS - 1) * (ITEMS - 1))));
    })
}

pub fn speed_up() -> f64 {
    let pool = pool();
    super::speed_up(|pieces| pool.install(|| pieces.into_par_iter().map(count_primes).collect()))
}
