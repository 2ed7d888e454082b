//! How processes differ from threads: in what they share, in what a crash ends, and in their price.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use multiprocessing::Error;

/// A global variable. Every process has one of its own; all threads of a process share it.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// How many threads, and how many processes, add to the counter.
const ADDERS: u32 = 4;

/// How many starts are timed. One alone would depend too much on what else the machine is doing.
const STARTS: u32 = 10;

/// Adds one to the counter of this process, and returns what it is then.
fn add_one((): ()) -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed) + 1
}

/// Ends this process at once, with the signal SIGABRT.
fn crash((): ()) {
    std::process::abort()
}

/// Does nothing, so that only its start and its end take time.
fn nothing((): ()) {}

fn count_in_threads() -> u32 {
    COUNTER.store(0, Ordering::Relaxed);
    // The scope ends when all its threads have ended.
    thread::scope(|scope| {
        for _ in 0..ADDERS {
            scope.spawn(|| add_one(()));
        }
    });
    COUNTER.load(Ordering::Relaxed)
}

fn count_in_processes() -> Result<u32, Error> {
    COUNTER.store(0, Ordering::Relaxed);
    let mut children = Vec::new();
    for _ in 0..ADDERS {
        children.push(multiprocessing::spawn(add_one, ())?);
    }
    for child in children {
        // Each child began at 0 and got to 1: it added to its own counter.
        assert_eq!(child.join()?, 1);
    }
    Ok(COUNTER.load(Ordering::Relaxed))
}

fn time_of_a_thread() -> Duration {
    let start = Instant::now();
    for _ in 0..STARTS {
        thread::scope(|scope| {
            scope.spawn(|| nothing(()));
        });
    }
    start.elapsed() / STARTS
}

fn time_of_a_process() -> Result<Duration, Error> {
    let start = Instant::now();
    for _ in 0..STARTS {
        multiprocessing::spawn(nothing, ())?.join()?;
    }
    Ok(start.elapsed() / STARTS)
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    println!("Threads share memory: the counter is {}", count_in_threads());
    println!("Processes do not: the counter is {}", count_in_processes()?);

    // An abort in a thread would end main with it. Of a child, main only hears that it has died.
    match multiprocessing::spawn(crash, ())?.join() {
        Err(Error::Died { .. }) => println!("A child that aborts leaves its parent running"),
        other => return other,
    }

    let thread = time_of_a_thread().as_secs_f64() * 1e6;
    let process = time_of_a_process()?.as_secs_f64() * 1e6;
    println!("Starting a thread took {thread:.1} µs, a process {process:.1} µs");
    Ok(())
}
