//! Passing over time: what is done when nothing but time can move a run.
//!
//! A wait that would end first is made to end at once, as if its time were over, and the clocks that the submission
//! reads go on to that moment.
//! So a sleep in place of a join, a deadline that is looked at again and again and a timer that is waited for cost
//! no time and never help.
//!
//! A right program may wait with a generous timeout for something that comes at once, unless its maker is held.
//! Whether it is right shows in what it does when that timeout is over: a wrong one goes on as if nothing had happened,
//! a right one gives up and says so.
//! So whose waits were ended is told with the run ([`TracedRun::hurried`](super::TracedRun)), and a run by a
//! [more patient](super::Plan::more_patient) plan lets somebody go on rather than so much time pass.
//! The end of a wait that is as long as the run's time limit no run would see, so then too somebody goes on.

use std::io;
use std::time::Duration;

use rustix::process::Pid;
use rustix::time::ClockId;

use super::Run;
use crate::observe::rest::{TimedCall, words};
use crate::observe::timers::{Kind, Timer};
use crate::observe::{proc, vdso};
use crate::sys::{Stopped, SystemCall};

/// A timeout of a second is a safety net, as one that is shorter cannot be: a new process may take as long to begin.
///
/// Less what may go by until it is seen that somebody waits.
pub(super) const GENEROUS: Duration = Duration::from_millis(900);

/// What is left of a wait, at least, when it is seen that somebody waits: this part of it.
pub(super) const NEARLY: f64 = 0.9;

/// Whoever looks so many times at a clock, or for what may have happened, while nothing else happens, waits by it.
const MANY_READINGS: u32 = 64;

/// The time from one such reading to the next.
const READING: Duration = Duration::from_millis(20);

/// The clocks of a process with more threads than this are redirected only when time has been passed over: Python's
/// interpreter has each that waits for its turn read a clock every 5 ms.
const FEW_THREADS: usize = 8;

/// The one thing that time brings next.
#[derive(Debug, Clone, Copy)]
enum Next {
    Call(TimedCall),
    /// The reading at this place.
    Reading(usize),
    Timer(Timer),
}

