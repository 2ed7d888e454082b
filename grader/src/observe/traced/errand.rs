//! What a stopped thread does for the tracer: one instruction, or a call of the tracer's own, and nothing else.
//!
//! Other threads are not heard of meanwhile, so that it has to be done at once.

use std::io;
use std::time::Duration;

use rustix::process::Pid;

use super::Run;
use crate::sys::{Event, Stop, Stopped};

/// How long one instruction of a thread may take, or one call of the tracer's: each is done at once, unless somebody
/// else in the program has to do something first, who may be waiting for the tracer.
const MOMENT: Duration = Duration::from_secs(2);

/// Signals that an instruction brings about itself, SIGTRAP among them.
const FAULTS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

impl Run<'_> {
    /// Has a thread make one instruction: tells the signal by which it stopped then, SIGTRAP or the instruction's fault.
    ///
    /// `None` where the thread is not there any more, or the run is over.
    pub(super) fn step(&mut self, stopped: Stopped) -> io::Result<Option<(Stopped, i32)>> {
        let tid = stopped.tid();
        stopped.step();
        let is_fault = |stop| matches!(stop, Stop::Signal(signal) if FAULTS.contains(&signal));
        Ok(match self.stop_for(tid, is_fault)? {
            Some((stopped, _)) if stopped.is_signal_of_another() => {
                self.disturbed();
                None
            }
            Some((stopped, Stop::Signal(signal))) => Some((stopped, signal)),
            _ => None,
        })
    }

    /// The stop that a thread comes to next, which is to be such a one; that it was asked to stop is kept for later.
    ///
    /// `None` where the thread is not there any more, or the run is over.
    pub(super) fn stop_for(
        &mut self,
        tid: Pid,
        is_awaited: impl Fn(Stop) -> bool,
    ) -> io::Result<Option<(Stopped, Stop)>> {
        loop {
            match self.tracer.wait_for(tid, MOMENT)? {
                Some(Event::Stopped(stopped, stop)) if is_awaited(stop) => return Ok(Some((stopped, stop))),
                Some(Event::Stopped(stopped, Stop::Asked)) => {
                    self.memory.asked.insert(tid);
                    // It was about to come to that stop, and still is.
                    if is_awaited(Stop::Signal(libc::SIGTRAP)) {
                        stopped.step();
                    } else if is_awaited(Stop::Call) {
                        stopped.go_on(None);
                    } else {
                        stopped.finish_call();
                    }
                }
                Some(Event::Stopped(stopped, stop @ (Stop::Exiting | Stop::Executed { .. }))) => {
                    return self.stopped(stopped, stop).map(|()| None);
                }
                Some(Event::Ended(tid, status)) => return self.ended(tid, status).map(|()| None),
                Some(Event::Bell | Event::NothingLeft) => return Ok(None),
                Some(Event::Stopped(..)) | None => {
                    self.disturbed();
                    return Ok(None);
                }
            }
        }
    }

    /// Lets a thread go on that did something for the tracer.
    pub(super) fn go_on_from_errand(&mut self, stopped: Stopped) {
        if self.memory.asked.remove(&stopped.tid()) {
            self.end_cut(&stopped);
        }
        stopped.go_on(None);
    }
}

/// Keeps signals from a thread while it does something for the tracer, but for those of its own instructions; returns the
/// mask that it had.
pub(super) fn quieten(stopped: &Stopped) -> Option<u64> {
    let faults = FAULTS.iter().fold(0, |faults, signal| faults | 1_u64 << (signal - 1));
    let mask = stopped.signal_mask().ok()?;
    stopped.set_signal_mask(!faults).ok().map(|()| mask)
}

pub(super) fn unquieten(stopped: &Stopped, mask: Option<u64>) {
    if let Some(mask) = mask {
        let _ = stopped.set_signal_mask(mask);
    }
}
