//! Memory that processes share: who reaches into it is held, as at any other point, so that a race there is seen.
//!
//! Nothing tells when a process reads or writes memory.
//! So the tracer takes the right to reach what is shared away from each process, which it has the process do itself by
//! mprotect(2): whoever then reaches in stops with SIGSEGV, of which the process never hears.
//! When the schedule lets it go on, it gets the right back for that one instruction.
//! What the kernel reaches on behalf of a call would fail where a process does not, so for those calls that may reach in
//! the right is there until they are through; and only a run under such a schedule knows of all calls.
//!
//! Semaphores are such memory as well: to take one that is free needs no call.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use rustix::process::Pid;

use super::Run;
use crate::model::{Point, Policy};
use crate::observe::{proc, vdso};
use crate::sys::{Event, Stop, Stopped, SystemCall, calls};

/// So many times is somebody held; a program that shares memory all the time is left alone after that.
const MOST_HELD: u32 = 1_000;

/// The rights that are taken and given.
const NONE: u64 = libc::PROT_NONE as u64;
const ALL: u64 = (libc::PROT_READ | libc::PROT_WRITE) as u64;

/// What is known of memory that processes share.
#[derive(Debug, Default)]
pub(super) struct Memory {
    of: HashMap<usize, Shared>,
    /// Processes whose mappings are to be looked at when a call of theirs is through.
    to_look: HashSet<usize>,
    /// Threads in a call that may reach in, with their processes.
    in_call: HashMap<Pid, usize>,
    /// What came to a thread while it made calls and instructions for the tracer.
    owed: HashMap<Pid, Owed>,
    times_held: u32,
}

/// What one process shares.
#[derive(Debug)]
struct Shared {
    /// Where an instruction lies that makes a call.
    call: u64,
    /// Where the process may not reach, but for the moments when it may.
    ranges: Vec<Range<u64>>,
}

impl Shared {
    fn holds(&self, address: u64) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }
}

/// What a thread is still to be told.
#[derive(Debug, Default)]
struct Owed {
    signal: Option<i32>,
    /// It was asked to stop.
    asked: bool,
}

impl Memory {
    /// A process has another program, or none.
    pub(super) fn forget(&mut self, process: usize) {
        self.of.remove(&process);
        self.to_look.remove(&process);
        self.in_call.retain(|_, of| *of != process);
    }

    pub(super) fn forget_thread(&mut self, tid: Pid) {
        self.in_call.remove(&tid);
        self.owed.remove(&tid);
    }
}