impl Run<'_> {
    /// Passes over the time until something happens; returns whether anything does by time alone.
    pub(super) fn pass_time(&mut self, calls: &[TimedCall]) -> io::Result<bool> {
        let Some((at, next)) = self.next_in_time(calls) else { return Ok(false) };
        let ahead = at.saturating_sub(self.clock.now());
        if self.holds_somebody() {
            let is_long_sleep = matches!(next, Next::Call(call) if call.is_sleep() && call.lasts >= GENEROUS);
            let wait = if is_long_sleep { Duration::ZERO } else { ahead };
            let waited_over = self.waited_over.saturating_add(wait);
            let is_too_long = wait >= self.limits.wall
                || !is_long_sleep && self.plan.most_passed.is_some_and(|most| waited_over >= most);
            if is_too_long {
                self.release()?;
                return Ok(true);
            }
            self.patience.passed(ahead);
            if self.lose_patience()? {
                return Ok(true);
            }
            self.waited_over = waited_over;
            self.longest_wait = self.longest_wait.max(wait);
            self.passed_over_held = self.passed_over_held.saturating_add(ahead);
            self.waiters.extend(self.process_of(next));
        }
        if self.clock.passed_over().is_zero() {
            // Nobody runs now, so nobody runs in the code that is overwritten.
            let alive: Vec<usize> = self.tree.alive().collect();
            alive.into_iter().for_each(|index| self.redirect_clocks(index));
        }
        self.clock.pass_until(at);
        match next {
            Next::Call(call) => {
                self.cut = Some(call);
                self.tracer.interrupt(call.tid);
            }
            Next::Reading(place) => {
                let (stopped, call) = self.readings.swap_remove(place);
                self.tell_time(stopped, &call);
            }
            Next::Timer(_) => self.let_timers_go_off(),
        }
        Ok(true)
    }

    /// Makes a process read clocks by calls, which can be answered; none of its threads runs now.
    pub(super) fn redirect_clocks(&mut self, process: usize) {
        let member = self.tree.member_mut(process);
        if !member.clocks_redirected {
            // Where that is not possible, it reads the clocks as they are.
            let _ = vdso::redirect(member.pid);
            member.clocks_redirected = true;
        }
    }

    /// The same for one that begins to have children, so that it is seen if it waits for them by looking at a clock.
    ///
    /// Not where another of its threads may be running.
    pub(super) fn redirect_clocks_early(&mut self, maker: Pid, process: usize) {
        let member = self.tree.member(process);
        let rests =
            |tid: &Pid| *tid == maker || proc::activity(*tid).is_some_and(|activity| activity.call.is_some());
        if !member.clocks_redirected
            && member.threads.len() <= FEW_THREADS
            && member.threads.iter().all(rests)
        {
            self.redirect_clocks(process);
        }
    }

    /// What comes first, and when.
    fn next_in_time(&mut self, calls: &[TimedCall]) -> Option<(Duration, Next)> {
        let call = self.clock.first(calls).map(|(call, at)| (at, Next::Call(call)));
        // While somebody is held, a timer that nobody waits for is a safety net.
        let is_awaited = |timer: &&Timer| !self.holds_somebody() || self.is_awaited(timer);
        let timer = self.timers.iter().filter(is_awaited).min_by_key(|timer| timer.at);
        let timer = timer.map(|timer| (timer.at, Next::Timer(*timer)));
        let reading =
            (!self.readings.is_empty()).then(|| (self.clock.now().saturating_add(READING), Next::Reading(0)));
        [call, timer, reading].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn process_of(&self, next: Next) -> Option<usize> {
        match next {
            Next::Call(call) => self.tree.of_thread(call.tid),
            Next::Reading(place) => self.tree.of_thread(self.readings.get(place)?.0.tid()),
            Next::Timer(timer) => Some(timer.process),
        }
    }

    /// Whether a timer's process waits for nothing but this timer.
    fn is_awaited(&self, timer: &Timer) -> bool {
        let waits = |call: SystemCall| match (timer.kind, call.number) {
            #[cfg(target_arch = "x86_64")]
            (Kind::Alarm | Kind::Created(_), libc::SYS_pause) => true,
            (Kind::Alarm | Kind::Created(_), libc::SYS_rt_sigsuspend | libc::SYS_rt_sigtimedwait) => true,
            (Kind::Descriptor(number), libc::SYS_read) => call.args[0] == number,
            _ => false,
        };
        let call = |tid: &Pid| proc::activity(*tid).and_then(|activity| activity.call);
        self.tree.member(timer.process).threads.iter().filter_map(call).any(waits)
    }

    /// Lets every timer go off whose time has come, once each however short its period is.
    pub(super) fn let_timers_go_off(&mut self) {
        let now = self.clock.now();
        while let Some(timer) = self.timers.take_due(now) {
            timer.go_off(self.tree.member(timer.process).pid, self.clock.passed_over());
        }
    }

    /// A thread looks at a clock, or for something that may have happened; it is answered when nothing else has, so that
    /// many who look keep nobody waiting.
    pub(super) fn looks(&mut self, stopped: Stopped, call: SystemCall) {
        *self.reads.entry(stopped.tid()).or_default() += 1;
        self.readings.push((stopped, call));
    }

    /// Answers those who read a clock, but for those who do nothing else while others are held; returns whether there are
    /// any.
    pub(super) fn tell_readers(&mut self) -> bool {
        let waits = |run: &Run, stopped: &Stopped| {
            run.holds_somebody() && run.reads.get(&stopped.tid()).is_some_and(|times| *times >= MANY_READINGS)
        };
        let (waiting, told): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.readings).into_iter().partition(|(stopped, _)| waits(self, stopped));
        self.readings = waiting;
        let any = !told.is_empty();
        told.into_iter().for_each(|(stopped, call)| self.tell_time(stopped, &call));
        any
    }

    /// Answers all who read a clock.
    pub(super) fn tell_all_readers(&mut self) {
        for (stopped, call) in std::mem::take(&mut self.readings) {
            self.tell_time(stopped, &call);
        }
    }

    /// Answers a look at a clock; the kernel does as long as no time was passed over, and any other look.
    fn tell_time(&self, stopped: Stopped, call: &SystemCall) {
        if !self.clock.passed_over().is_zero()
            && let Some(answer) = self.time(stopped.tid(), call)
        {
            let _ = stopped.answer_call(answer);
        }
        match self.tree.of_thread(stopped.tid()) {
            Some(process) => self.go_on_into_call(stopped, process),
            None => stopped.go_on(None),
        }
    }

    /// Writes the time to where a call wants it; returns the call's result, and none for what the kernel has to answer.
    fn time(&self, tid: Pid, call: &SystemCall) -> Option<i64> {
        let (clock, address, fraction) = match call.number {
            libc::SYS_clock_gettime => (clock(call.args[0] as i32)?, call.args[1], 1),
            libc::SYS_gettimeofday if call.args[1] == 0 => (ClockId::Realtime, call.args[0], 1_000),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_time if call.args[0] == 0 => {
                return Some(self.ahead(ClockId::Realtime)?.as_secs().cast_signed());
            }
            _ => return None,
        };
        let time = self.ahead(clock)?;
        let words = [time.as_secs(), u64::from(time.subsec_nanos() / fraction)];
        proc::overwrite(tid, address, words.map(u64::to_ne_bytes).as_flattened()).map(|()| 0)
    }

    /// What a clock shows in this run.
    fn ahead(&self, clock: ClockId) -> Option<Duration> {
        let time = rustix::time::clock_gettime(clock);
        Duration::try_from(time).ok()?.checked_add(self.clock.passed_over())
    }

    /// A call that sets, reads or deletes a timer; returns its result, and none for one that the kernel has to make.
    pub(super) fn timer_call(&mut self, tid: Pid, process: usize, call: &SystemCall) -> Option<i64> {
        let args = call.args;
        match call.number {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_alarm => {
                let seconds = Duration::from_secs(args[0] & u64::from(u32::MAX));
                let left = self.set_timer(process, Kind::Alarm, Duration::ZERO, seconds);
                Some(left.map_or(0, |(_, left)| left.as_secs().max(1).cast_signed()))
            }
            libc::SYS_setitimer if args[0] as i32 == libc::ITIMER_REAL && args[1] != 0 => {
                let [every, value] = spans(tid, args[1], 1_000)?;
                let left = self.set_timer(process, Kind::Alarm, every, value).unwrap_or_default();
                write_spans(tid, args[2], left, 1_000);
                Some(0)
            }
            libc::SYS_timer_settime if args[2] != 0 => {
                let (clock, signal) = proc::created_timer(tid, args[0] as i32)?;
                let [every, value] = spans(tid, args[2], 1)?;
                let is_until = args[1] as i32 & libc::TIMER_ABSTIME != 0;
                let value = if is_until { until(value, self.ahead(clock)?) } else { value };
                let left = self.set_timer(process, Kind::Created(signal), every, value).unwrap_or_default();
                write_spans(tid, args[3], left, 1);
                Some(0)
            }
            libc::SYS_getitimer if args[0] as i32 == libc::ITIMER_REAL => {
                let alarm = self.timers.find(process, |kind| kind == Kind::Alarm)?;
                write_spans(tid, args[1], alarm.left(self.clock.now()), 1_000);
                Some(0)
            }
            libc::SYS_timer_gettime => {
                let timer = self.timers.find(process, |kind| kind.is_created(args[0] as i32))?;
                write_spans(tid, args[1], timer.left(self.clock.now()), 1);
                Some(0)
            }
            libc::SYS_timer_delete => {
                let timer = *self.timers.find(process, |kind| kind.is_created(args[0] as i32))?;
                self.timers.unset(process, timer.kind);
                None
            }
            libc::SYS_timerfd_settime => {
                let [every, value] = spans(tid, args[2], 1)?;
                let is_until = args[1] as i32 & libc::TFD_TIMER_ABSTIME != 0;
                let realtime = Duration::try_from(rustix::time::clock_gettime(ClockId::Realtime)).ok()?;
                // Which clock it has is not told here; a point in time that is decades away is one of real time.
                let clock = if value > realtime / 2 { ClockId::Realtime } else { ClockId::Monotonic };
                let value = if is_until { until(value, self.ahead(clock)?) } else { value };
                self.set_timer(process, Kind::Descriptor(args[0]), every, value);
                None
            }
            _ => None,
        }
    }

    /// Sets a timer, or unsets it for a time of zero; returns what was left of the one before: its period and its time.
    fn set_timer(
        &mut self,
        process: usize,
        kind: Kind,
        every: Duration,
        value: Duration,
    ) -> Option<(Duration, Duration)> {
        let now = self.clock.now();
        let before = if value.is_zero() {
            self.timers.unset(process, kind)
        } else {
            let passed_over = self.clock.passed_over();
            self.timers.set(Timer { process, kind, at: now.saturating_add(value), every, passed_over })
        };
        before.map(|timer| timer.left(now))
    }
}

