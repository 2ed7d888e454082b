//! The library.

use std::collections::HashSet;
use std::time::Duration;

use multiprocessing::{Builder, Pool, SharedBytes, SharedBytesMut, StartMethod, TaskHandle};
use serde_bytes::ByteBuf;

use super::{ITEMS, LARGE_BYTES, LARGE_COUNT, LARGE_MEGABYTES, count_primes, while_busy, workers};
use crate::measure;

fn square(x: u64) -> u64 {
    x * x
}

fn pool(processes: usize) -> Pool {
    let pool = Pool::new(processes).expect("a pool starts");
    let mut up = HashSet::new();
    while up.len() < processes {
        up.extend(pool.chunks_of(1).map(number_of_worker, 0..processes).expect("a warm pool"));
    }
    pool
}

/// Takes long enough for every worker of a pool to get one of these.
fn number_of_worker(_: usize) -> u32 {
    std::thread::sleep(Duration::from_millis(2));
    std::process::id()
}

fn start_by(method: StartMethod) -> f64 {
    let spawn = || Builder::new().start_method(method).spawn(square, 3);
    measure::micros(200, || assert_eq!(spawn().and_then(|process| process.join()).ok(), Some(9)))
}

pub fn start() -> f64 {
    start_by(StartMethod::Spawn)
}

pub fn start_by_server() -> f64 {
    start_by(StartMethod::ForkServer)
}

fn with_large_memory(measure: fn() -> f64) -> f64 {
    let memory = vec![1_u8; 1 << 30];
    let micros = measure();
    drop(std::hint::black_box(memory));
    micros
}

pub fn start_from_large_parent() -> f64 {
    with_large_memory(start)
}

pub fn start_by_server_from_large_parent() -> f64 {
    with_large_memory(start_by_server)
}

pub fn pool_start() -> f64 {
    pool_start_by(StartMethod::Spawn)
}

pub fn pool_start_by_server() -> f64 {
    pool_start_by(StartMethod::ForkServer)
}

fn pool_start_by(method: StartMethod) -> f64 {
    let round = || {
        let pool = Pool::builder().start_method(method).processes(4).build().expect("a pool starts");
        assert_eq!(pool.apply(square, 3).ok(), Some(9));
        pool.join();
    };
    measure::micros(30, round) / 1e3
}

pub fn map() -> f64 {
    let pool = pool(workers());
    measure::rate(ITEMS as usize, 5, || {
        let squares = pool.map(square, 0..ITEMS).expect("all squares");
        assert_eq!(squares.last(), Some(&square(ITEMS - 1)));
    })
}

fn rate_of_single(items: u64, times: usize) -> f64 {
    let pool = pool(workers());
    measure::rate(items as usize, times, || {
        let squares = pool.chunks_of(1).map(square, 0..items).expect("all squares");
        assert_eq!(squares.last(), Some(&square(items - 1)));
    })
}

pub fn map_single() -> f64 {
    rate_of_single(100_000, 5)
}

pub fn one_of_ten_million() -> f64 {
    1e6 / rate_once(10_000_000)
}

pub fn one_of_a_million() -> f64 {
    1e6 / rate_once(1_000_000)
}

pub fn one_of_a_hundred_thousand() -> f64 {
    1e6 / rate_of_single(100_000, 3)
}

fn rate_once(items: u64) -> f64 {
    let pool = pool(workers());
    let squares = || pool.chunks_of(1).map(square, 0..items).expect("all squares").len();
    items as f64 / measure::seconds(|| assert_eq!(squares() as u64, items))
}

pub fn apply() -> f64 {
    let pool = pool(workers());
    measure::micros(5000, || assert_eq!(pool.apply(square, 3).ok(), Some(9)))
}

pub fn apply_busy() -> f64 {
    let pool = pool(workers());
    while_busy(|| measure::micros(2000, || assert_eq!(pool.apply(square, 3).ok(), Some(9))))
}

pub fn large() -> f64 {
    let pool = pool(workers());
    let there =
        || -> Vec<ByteBuf> { (0..LARGE_COUNT).map(|_| ByteBuf::from(vec![7_u8; LARGE_BYTES])).collect() };
    measure::rate_with(LARGE_MEGABYTES, 2, there, |there| {
        let back = pool.chunks_of(1).imap(|bytes: ByteBuf| bytes, there);
        assert_eq!(
            back.map(|bytes| bytes.expect("bytes come back").len()).sum::<usize>(),
            LARGE_COUNT * LARGE_BYTES
        );
    })
}

/// Read and written in place: what crosses is the memory itself.
pub fn large_in_place() -> f64 {
    let pool = pool(workers());
    measure::rate(LARGE_MEGABYTES, 2, || {
        let there = (0..LARGE_COUNT).map(|_| filled(LARGE_BYTES, 7));
        let back = pool.chunks_of(1).imap(|bytes: SharedBytes| filled(bytes.len(), sum(&bytes)), there);
        assert_eq!(back.map(|bytes| sum(&bytes.expect("bytes come back")) as usize).sum::<usize>(), 0);
    })
}

fn filled(length: usize, byte: u8) -> SharedBytes {
    let mut bytes = SharedBytesMut::zeroed(length).expect("there is memory");
    bytes.fill(byte);
    bytes.freeze().expect("there is room")
}

/// Reads all bytes; for as many sevens as there are here it is 0.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
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
        let _pool = pool(workers);
        count()
    })
}

pub fn speed_up() -> f64 {
    let pool = pool(workers());
    super::speed_up(|pieces| pool.map(count_primes, pieces).expect("all counts"))
}

fn queue(tasks: u64) -> f64 {
    let pool = pool(workers());
    let seconds = measure::seconds(|| {
        let submit = |x| pool.apply_async(square, x).expect("the pool is open");
        let handles: Vec<TaskHandle<u64>> = (0..tasks).map(submit).collect();
        let squares = handles.into_iter().map(|handle| handle.get().expect("a square"));
        assert_eq!(squares.last(), Some(square(tasks - 1)));
    });
    1e6 * seconds / tasks as f64
}

pub fn one_of_a_long_queue() -> f64 {
    queue(100_000)
}

pub fn one_of_a_queue() -> f64 {
    queue(10_000)
}

/// All of which there is room for in the CPU's cache and in memory that was used before.
pub fn one_of_a_short_queue() -> f64 {
    measure::median((0..20).map(|_| queue(1_000)).collect())
}

fn memory_of_imap(items: u64) -> f64 {
    let pool = pool(workers());
    let run = |items| {
        pool.chunks_of(100).imap(square, 0..items).map(|result| result.expect("a square") % 7).sum::<u64>()
    };
    std::hint::black_box(run(1000));
    let before = measure::peak_memory();
    std::hint::black_box(run(items));
    // A page more or less is no growth.
    (measure::peak_memory() - before).max(256.0)
}

pub fn memory_of_a_long_imap() -> f64 {
    memory_of_imap(ITEMS)
}

pub fn memory_of_a_short_imap() -> f64 {
    memory_of_imap(10_000)
}

fn per_worker(workers: usize, times: usize) -> f64 {
    let round = || {
        let pool = Pool::new(workers).expect("a pool starts");
        assert_eq!(pool.apply(square, 3).ok(), Some(9));
        pool.join();
    };
    measure::micros(times, round) / workers as f64
}

pub fn one_of_256_workers() -> f64 {
    per_worker(256, 3)
}

pub fn one_of_8_workers() -> f64 {
    per_worker(8, 20)
}
