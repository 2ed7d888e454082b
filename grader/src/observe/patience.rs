//! How long a run may go on without coming to rest while somebody is held.
//!
//! A program that waits by sleeping sleeps once or a few times; one that polls or spins goes on for ever, and what it
//! waits for may be the one who is held.

use std::time::{Duration, Instant};

/// From so many answered sleeps on a program polls.
const MANY_SLEEPS: u32 = 300;

/// A program that sleeps until a point in time looks as if it polled, but is soon through.
const SHORTEST_POLLING: Duration = Duration::from_millis(400);

/// The bound for whatever else a program does, and for one that is starved.
const LONGEST: Duration = Duration::from_secs(2);
const LONGEST_STARVED: Duration = Duration::from_secs(8);

/// The patience with a run, from one release to the next.
///
/// Time in which threads could have run but had no CPU does not count; the whole run's is given.
#[derive(Debug)]
pub(super) struct Patience {
    since: Instant,
    starved: Duration,
    sleeps: u32,
}

impl Patience {
    pub(super) fn new(starved: Duration) -> Patience {
        Patience { since: Instant::now(), starved, sleeps: 0 }
    }

    /// A sleep was answered at once.
    pub(super) fn slept(&mut self) {
        self.sleeps = self.sleeps.saturating_add(1);
    }

    /// Whether it is at its end; how long threads were starved is asked for only where it matters.
    pub(super) fn is_lost(&self, starved: impl FnOnce() -> Duration) -> bool {
        let real = self.since.elapsed();
        let polls = self.sleeps >= MANY_SLEEPS && real >= SHORTEST_POLLING;
        if polls || real < LONGEST || real >= LONGEST_STARVED {
            return polls || real >= LONGEST_STARVED;
        }
        real.saturating_sub(starved().saturating_sub(self.starved)) >= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(ago: Duration) -> Patience {
        let since = Instant::now().checked_sub(ago).expect("a clock that began earlier");
        Patience { since, ..Patience::new(Duration::ZERO) }
    }

    #[test]
    fn a_few_sleeps_are_no_polling_and_many_are() {
        let mut patience = begun(SHORTEST_POLLING);
        (1..MANY_SLEEPS).for_each(|_| patience.slept());
        assert!(!patience.is_lost(|| Duration::ZERO));
        patience.slept();
        assert!(patience.is_lost(|| Duration::ZERO));
    }

    #[test]
    fn time_without_a_cpu_does_not_count() {
        let patience = begun(LONGEST);
        assert!(!patience.is_lost(|| Duration::from_millis(500)));
        assert!(patience.is_lost(|| Duration::ZERO));
        assert!(begun(LONGEST_STARVED).is_lost(|| LONGEST_STARVED));
    }
}
