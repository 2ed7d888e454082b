//! The timers that a steered run has set: those that send a signal, which the tracer sends itself, and descriptors.
//!
//! A timer that sends a signal is never set in the kernel, since it would go off at its real time too; a descriptor is,
//! and is made to go off early where time is passed over.

use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal};
use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec};

use crate::sys::TimerSignal;

/// The shortest time there is.
const SHORTEST: Duration = Duration::from_nanos(1);

/// What happens when a timer goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its process gets SIGALRM.
    Alarm,
    /// A timer of timer_create(2): its process, or a thread of it, gets this signal.
    Created(TimerSignal),
    /// This descriptor of its process can be read.
    Descriptor(u64),
}

impl Kind {
    /// Whether it is the timer of timer_create(2) with this number.
    pub(super) fn is_created(self, number: i32) -> bool {
        matches!(self, Kind::Created(signal) if signal.timer == number)
    }
}

/// One timer that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timer {
    /// Whose it is, by its index in the tree.
    pub(super) process: usize,
    pub(super) kind: Kind,
    /// When it goes off.
    pub(super) at: Duration,
    /// How long after that again; never if zero.
    pub(super) every: Duration,
    /// How much time had been passed over when it was set: with no more since, the kernel's own is on time.
    pub(super) passed_over: Duration,
}

/// All timers that are set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    set: Vec<Timer>,
}

impl Timers {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Timer> {
        self.set.iter()
    }

    /// Sets a timer in place of the one of the same kind that its process has; returns that one.
    pub(super) fn set(&mut self, timer: Timer) -> Option<Timer> {
        let before = self.unset(timer.process, timer.kind);
        self.set.push(timer);
        before
    }

    pub(super) fn unset(&mut self, process: usize, kind: Kind) -> Option<Timer> {
        let place = self.set.iter().position(|timer| timer.process == process && timer.kind == kind)?;
        Some(self.set.swap_remove(place))
    }

    /// A timer of such a kind that its process has set.
    pub(super) fn find(&self, process: usize, is_meant: impl Fn(Kind) -> bool) -> Option<&Timer> {
        self.set.iter().find(|timer| timer.process == process && is_meant(timer.kind))
    }

    /// A process has ended.
    pub(super) fn forget(&mut self, process: usize) {
        self.set.retain(|timer| timer.process != process);
    }

    /// A timer that goes off at `now` or earlier; it is set for its next time, if it has one, which is after `now`.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let place = self.set.iter().position(|timer| timer.at <= now)?;
        let due = self.set[place];
        if due.every.is_zero() {
            self.set.swap_remove(place);
        } else {
            self.set[place].at = due.at.saturating_add(due.every).max(now.saturating_add(SHORTEST));
        }
        Some(due)
    }
}

impl Timer {
    /// Its period, and the time until it goes off.
    pub(super) fn left(&self, now: Duration) -> (Duration, Duration) {
        (self.every, self.at.saturating_sub(now))
    }

    /// Makes it go off; whoever is gone needs no timer.
    pub(super) fn go_off(&self, pid: Pid, passed_over: Duration) {
        match self.kind {
            Kind::Alarm => {
                let _ = rustix::process::kill_process(pid, Signal::ALARM);
            }
            Kind::Created(signal) => signal.send(pid),
            Kind::Descriptor(number) if passed_over != self.passed_over => {
                let _ = self.set_off(pid, number);
            }
            Kind::Descriptor(_) => {}
        }
    }

    /// Sets the timer behind a descriptor of another process to the shortest time there is.
    fn set_off(&self, pid: Pid, number: u64) -> rustix::io::Result<()> {
        let process = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        let number = i32::try_from(number).map_err(|_| rustix::io::Errno::BADF)?;
        let timer = rustix::process::pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        let every = Timespec::try_from(self.every).map_err(|_| rustix::io::Errno::INVAL)?;
        let soon = Itimerspec { it_interval: every, it_value: Timespec { tv_sec: 0, tv_nsec: 1 } };
        rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &soon).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(process: usize, at: u64, every: u64) -> Timer {
        let (at, every) = (Duration::from_secs(at), Duration::from_secs(every));
        Timer { process, kind: Kind::Alarm, at, every, passed_over: Duration::ZERO }
    }

    #[test]
    fn a_process_has_one_alarm() {
        let mut timers = Timers::default();
        assert_eq!(timers.set(timer(0, 5, 0)), None);
        assert_eq!(timers.set(timer(1, 5, 0)), None);
        assert_eq!(timers.set(timer(0, 7, 0)), Some(timer(0, 5, 0)));
        assert_eq!(timers.iter().count(), 2);
    }

    #[test]
    fn a_timer_goes_off_once_or_again_and_again() {
        let mut timers = Timers::default();
        timers.set(timer(0, 5, 0));
        timers.set(timer(1, 3, 2));
        let mut due = |now| timers.take_due(Duration::from_secs(now)).map(|timer| timer.process);
        assert_eq!(
            [due(2), due(3), due(4), due(5), due(5), due(5)],
            [None, Some(1), None, Some(0), Some(1), None]
        );
    }

    #[test]
    fn a_timer_that_cannot_keep_up_goes_off_once_at_a_time() {
        let mut timers = Timers::default();
        timers.set(Timer { every: SHORTEST, ..timer(0, 1, 0) });
        timers.set(timer(1, 1, u64::MAX));
        let mut due = || timers.take_due(Duration::from_secs(9)).map(|timer| timer.process);
        assert_eq!([due(), due(), due()], [Some(0), Some(1), None]);
    }
}
