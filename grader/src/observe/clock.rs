//! The time of a steered run, which passes at once when nothing else can move.
//!
//! It is the real time, and all that was passed over on top; programs that read a clock are told it.
//! Each thread that waits for a time is noted with the moment at which that ends, and whoever comes first is woken.
//! So a thread that sleeps a little again and again does not keep another from waking.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::rest::TimedCall;

/// What time it is in a run.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    passed_over: Duration,
    /// For each waiting thread, how long it had run when it began to wait, and when it will wake.
    alarms: HashMap<Pid, (u64, Duration)>,
}

impl Clock {
    pub(super) fn new(started: Instant) -> Clock {
        Clock { started, passed_over: Duration::ZERO, alarms: HashMap::new() }
    }

    /// By how much it is ahead of the clocks outside.
    pub(super) fn passed_over(&self) -> Duration {
        self.passed_over
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed().saturating_add(self.passed_over)
    }

    /// The one of these calls that ends first, and when; the calls of all threads that wait for a time have to be given.
    pub(super) fn first(&mut self, calls: &[TimedCall]) -> Option<(TimedCall, Duration)> {
        let now = self.now();
        self.alarms.retain(|tid, _| calls.iter().any(|call| call.tid == *tid));
        for call in calls {
            let alarm = (call.ran, now.saturating_add(call.lasts));
            let noted = self.alarms.entry(call.tid).or_insert(alarm);
            if noted.0 != call.ran {
                *noted = alarm;
            }
        }
        let wakes = |call: &TimedCall| self.alarms.get(&call.tid).map(|(_, at)| *at);
        let first = calls.iter().min_by_key(|call| (wakes(call), call.tid.as_raw_pid()))?;
        wakes(first).map(|at| (*first, at))
    }

    /// Goes on to this moment, unless it is over.
    pub(super) fn pass_until(&mut self, moment: Duration) {
        self.passed_over = self.passed_over.saturating_add(moment.saturating_sub(self.now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SystemCall;

    fn call(tid: i32, ran: u64, milliseconds: u64) -> TimedCall {
        let call = SystemCall { number: 230, args: [0; 6] };
        let tid = Pid::from_raw(tid).expect("a number above zero");
        TimedCall { tid, call, seen: call, ran, lasts: Duration::from_millis(milliseconds) }
    }

    #[test]
    fn short_sleeps_without_end_do_not_keep_a_long_one_from_ending() {
        let mut clock = Clock::new(Instant::now());
        let mut woken = 0;
        loop {
            let first = clock.first(&[call(1, 1, 60_000), call(2, woken, 3_000)]);
            let (first, at) = first.expect("two that wait");
            clock.pass_until(at);
            if first.tid.as_raw_pid() == 1 {
                break;
            }
            woken += 1;
        }
        assert_eq!(woken, 19);
        assert!(clock.now() >= Duration::from_secs(60) && clock.passed_over() <= clock.now());
    }

    #[test]
    fn time_never_goes_back() {
        let mut clock = Clock::new(Instant::now());
        clock.pass_until(Duration::from_secs(5));
        let passed = clock.passed_over();
        clock.pass_until(Duration::from_secs(4));
        assert_eq!(clock.passed_over(), passed);
    }

    #[test]
    fn nobody_waits_and_nobody_is_woken() {
        assert_eq!(Clock::new(Instant::now()).first(&[]), None);
    }
}
