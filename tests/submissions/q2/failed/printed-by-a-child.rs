use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use multiprocessing::{Error, spawn};

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn add_one((): ()) {
    COUNTER.fetch_add(1, Ordering::Relaxed);
}

fn print((): ()) {
    println!("Processes do not: the counter is {}", COUNTER.load(Ordering::Relaxed));
}

fn crash((): ()) {
    std::process::abort()
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let start = Instant::now();
    for _ in 0..4 {
        thread::spawn(|| add_one(())).join().unwrap();
    }
    let a_thread = start.elapsed() / 4;
    println!("Threads share memory: the counter is {}", COUNTER.load(Ordering::Relaxed));

    let start = Instant::now();
    for _ in 0..4 {
        spawn(add_one, ())?.join()?;
    }
    let a_process = start.elapsed() / 4;
    spawn(print, ())?.join()?;

    assert!(spawn(crash, ())?.join().is_err());
    println!("A child that aborts leaves its parent running");
    println!("Starting a thread took {} µs, a process {} µs", a_thread.as_micros(), a_process.as_micros());
    Ok(())
}
