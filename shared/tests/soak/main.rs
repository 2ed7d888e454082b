//! The soak test: a pool does random things with random misfortunes, and a model knows what has to come of each.
//!
//! ```text
//! MULTIPROCESSING_SOAK_STEPS=20000 cargo test -p multiprocessing --test soak -- --nocapture
//! ```
//!
//! By itself it takes few steps, always the same ones. `MULTIPROCESSING_SOAK_STEPS` makes it longer and takes
//! another seed, which is printed; `MULTIPROCESSING_SOAK_SEED` takes a certain one, to see a failure again.
//!
//! What is checked of every call that was submitted: its outcome is the one that its deed asks for, or, at
//! most once for each worker that the test itself has killed, that of a killed worker; it was never begun
//! more often than its terms allow; and if it has a result, it was begun. After each pool no process, no descriptor and no shared memory
//! is left.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

mod model;
mod random;
mod soak;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use soak::Soak;

multiprocessing::init_tests!();

/// A step takes milliseconds; after so long on a busy machine it hangs.
const FOREVER: Duration = Duration::from_secs(120);

/// The seeds, and the number of steps for each, where nothing else is asked for.
const SEEDS: [u64; 3] = [1, 2, 3];
const STEPS: usize = 60;

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("`{name}` is a number, and not `{value}`")))
}

#[test]
fn whatever_happens_every_call_has_the_outcome_that_it_has_to_have() {
    let steps = variable("MULTIPROCESSING_SOAK_STEPS");
    let seed = variable("MULTIPROCESSING_SOAK_SEED");
    let seeds = match (steps, seed) {
        (_, Some(seed)) => vec![seed],
        (Some(_), None) => vec![u64::from(std::process::id())],
        (None, None) => SEEDS.to_vec(),
    };
    let steps = steps.map_or(STEPS, |steps| usize::try_from(steps).unwrap());
    for seed in seeds {
        println!("seed {seed}, {steps} steps");
        let tally = watched(seed, |alive| {
            let mut soak = Soak::new(seed);
            for _ in 0..steps {
                soak.step();
                alive();
            }
            soak.finish()
        });
        println!("{tally}");
    }
}

/// Does this while another thread waits for signs of life: a pool that hangs must not hang the test.
fn watched<T>(seed: u64, action: impl FnOnce(&dyn Fn()) -> T) -> T {
    let (alive, signs) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        loop {
            match signs.recv_timeout(FOREVER) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("seed {seed}: a step has not come to its end");
                    std::process::abort();
                }
            }
        }
    });
    action(&|| alive.send(()).unwrap())
}