/// The clocks that time passes on; those of CPU time are none.
fn clock(number: i32) -> Option<ClockId> {
    match number {
        libc::CLOCK_REALTIME => Some(ClockId::Realtime),
        libc::CLOCK_REALTIME_COARSE => Some(ClockId::RealtimeCoarse),
        libc::CLOCK_MONOTONIC => Some(ClockId::Monotonic),
        libc::CLOCK_MONOTONIC_COARSE => Some(ClockId::MonotonicCoarse),
        libc::CLOCK_MONOTONIC_RAW => Some(ClockId::MonotonicRaw),
        libc::CLOCK_BOOTTIME => Some(ClockId::Boottime),
        _ => None,
    }
}

/// How long it is until a point in time; zero, which stands for no timer, is left.
fn until(point: Duration, now: Duration) -> Duration {
    if point.is_zero() { point } else { point.saturating_sub(now).max(Duration::from_nanos(1)) }
}

/// Two spans of seconds and a fraction of so many nanoseconds each, as in `struct itimerval` and `struct itimerspec`; none
/// for what the kernel refuses.
fn spans(tid: Pid, address: u64, fraction: u64) -> Option<[Duration; 2]> {
    let span = |address| {
        let [seconds, part] = words(tid, address)?;
        let nanos = part.checked_mul(fraction).and_then(|nanos| u32::try_from(nanos).ok());
        let nanos = nanos.filter(|nanos| *nanos < 1_000_000_000)?;
        i64::try_from(seconds).ok().map(|_| Duration::new(seconds, nanos))
    };
    Some([span(address)?, span(address.wrapping_add(16))?])
}

/// Writes them to where a call wants them, if it does.
fn write_spans(tid: Pid, address: u64, spans: (Duration, Duration), fraction: u32) {
    if address != 0 {
        let words =
            [spans.0, spans.1].map(|span| [span.as_secs(), u64::from(span.subsec_nanos() / fraction)]);
        let words = words.as_flattened().iter().flat_map(|word| word.to_ne_bytes());
        proc::overwrite(tid, address, &words.collect::<Vec<_>>());
    }
}
