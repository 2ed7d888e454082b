//! How long a run may go on without coming to rest while somebody is held.
//!
//! A program that waits by sleeping sleeps once or a few times; one that polls or spins goes on for ever, and what it
//! waits for may be the one who is held.

use std::time::{Duration, Instant};

/// A program that finds so many times over polls, if its time limit would be over too.
const MANY: u32 = 300;

/// The bound where each time is short.
const MOST: u32 = 2_000;

/// The bound for a program that never comes to rest, and for one that is starved.
const LONGEST: Duration = Duration::from_secs(2);
const LONGEST_STARVED: Duration = Duration::from_secs(8);

/// The patience with a run, from one release to the next.
///
/// Real time counts from when it was at rest last, since the tracer may be starved too.
/// Time in which threads could have run but had no CPU does not count; the whole run's is given.
#[derive(Debug)]
pub(super) struct Patience {
    since: Instant,
    starved: Duration,
    /// The run's time limit.
    wall: Duration,
    times: u32,
    passed_over: Duration,
}

impl Patience {
    pub(super) fn new(wall: Duration, starved: Duration) -> Patience {
        Patience { since: Instant::now(), starved, wall, times: 0, passed_over: Duration::ZERO }
    }

    /// The run was at rest, and so much time was passed over for somebody who waits.
    pub(super) fn passed(&mut self, time: Duration) {
        self.since = Instant::now();
        self.times = self.times.saturating_add(1);
        self.passed_over = self.passed_over.saturating_add(time);
    }

    /// Whether it is at its end; how long threads were starved is asked for only where it matters.
    pub(super) fn is_lost(&self, starved: impl FnOnce() -> Duration) -> bool {
        let real = self.since.elapsed();
        let polls = self.times >= MOST || (self.times >= MANY && self.passed_over >= self.wall);
        if polls || real < LONGEST || real >= LONGEST_STARVED {
            return polls || real >= LONGEST_STARVED;
        }
        real.saturating_sub(starved().saturating_sub(self.starved)) >= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Duration = Duration::from_secs(10);

    fn begun(ago: Duration) -> Patience {
        let since = Instant::now().checked_sub(ago).expect("a clock that began earlier");
        Patience { since, ..Patience::new(WALL, Duration::ZERO) }
    }

    #[test]
    fn many_times_are_polling_once_the_time_limit_would_be_over() {
        let mut patience = begun(Duration::ZERO);
        patience.passed(WALL);
        (2..MANY).for_each(|_| patience.passed(Duration::from_millis(10)));
        assert!(!patience.is_lost(|| Duration::ZERO));
        patience.passed(Duration::from_millis(10));
        assert!(patience.is_lost(|| Duration::ZERO));
    }

    #[test]
    fn short_times_are_polling_when_there_are_very_many() {
        let mut patience = begun(Duration::ZERO);
        (1..MOST).for_each(|_| patience.passed(Duration::from_micros(1)));
        assert!(!patience.is_lost(|| Duration::ZERO));
        patience.passed(Duration::ZERO);
        assert!(patience.is_lost(|| Duration::ZERO));
    }

    #[test]
    fn a_rest_begins_the_real_time_anew() {
        let mut patience = begun(LONGEST);
        patience.passed(Duration::ZERO);
        assert!(!patience.is_lost(|| Duration::ZERO));
    }

    #[test]
    fn time_without_a_cpu_does_not_count() {
        let patience = begun(LONGEST);
        assert!(!patience.is_lost(|| Duration::from_millis(500)));
        assert!(patience.is_lost(|| Duration::ZERO));
        assert!(begun(LONGEST_STARVED).is_lost(|| LONGEST_STARVED));
    }
}
