//! How long a run may go on without coming to rest while somebody is held.
//!
//! A program that waits by sleeping sleeps once or a few times; one that polls or spins goes on for ever, and what it
//! waits for may be the one who is held.
//! One that only computes waits for nobody, unless another process can reach into it.

use std::time::{Duration, Instant};

use super::effort::Effort;

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
/// Time in which threads could have run but had no CPU does not count.
/// Who only computes may do so for as long as the time limit; a program that computes for longer fails for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    since: Instant,
    /// The whole run's, when this began.
    before: Effort,
    /// The run's time limit.
    wall: Duration,
    times: u32,
    passed_over: Duration,
}

impl Patience {
    pub(super) fn new(wall: Duration, before: Effort) -> Patience {
        Patience { since: Instant::now(), before, wall, times: 0, passed_over: Duration::ZERO }
    }

    /// From when on real time counts, as a time since this one; another value stands for another patience.
    pub(super) fn since(&self, start: Instant) -> Duration {
        self.since.saturating_duration_since(start)
    }

    /// The run was at rest, and so much time was passed over for somebody who waits.
    pub(super) fn passed(&mut self, time: Duration) {
        self.since = Instant::now();
        self.times = self.times.saturating_add(1);
        self.passed_over = self.passed_over.saturating_add(time);
    }

    /// Whether so many times were found to be over that somebody polls.
    pub(super) fn is_polling(&self) -> bool {
        self.times >= MOST || (self.times >= MANY && self.passed_over >= self.wall)
    }

    /// Whether it is at its end.
    ///
    /// What the run's processes have done so far, whether all of that is told by now, and whether they are out of each
    /// other's reach, is asked for only where it matters.
    pub(super) fn is_lost(
        &self,
        is_settled: impl FnOnce() -> bool,
        effort: impl FnOnce() -> Effort,
        is_out_of_reach: impl FnOnce() -> bool,
    ) -> bool {
        let real = self.since.elapsed();
        if self.is_polling() || real < LONGEST {
            return self.is_polling();
        }
        if !is_settled() && real < LONGEST_STARVED {
            return false;
        }
        let spent = effort().since(self.before);
        let had_a_cpu = real.saturating_sub(spent.starved);
        let is_starved = real < LONGEST_STARVED && had_a_cpu < LONGEST;
        let computes = || had_a_cpu < self.wall && spent.is_computing() && is_out_of_reach();
        !is_starved && !computes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Duration = Duration::from_secs(10);

    fn begun(ago: Duration) -> Patience {
        let since = Instant::now().checked_sub(ago).expect("a clock that began earlier");
        Patience { since, ..Patience::new(WALL, Effort::default()) }
    }

    fn is_lost(patience: &Patience) -> bool {
        patience.is_lost(|| true, Effort::default, || true)
    }

    #[test]
    fn many_times_are_polling_once_the_time_limit_would_be_over() {
        let mut patience = begun(Duration::ZERO);
        patience.passed(WALL);
        (2..MANY).for_each(|_| patience.passed(Duration::from_millis(10)));
        assert!(!is_lost(&patience));
        patience.passed(Duration::from_millis(10));
        assert!(is_lost(&patience));
    }

    #[test]
    fn short_times_are_polling_when_there_are_very_many() {
        let mut patience = begun(Duration::ZERO);
        (1..MOST).for_each(|_| patience.passed(Duration::from_micros(1)));
        assert!(!is_lost(&patience));
        patience.passed(Duration::ZERO);
        assert!(is_lost(&patience));
    }

    #[test]
    fn a_rest_begins_the_real_time_anew() {
        let mut patience = begun(LONGEST);
        patience.passed(Duration::ZERO);
        assert!(!is_lost(&patience));
    }

    #[test]
    fn time_without_a_cpu_does_not_count() {
        let starved = |starved| move || Effort { starved, ..Effort::default() };
        let patience = begun(LONGEST);
        assert!(!patience.is_lost(|| true, starved(Duration::from_millis(500)), || true));
        assert!(patience.is_lost(|| true, starved(Duration::ZERO), || true));
        assert!(begun(LONGEST_STARVED).is_lost(|| true, starved(LONGEST_STARVED), || true));
    }

    #[test]
    fn who_waits_for_a_cpu_gets_it_first() {
        assert!(!begun(LONGEST).is_lost(|| false, Effort::default, || true));
        assert!(begun(LONGEST_STARVED).is_lost(|| false, Effort::default, || true));
        // Who computes has time until its limit, whether it has a CPU just then or not.
        let computing = || Effort { user: LONGEST, ..Effort::default() };
        assert!(!begun(LONGEST_STARVED).is_lost(|| false, computing, || true));
    }

    #[test]
    fn who_only_computes_may_do_so_for_as_long_as_the_time_limit() {
        let effort = |user, system| move || Effort { user, system, ..Effort::default() };
        let (computing, polling) = (effort(LONGEST, Duration::ZERO), effort(LONGEST, LONGEST / 2));
        assert!(!begun(LONGEST).is_lost(|| true, computing, || true));
        assert!(begun(LONGEST).is_lost(|| true, computing, || false));
        assert!(begun(LONGEST).is_lost(|| true, polling, || true));
        assert!(begun(WALL).is_lost(|| true, computing, || true));
    }
}