impl Run<'_> {
    /// Whether it matters who reaches into shared memory now.
    pub(super) fn watches_memory(&self) -> bool {
        self.plan.schedule.policy == Policy::Memory && self.is_graded_program()
    }

    /// Whether somebody who reaches in is still held.
    fn holds_at_memory(&self) -> bool {
        self.holds(Point::Memory) && self.memory.times_held < MOST_HELD
    }

    /// Whether the signal that a thread is about to get is that it was kept from reaching into shared memory.
    pub(super) fn is_kept_out(&self, stopped: &Stopped, process: usize) -> bool {
        let shared = self.memory.of.get(&process);
        shared.is_some_and(|shared| stopped.refused_address().is_some_and(|address| shared.holds(address)))
    }

    /// A thread is kept from reaching into shared memory: it waits for its turn.
    pub(super) fn kept_out(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        if !self.holds_at_memory() {
            return self.let_in_for_good(stopped, process);
        }
        self.memory.times_held += 1;
        self.hold_or_go_on(stopped, process, Point::Memory, true);
        Ok(())
    }

    /// Lets a thread reach in by the one instruction before which it stands.
    pub(super) fn let_in(&mut self, stopped: Stopped) -> io::Result<()> {
        let Some(process) = self.tree.of_thread(stopped.tid()) else {
            stopped.go_on(None);
            return Ok(());
        };
        let Some(stopped) = self.give_rights(stopped, process, ALL)? else { return Ok(()) };
        let Some(stopped) = self.step(stopped)? else { return Ok(()) };
        let Some(stopped) = self.take_rights(stopped, process)? else { return Ok(()) };
        self.go_on_with_owed(stopped);
        Ok(())
    }

    /// Lets a process reach in from now on.
    fn let_in_for_good(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        let Some(stopped) = self.give_rights(stopped, process, ALL)? else { return Ok(()) };
        self.memory.of.remove(&process);
        self.go_on_with_owed(stopped);
        Ok(())
    }

    /// A process has another one beside it, which has what it has: both are kept out when their calls are through.
    ///
    /// Returns whether that matters.
    pub(super) fn has_a_copy(&mut self, process: usize) -> bool {
        let matters = self.watches_memory() && self.holds_at_memory();
        if matters {
            self.memory.to_look.insert(process);
        }
        matters
    }

    /// A thread is about to make a call: if that may reach in, the right is there as long as it lasts.
    ///
    /// `None` where the thread is not about to make it any more.
    pub(super) fn let_call_in(
        &mut self,
        stopped: Stopped,
        process: usize,
        call: &SystemCall,
    ) -> io::Result<Option<Stopped>> {
        let tid = stopped.tid();
        if calls::shares_memory(call) && self.tree.alive().count() > 1 {
            self.memory.to_look.insert(process);
        }
        let Some(shared) = self.memory.of.get_mut(&process) else { return Ok(Some(stopped)) };
        let reaches_in = calls::may_reach_anywhere(call) || call.args.iter().any(|arg| shared.holds(*arg));
        if !reaches_in || self.memory.in_call.contains_key(&tid) {
            return Ok(Some(stopped));
        }
        let ranges = shared.ranges.clone();
        if calls::moves_memory(call) {
            // What is not there any more nobody can be kept out of.
            shared.ranges.retain(|range| !range.contains(&call.args[0]));
        }
        self.memory.in_call.insert(tid, process);
        self.replace_call(stopped, &ranges)
    }

    /// Has a thread that is about to make a call give its process its rights first; see [`Run::let_call_in`].
    fn replace_call(&mut self, stopped: Stopped, ranges: &[Range<u64>]) -> io::Result<Option<Stopped>> {
        let tid = stopped.tid();
        let Ok(saved) = stopped.save() else { return Ok(Some(stopped)) };
        let mut stopped = stopped;
        for range in ranges {
            let args = [range.start, range.end - range.start, ALL];
            if stopped.replace_call(&saved, libc::SYS_mprotect, args).is_err() {
                return Ok(Some(stopped));
            }
            stopped.finish_call();
            stopped = match self.tracer.wait_for(tid)? {
                Event::Stopped(stopped, Stop::CallDone) => stopped,
                event => return self.told(event).map(|()| None),
            };
            let _ = stopped.put_back_before_call(&saved);
            stopped.go_on(None);
            stopped = match self.tracer.wait_for(tid)? {
                Event::Stopped(stopped, Stop::Call) => stopped,
                event => return self.told(event).map(|()| None),
            };
        }
        Ok(Some(stopped))
    }

    /// Whether a call has to be seen through, since something is to be done behind it.
    pub(super) fn is_seen_through(&self, tid: Pid, process: usize) -> bool {
        self.memory.in_call.contains_key(&tid) || self.memory.to_look.contains(&process)
    }

    /// A call is through: the process is kept out again, and of what it shares now.
    pub(super) fn call_is_through(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        let was_in = self.memory.in_call.remove(&stopped.tid()).is_some();
        let kept_out = match self.memory.to_look.remove(&process) {
            true => self.keep_out(stopped, process)?,
            false if was_in => self.take_rights(stopped, process)?,
            false => Some(stopped),
        };
        if let Some(stopped) = kept_out {
            self.go_on_with_owed(stopped);
        }
        Ok(())
    }

    /// Keeps a process out of all that it shares by now; its thread stands before its next instruction.
    pub(super) fn keep_out(&mut self, stopped: Stopped, process: usize) -> io::Result<Option<Stopped>> {
        let pid = self.tree.member(process).pid;
        let (Some(ranges), Some(call)) = (proc::shared_memory(pid), vdso::call_instruction(pid)) else {
            return Ok(Some(stopped));
        };
        if ranges.is_empty() || !self.holds_at_memory() {
            return Ok(Some(stopped));
        }
        self.memory.of.insert(process, Shared { call, ranges });
        self.take_rights(stopped, process)
    }

    /// Has a process take its rights from itself, unless one of its threads is in a call that needs them.
    fn take_rights(&mut self, stopped: Stopped, process: usize) -> io::Result<Option<Stopped>> {
        match self.memory.in_call.values().any(|of| *of == process) {
            true => Ok(Some(stopped)),
            false => self.give_rights(stopped, process, NONE),
        }
    }

    /// Has a process give itself rights to all that it shares.
    fn give_rights(&mut self, stopped: Stopped, process: usize, rights: u64) -> io::Result<Option<Stopped>> {
        let Some(shared) = self.memory.of.get(&process) else { return Ok(Some(stopped)) };
        let (call, ranges) = (shared.call, shared.ranges.clone());
        let mut stopped = stopped;
        let Ok(saved) = stopped.save() else { return Ok(Some(stopped)) };
        for range in ranges {
            let args = [range.start, range.end - range.start, rights];
            let _ = stopped.put_before_call(&saved, call, libc::SYS_mprotect, args);
            match self.step(stopped)? {
                Some(still) => stopped = still,
                None => return Ok(None),
            }
        }
        let _ = stopped.restore(&saved);
        Ok(Some(stopped))
    }

    /// Has a thread make one instruction; what else comes to it is kept for later.
    ///
    /// `None` where the thread is not there any more.
    fn step(&mut self, stopped: Stopped) -> io::Result<Option<Stopped>> {
        let tid = stopped.tid();
        let mut stopped = stopped;
        loop {
            stopped.step();
            let (still, stop) = match self.tracer.wait_for(tid)? {
                Event::Stopped(still, stop) => (still, stop),
                event => return self.told(event).map(|()| None),
            };
            stopped = still;
            match stop {
                Stop::Signal(libc::SIGTRAP) => return Ok(Some(stopped)),
                Stop::Signal(signal) => {
                    self.memory.owed.entry(tid).or_default().signal = Some(signal);
                    // The instruction's own fault comes again and again.
                    if FAULTS.contains(&signal) {
                        return Ok(Some(stopped));
                    }
                }
                Stop::Asked => self.memory.owed.entry(tid).or_default().asked = true,
                // It belongs to a process that a signal stops: that signal is not for this run.
                Stop::Group => {}
                stop => return self.stopped(stopped, stop).map(|()| None),
            }
        }
    }

    /// Lets a thread go on, with what came to it meanwhile.
    fn go_on_with_owed(&mut self, stopped: Stopped) {
        let owed = self.memory.owed.remove(&stopped.tid()).unwrap_or_default();
        if owed.asked {
            self.end_cut(&stopped);
        }
        stopped.go_on(owed.signal);
    }
}

/// Signals that an instruction brings about itself.
const FAULTS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];
