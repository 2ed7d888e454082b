//! Memory that processes share: who reaches into it is held, as at any other point, so that a race there is seen.
//!
//! Nothing tells when a process reads or writes memory.
//! So the tracer takes the right to reach what is shared away from each process, which it has the process do itself by
//! mprotect(2): whoever then reaches in stops with SIGSEGV, of which the process never hears.
//! When the schedule lets it go on, it gets the right back for that one instruction.
//! What the kernel reaches on behalf of a call would fail where a process does not, so for those calls that may reach in
//! the right is there until they are through; and only a run under such a schedule knows of all calls.
//! Semaphores are such memory as well: to take one that is free needs no call.
//!
//! A program must not be blamed for what is done to it here.
//! So whatever could not have come out in the same way without ends the run, which then proves nothing.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::time::Duration;

use rustix::process::Pid;

use super::Run;
use super::errand::{quieten, unquieten};
use crate::model::{Ending, Point, Policy};
use crate::observe::{proc, vdso};
use crate::sys::{Stop, Stopped, SystemCall, calls, robust_list};

/// So many times is somebody held; a program that shares memory all the time is left alone after that.
const MOST_HELD: u32 = 1_000;

/// A process that shares more pieces of memory is left alone.
const MOST_RANGES: usize = 64;

/// How long such a run takes at most; each call and each access takes many times as long as without it.
pub(super) const TIME: Duration = Duration::from_secs(15);

/// The rights that are taken and given.
const NONE: u64 = libc::PROT_NONE as u64;
const ALL: u64 = (libc::PROT_READ | libc::PROT_WRITE) as u64;

/// What is known of memory that processes share.
#[derive(Debug, Default)]
pub(super) struct Memory {
    of: HashMap<usize, Shared>,
    /// Processes whose mappings are to be looked at when a call of theirs is through.
    to_look: HashSet<usize>,
    /// Threads in a call that may reach in, with whose memory it is.
    in_call: HashMap<Pid, usize>,
    /// Threads that were asked to stop while they did something for the tracer.
    pub(super) asked: HashSet<Pid>,
    /// Who tries again to reach in where its process may by now.
    trying_again: Option<(Pid, u64)>,
    times_held: u32,
    /// Whether something happened that might not have without this.
    pub(super) is_disturbed: bool,
}

/// What one process shares.
#[derive(Debug, Clone)]
struct Shared {
    /// Where an instruction lies that makes a call.
    call: u64,
    /// Where the process may not reach, but for the moments when it may.
    ranges: Vec<Range<u64>>,
    /// Whether it may reach there for good.
    is_open: bool,
}

