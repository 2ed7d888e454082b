//! Waiting awake for a moment, where a sleep and a wake-up would cost more than what is waited for.
//!
//! A wake-up takes some 20 µs, and a small call a tenth of that. How long it pays to stay awake is learnt: a
//! spin that ends in success allows a long one again, one in vain halves the next. Where every CPU has other
//! work, spins fail and shrink to nearly nothing. Now and then a long one is tried all the same, since two
//! sides that both sleep at once would never find out that they need not.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Microseconds. About as long as it takes to put one side to sleep and wake it, twice: whoever is awake answers
/// sooner.
const LONGEST: u32 = 50;

/// Microseconds that a spin costs which has failed many times.
const SHORTEST: u32 = 1;

/// One in so many short spins is a long one.
const TRIALS: u32 = 64;

/// Turns between two looks at the clock.
const TURNS: u32 = 16;

/// Whether two sides can be awake at once on this machine.
pub(crate) fn pays() -> bool {
    num_cpus::get() > 1
}

/// How long one side stays awake. Relaxed throughout: the words guard nothing, and a wrong guess is none.
pub(crate) struct Spin {
    /// Whether there is a CPU for the other side meanwhile.
    pays: bool,
    micros: AtomicU32,
    failures: AtomicU32,
    /// Whether somebody spins. One is enough: others sleep at once.
    taken: AtomicBool,
}

impl Spin {
    /// As [`pays`] says, which a worker is told, since to find out takes longer than to start.
    pub(crate) fn new(pays: bool) -> Spin {
        Spin {
            pays,
            micros: AtomicU32::new(LONGEST),
            failures: AtomicU32::new(0),
            taken: AtomicBool::new(false),
        }
    }

    /// Waits awake until `ready`, for a while; says whether it came.
    pub(crate) fn wait(&self, mut ready: impl FnMut() -> bool) -> bool {
        if ready() {
            return true;
        }
        if !self.pays || self.taken.swap(true, Ordering::Relaxed) {
            return false;
        }
        let is_ready = self.spin(ready);
        self.taken.store(false, Ordering::Relaxed);
        is_ready
    }

    fn spin(&self, mut ready: impl FnMut() -> bool) -> bool {
        let micros = self.micros.load(Ordering::Relaxed);
        let (start, longest) = (Instant::now(), Duration::from_micros(micros.into()));
        loop {
            for _ in 0..TURNS {
                std::hint::spin_loop();
                if ready() {
                    self.micros.store(LONGEST, Ordering::Relaxed);
                    self.failures.store(0, Ordering::Relaxed);
                    return true;
                }
            }
            if start.elapsed() >= longest {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                let again = failures.is_multiple_of(TRIALS);
                self.micros
                    .store(if again { LONGEST } else { (micros / 2).max(SHORTEST) }, Ordering::Relaxed);
                return false;
            }
        }
    }
}
