//! Those who are measured, one file each. A measurement is a function that gives a number.

pub mod by_hand;
pub mod floors;
pub mod ours;
pub mod procspawn;
pub mod threads;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The words by which this program, started again, is told to end at once, to keep a CPU busy, to send back
/// what comes, and to work for `ipc-channel by hand`.
pub const NOTHING: &str = "--nothing";
pub const SPIN: &str = "--spin";
pub const ECHO: &str = "--echo";
pub const IPC_WORKER: &str = "--ipc-worker";

/// So many items, for the rates of `map`.
pub const ITEMS: u64 = 1_000_000;

/// What is sent there and back for large values.
pub const LARGE_COUNT: usize = 8;
pub const LARGE_BYTES: usize = 64 << 20;

/// All of them, both ways, in MB.
pub const LARGE_MEGABYTES: usize = 2 * LARGE_COUNT * LARGE_BYTES / 1_000_000;

/// A pool for rates has a worker for each CPU.
pub fn workers() -> usize {
    num_cpus::get()
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().expect("a program has a file")
}

/// Starts this program again, with its standard input as given.
#[expect(clippy::disallowed_methods, reason = "whoever starts a process here kills or waits for it")]
fn start_again(arguments: &[&str], input: impl Into<Stdio>) -> Child {
    let mut command = Command::new(this_program());
    command.args(arguments).stdin(input).stdout(Stdio::null());
    command.spawn().expect("this program starts again")
}

/// Makes every CPU busy for as long as the action takes.
fn while_busy<T>(action: impl FnOnce() -> T) -> T {
    let mut busy: Vec<Child> = (0..num_cpus::get()).map(|_| start_again(&[SPIN], Stdio::null())).collect();
    let result = action();
    for child in &mut busy {
        child.kill().expect("a child of ours can be killed");
        child.wait().expect("a child of ours can be waited for");
    }
    result
}

/// A piece of work that takes a few milliseconds of a CPU: how many primes there are below this number.
fn count_primes(below: u64) -> u64 {
    (2..below).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0)).count() as u64
}

/// The pieces of CPU-bound work, and how far each counts.
const PIECES: usize = 64;
const BELOW: u64 = 60_000;

/// How many times as fast `parallel` does all pieces as a loop does.
fn speed_up(mut parallel: impl FnMut(Vec<u64>) -> Vec<u64>) -> f64 {
    let pieces = || std::hint::black_box(vec![BELOW; PIECES]);
    // Whoever works in parallel gets to know the work first, so that both are warm.
    let expected = parallel(pieces());
    let alone = crate::measure::seconds(|| {
        let counts: Vec<u64> = pieces().into_iter().map(count_primes).collect();
        assert_eq!(counts, expected);
    });
    alone / crate::measure::seconds(|| assert_eq!(parallel(pieces()), expected))
}