impl Shared {
    fn holds(&self, address: u64) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// Whether a call's arguments lead there: one that is an address, or the beginning of as many bytes as the next says.
    fn is_reached_by(&self, call: &SystemCall) -> bool {
        let runs_into = |pair: &[u64]| {
            let is_length = pair[0] > 1 << 16 && pair[1] < 1 << 32;
            is_length
                && self.ranges.iter().any(|range| overlap(range, &(pair[0]..pair[0].saturating_add(pair[1]))))
        };
        call.args.iter().any(|arg| self.holds(*arg)) || call.args.windows(2).any(runs_into)
    }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
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
        self.asked.remove(&tid);
    }

    /// A copy of a process is kept out of what that one is.
    pub(super) fn inherit(&mut self, copy: usize, from: usize) {
        if let Some(shared) = self.of.get(&from).cloned() {
            self.of.insert(copy, shared);
        }
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

    /// The process whose memory a process uses: its own, or its maker's as long as that one waits in vfork(2).
    pub(super) fn memory_of(&self, process: usize) -> usize {
        let mut owner = process;
        while self.tree.lacks_program(owner)
            && let Some(maker) = self.tree.member(owner).parent
            && maker < owner
        {
            owner = maker;
        }
        owner
    }

    /// The run proves nothing any more, and is over.
    pub(super) fn disturbed(&mut self) {
        self.memory.is_disturbed = true;
        self.over = Some(Ending::Finished);
    }

    /// Whether the signal that a thread is about to get is that it was kept from reaching into shared memory.
    pub(super) fn is_kept_out(&self, stopped: &Stopped, process: usize) -> bool {
        let Some(shared) = self.memory.of.get(&self.memory_of(process)) else { return false };
        let address = stopped.refused_address().filter(|address| shared.holds(*address));
        address.is_some_and(|address| self.memory.trying_again != Some((stopped.tid(), address)))
    }

    /// A thread is kept from reaching into shared memory: it waits for its turn.
    pub(super) fn kept_out(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        let owner = self.memory_of(process);
        let Some(shared) = self.memory.of.get(&owner) else {
            stopped.go_on(Some(libc::SIGSEGV));
            return Ok(());
        };
        if shared.is_open {
            // Another thread of its process was let in for good meanwhile.
            self.memory.trying_again = stopped.refused_address().map(|address| (stopped.tid(), address));
            stopped.go_on(None);
            return Ok(());
        }
        if stopped.save().is_ok_and(|saved| shared.holds(saved.stack())) {
            // A handler of signals could not be called on such a stack.
            self.disturbed();
            return Ok(());
        }
        if !self.holds_at_memory() {
            return self.let_in_for_good(stopped, owner);
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
        let owner = self.memory_of(process);
        let mask = quieten(&stopped);
        let Some(stopped) = self.give_rights(stopped, owner, ALL)? else { return Ok(()) };
        let Some((stopped, signal)) = self.step(stopped)? else { return Ok(()) };
        if signal != libc::SIGTRAP {
            // The instruction's own fault, which has to be told as it is: nothing may come between.
            if let Some(shared) = self.memory.of.get_mut(&owner) {
                shared.is_open = true;
            }
            unquieten(&stopped, mask);
            stopped.go_on(Some(signal));
            return Ok(());
        }
        let Some(stopped) = self.take_rights(stopped, owner)? else { return Ok(()) };
        unquieten(&stopped, mask);
        self.go_on_from_errand(stopped);
        Ok(())
    }

    /// Lets a process reach in from now on.
    fn let_in_for_good(&mut self, stopped: Stopped, owner: usize) -> io::Result<()> {
        let mask = quieten(&stopped);
        let Some(stopped) = self.give_rights(stopped, owner, ALL)? else { return Ok(()) };
        if let Some(shared) = self.memory.of.get_mut(&owner) {
            shared.is_open = true;
        }
        unquieten(&stopped, mask);
        self.go_on_from_errand(stopped);
        Ok(())
    }

    /// A process has another one beside it, which has what it has: both are kept out when their calls are through.
    ///
    /// Returns whether that matters.
    pub(super) fn has_a_copy(&mut self, process: usize) -> bool {
        let matters = self.watches_memory() && self.holds_at_memory();
        if matters {
            self.memory.to_look.insert(self.memory_of(process));
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
        let owner = self.memory_of(process);
        let may_share = calls::shares_memory(call) || calls::opens_memory(call);
        if may_share && self.tree.alive().count() > 1 {
            self.memory.to_look.insert(owner);
        }
        let Some(shared) = self.memory.of.get_mut(&owner).filter(|shared| !shared.is_open) else {
            return Ok(Some(stopped));
        };
        let has_handlers_there = call.number == libc::SYS_sigaltstack
            && proc::memory(tid, call.args[0]).is_some_and(|stack| shared.holds(u64::from_ne_bytes(stack)));
        if calls::defies_memory(call) || has_handlers_there {
            self.disturbed();
            return Ok(None);
        }
        if self.memory.in_call.contains_key(&tid) {
            return Ok(Some(stopped));
        }
        let gone = calls::changed_memory(call);
        let changes =
            gone.as_ref().is_some_and(|gone| shared.ranges.iter().any(|range| overlap(range, gone)));
        if !changes && !calls::may_reach_anywhere(call) && !shared.is_reached_by(call) {
            return Ok(Some(stopped));
        }
        let ranges = shared.ranges.clone();
        // What the program does with its memory itself is left to it.
        shared.ranges.retain(|range| !gone.as_ref().is_some_and(|gone| overlap(range, gone)));
        self.replace_call(stopped, owner, ranges)
    }

    /// Has a thread that is about to make a call give its process its rights first; see [`Run::let_call_in`].
    fn replace_call(
        &mut self,
        stopped: Stopped,
        owner: usize,
        ranges: Vec<Range<u64>>,
    ) -> io::Result<Option<Stopped>> {
        let tid = stopped.tid();
        let (Some((first, others)), Ok(saved)) = (ranges.split_first(), stopped.save()) else {
            return Ok(Some(stopped));
        };
        let mask = quieten(&stopped);
        let _ = stopped.replace_call(&saved, libc::SYS_mprotect, arguments(first, ALL));
        stopped.finish_call();
        let Some((stopped, _)) = self.stop_for(tid, |stop| stop == Stop::CallDone)? else { return Ok(None) };
        let _ = stopped.put_back_before_call(&saved);
        let Some(stopped) = self.make_calls(stopped, owner, others, ALL)? else { return Ok(None) };
        stopped.go_on(None);
        let Some((stopped, _)) = self.stop_for(tid, |stop| stop == Stop::Call)? else { return Ok(None) };
        unquieten(&stopped, mask);
        self.memory.in_call.insert(tid, owner);
        Ok(Some(stopped))
    }

    /// Whether a call has to be seen through, since something is to be done behind it.
    pub(super) fn is_seen_through(&self, tid: Pid, process: usize) -> bool {
        let owner = self.memory_of(process);
        self.memory.of.get(&owner).is_some_and(|shared| !shared.is_open)
            || self.memory.in_call.contains_key(&tid)
            || self.memory.to_look.contains(&owner)
    }

    /// Lets a thread go on into a call, and sees it through where that matters.
    pub(super) fn go_on_into_call(&self, stopped: Stopped, process: usize) {
        match self.is_seen_through(stopped.tid(), process) {
            true => stopped.finish_call(),
            false => stopped.go_on(None),
        }
    }

    /// A call is through: the process is kept out again, and of what it shares now.
    pub(super) fn call_is_through(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        let owner = self.memory_of(process);
        if !self.is_seen_through(stopped.tid(), process) {
            stopped.go_on(None);
            return Ok(());
        }
        let result = stopped.save().map_or(0, |saved| saved.result());
        if result == -i64::from(libc::EFAULT) {
            self.disturbed();
            return Ok(());
        }
        if calls::is_interrupted(result) {
            // A signal comes next, by a mask that may be of the call's own; nothing may come between.
            stopped.go_on(None);
            return Ok(());
        }
        let was_in = self.memory.in_call.remove(&stopped.tid()).is_some();
        let is_looked_at = self.memory.to_look.remove(&owner);
        if !was_in && !is_looked_at {
            stopped.go_on(None);
            return Ok(());
        }
        let mask = quieten(&stopped);
        let kept_out = match is_looked_at {
            true => self.keep_out(stopped, owner)?,
            false => self.take_rights(stopped, owner)?,
        };
        if let Some(stopped) = kept_out {
            unquieten(&stopped, mask);
            self.go_on_from_errand(stopped);
        }
        Ok(())
    }

    /// A process is about to run for the first time: it is kept out of what it shares.
    pub(super) fn keep_newborn_out(
        &mut self,
        stopped: Stopped,
        process: usize,
    ) -> io::Result<Option<Stopped>> {
        if !self.watches_memory() || self.tree.lacks_program(process) {
            return Ok(Some(stopped));
        }
        let mask = quieten(&stopped);
        let stopped = self.keep_out(stopped, process)?;
        if let Some(stopped) = &stopped {
            unquieten(stopped, mask);
        }
        Ok(stopped)
    }

    /// Keeps a process out of all that it shares by now; its thread stands before its next instruction.
    fn keep_out(&mut self, stopped: Stopped, owner: usize) -> io::Result<Option<Stopped>> {
        let pid = self.tree.member(owner).pid;
        let (Some(mapped), Some(call)) = (proc::shared_memory(pid), vdso::call_instruction(pid)) else {
            return Ok(Some(stopped));
        };
        let known = self.memory.of.remove(&owner).map_or_else(Vec::new, |shared| shared.ranges);
        // Memory that a program has closed itself is left to it.
        let is_ours = |range: &Range<u64>| known.iter().any(|known| overlap(known, range));
        let ranges = mapped.into_iter().filter(|mapped| mapped.is_reached || is_ours(&mapped.range));
        let ranges: Vec<Range<u64>> = ranges.map(|mapped| mapped.range).collect();
        if ranges.is_empty() {
            return Ok(Some(stopped));
        }
        let is_open = !self.holds_at_memory() || ranges.len() > MOST_RANGES;
        self.memory.of.insert(owner, Shared { call, ranges, is_open });
        match is_open {
            // It may be a copy of one that is kept out.
            true if known.is_empty() => Ok(Some(stopped)),
            true => self.give_rights(stopped, owner, ALL),
            false => self.take_rights(stopped, owner),
        }
    }

    /// Has a process take its rights from itself, unless it has them for good or for a call of one of its threads.
    fn take_rights(&mut self, stopped: Stopped, owner: usize) -> io::Result<Option<Stopped>> {
        let is_open = self.memory.of.get(&owner).is_none_or(|shared| shared.is_open);
        match is_open || self.memory.in_call.values().any(|of| *of == owner) {
            true => Ok(Some(stopped)),
            false => self.give_rights(stopped, owner, NONE),
        }
    }

    /// Has a process give itself rights to all that it shares.
    fn give_rights(&mut self, stopped: Stopped, owner: usize, rights: u64) -> io::Result<Option<Stopped>> {
        let Some(shared) = self.memory.of.get(&owner) else { return Ok(Some(stopped)) };
        let ranges = shared.ranges.clone();
        self.make_calls(stopped, owner, &ranges, rights)
    }

    /// Has a thread, which stands before its next instruction, make a call for each range.
    fn make_calls(
        &mut self,
        stopped: Stopped,
        owner: usize,
        ranges: &[Range<u64>],
        rights: u64,
    ) -> io::Result<Option<Stopped>> {
        let place = self.memory.of.get(&owner).map(|shared| shared.call);
        let (Some(place), Ok(mut saved)) = (place, stopped.save()) else { return Ok(Some(stopped)) };
        let mut stopped = stopped;
        for range in ranges {
            let _ = stopped.put_before_call(&saved, place, libc::SYS_mprotect, arguments(range, rights));
            match self.step(stopped)? {
                Some((still, libc::SIGTRAP)) => stopped = still,
                Some(_) => {
                    self.disturbed();
                    return Ok(None);
                }
                None => return Ok(None),
            }
            let _ = stopped.correct(&mut saved);
        }
        let _ = stopped.restore(&saved);
        Ok(Some(stopped))
    }

    /// A thread is about to end: the kernel looks for locks that it holds, and would not find those that it is kept from.
    pub(super) fn leaves_memory(&mut self, tid: Pid, process: usize) {
        let Some(shared) = self.memory.of.get(&self.memory_of(process)).filter(|shared| !shared.is_open)
        else {
            return;
        };
        let first = robust_list(tid).and_then(|head| proc::memory(tid, head)).map(u64::from_ne_bytes);
        if first.is_some_and(|first| shared.holds(first)) {
            self.disturbed();
        }
    }
}

/// The arguments by which a process gives itself rights.
fn arguments(range: &Range<u64>, rights: u64) -> [u64; 4] {
    [range.start, range.end - range.start, rights, calls::OWN_MARK]
}
