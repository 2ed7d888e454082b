//! Waiting awake for a moment, where a sleep and a wake-up would cost more than what is waited for.
//!
//! A wake-up takes some 20 µs, and a small call a tenth of that. How long it pays to stay awake is learnt: a
//! spin that ends in success allows a long one again, one in vain halves the next. Where every CPU has other
//! work, spins fail and shrink to nearly nothing. Now and then a long one is tried all the same, since two
//! sides that both sleep at once would never find out that they need not.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// About as long as it takes to put one side to sleep and wake it, twice: whoever is awake answers sooner.
const LONGEST: Duration = Duration::from_micros(50);

/// What a spin costs that has failed many times.
const SHORTEST: Duration = Duration::from_micros(1);

/// One in so many short spins is a long one.
const TRIALS: u32 = 64;

/// Turns between two looks at the clock.
const TURNS: u32 = 16;

/// How long one side stays awake.
pub(crate) struct Spin {
    time: Duration,
    failures: u32,
}

impl Default for Spin {
    fn default() -> Spin {
        Spin { time: LONGEST, failures: 0 }
    }
}

impl Spin {
    /// Waits awake until `ready`, for a while; says whether it came.
    pub(crate) fn wait(&mut self, mut ready: impl FnMut() -> bool) -> bool {
        static ALONE: LazyLock<bool> = LazyLock::new(|| num_cpus::get() == 1);
        if ready() {
            return true;
        }
        if *ALONE {
            return false;
        }
        let start = Instant::now();
        loop {
            for _ in 0..TURNS {
                std::hint::spin_loop();
                if ready() {
                    self.time = LONGEST;
                    self.failures = 0;
                    return true;
                }
            }
            if start.elapsed() >= self.time {
                self.failures += 1;
                let again = self.failures.is_multiple_of(TRIALS);
                self.time = if again { LONGEST } else { (self.time / 2).max(SHORTEST) };
                return false;
            }
        }
    }
}
