//! The time of a run in which sleeps are answered at once.
//!
//! Each thread that waits for a time is noted with the moment at which that ends; whoever comes first is woken, and the
//! clock stands there.
//! So a thread that sleeps a little again and again does not keep another from waking.
//! The clocks that a program reads are not moved on: whoever waits until a point in time finds that it has not come and
//! waits for the rest, and then that wait takes its real time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::rest::TimedCall;

/// When the threads of a run would wake, in time that has passed or was answered.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: Duration,
    /// For each waiting thread, how often it had been on a CPU when it began to wait, and when it will wake.
    alarms: HashMap<Pid, (u64, Duration)>,
    /// The wait that was ended last, and when.
    ended: Option<(TimedCall, Instant)>,
    /// Who waits again for what is left of a wait, and how often it had been on a CPU then.
    insists: Option<(Pid, u64)>,
}

/// How much later than it could a program waits again for what is left.
const LATE: Duration = Duration::from_millis(3);

impl Clock {
    /// The one of these calls to be ended, which is the first; moves the clock on to there.
    pub(super) fn first(&mut self, calls: &[TimedCall]) -> Option<TimedCall> {
        self.alarms.retain(|tid, _| calls.iter().any(|call| call.tid == *tid));
        for call in calls {
            let alarm = (call.turns, self.now.saturating_add(call.lasts));
            let noted = self.alarms.entry(call.tid).or_insert(alarm);
            if noted.0 != call.turns {
                *noted = alarm;
            }
        }
        let wakes = |call: &TimedCall| self.alarms.get(&call.tid).map(|(_, at)| *at);
        let first = calls.iter().min_by_key(|call| (wakes(call), call.tid.as_raw_pid()))?;
        self.now = wakes(first).unwrap_or(self.now);
        if self.has_insisted(first) {
            return None;
        }
        self.ended = Some((*first, Instant::now()));
        Some(*first)
    }

    /// Whether this wait goes on one that was ended just before.
    fn has_insisted(&mut self, call: &TimedCall) -> bool {
        let now = (call.tid, call.turns);
        if self.insists == Some(now) {
            return true;
        }
        if self.insists.take_if(|(tid, _)| *tid == call.tid).is_some() {
            // The real time was given, and this is another wait.
            return false;
        }
        let is_rest = self.ended.as_ref().is_some_and(|(ended, at)| {
            let same = ended.tid == call.tid && ended.call.number == call.call.number;
            let passed = ended.lasts.checked_sub(call.lasts);
            same && !call.is_sleep() && passed.is_some_and(|passed| passed <= at.elapsed() + LATE)
        });
        if is_rest {
            self.insists = Some(now);
        }
        is_rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SystemCall;

    fn call(tid: i32, turns: u64, milliseconds: u64) -> TimedCall {
        let call = SystemCall { number: 230, args: [0; 6] };
        let tid = Pid::from_raw(tid).expect("a number above zero");
        TimedCall { tid, call, seen: call, turns, lasts: Duration::from_millis(milliseconds) }
    }

    #[test]
    fn short_sleeps_without_end_do_not_keep_a_long_one_from_ending() {
        let mut clock = Clock::default();
        let woken =
            (0..30).map(|turn| clock.first(&[call(1, 1, 1000), call(2, turn, 50)]).map(|call| call.tid));
        let long = woken.take_while(|tid| tid.is_some_and(|tid| tid.as_raw_pid() == 2)).count();
        assert_eq!(long, 19);
    }

    #[test]
    fn whoever_waits_again_for_the_rest_is_given_the_real_time_once() {
        let mut clock = Clock::default();
        let mut poll = |turns, milliseconds| {
            let mut call = call(1, turns, milliseconds);
            call.call.number = libc::SYS_ppoll;
            clock.first(&[call]).is_some()
        };
        assert!(poll(1, 100));
        assert!(!poll(2, 99));
        assert!(!poll(2, 98));
        assert!(poll(3, 100));
    }

    #[test]
    fn nobody_waits_and_nobody_is_woken() {
        assert_eq!(Clock::default().first(&[]), None);
    }
}
