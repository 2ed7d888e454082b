//! What is done about each stop and end of a run's threads.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use rustix::process::{Pid, Signal};

use super::{MOST_CHILDREN_ENDED, Run, Writing, kill};
use crate::model::{Ending, ExitStatus, Limit, Point};
use crate::observe::sharing::Sharing;
use crate::observe::{proc, rest};
use crate::sys::{Report, Stop, Stopped, SystemCall, calls};

impl Run<'_> {
    pub(super) fn stopped(&mut self, stopped: Stopped, stop: Stop) -> io::Result<()> {
        let tid = stopped.tid();
        // Whatever was known of a stop before this one is over: the thread was killed or continued meanwhile.
        self.forget_stop(tid);
        let process = self.tree.of_thread(tid).unwrap_or_else(|| self.unannounced(tid));
        let is_first = self.unborn.remove(&tid);
        if stop != Stop::Call {
            self.reads.clear();
        }
        // Any other stop takes the place of the one that was asked for.
        if stop != Stop::Asked
            && let Some(cut) = self.cut.take_if(|cut| cut.tid == tid)
            && stop == Stop::CallDone
        {
            // The call ends for that one, which is still to come.
            self.cut = Some(cut);
            self.tracer.interrupt(tid);
        }
        match stop {
            Stop::Made { child, vfork } => self.made(stopped, process, child, vfork)?,
            Stop::VforkDone => {
                self.tree.vfork_done(tid);
                stopped.go_on(None);
            }
            Stop::Executed { former } => self.executed(stopped, process, former)?,
            Stop::Exiting => {
                let at = self.at();
                self.ended += proc::effort(tid, self.tree.member(process).pid == tid);
                self.leaves_memory(tid, process);
                let is_last = self.tree.exiting(tid, process, at);
                self.end_write(tid)?;
                let may_be_held = process != 0 && is_last && !self.tree.lacks_program(process);
                self.hold_or_go_on(stopped, process, Point::End, may_be_held);
            }
            Stop::Call => self.call(stopped, process)?,
            Stop::CallDone => {
                self.end_write(tid)?;
                if let Some(stopped) = self.has_handed_over(stopped, process) {
                    self.call_is_through(stopped, process)?;
                }
            }
            Stop::Signal(libc::SIGSEGV) if self.is_kept_out(&stopped, process) => {
                self.kept_out(stopped, process)?;
            }
            Stop::Signal(signal) => {
                self.note_interrupted(&stopped);
                stopped.go_on(Some(signal));
            }
            Stop::Group => {
                self.note_interrupted(&stopped);
                self.parked.insert(tid);
                stopped.stay_stopped();
            }
            Stop::Asked if is_first => self.first_stop(stopped, process)?,
            Stop::Asked => {
                self.end_cut(&stopped);
                stopped.go_on(None);
            }
        }
        Ok(())
    }

    /// Notes a thread that is heard of before its maker told of it, if that ever does; returns its process.
    fn unannounced(&mut self, tid: Pid) -> usize {
        let process = self.register(tid);
        self.unannounced.insert(tid, process);
        process
    }

    /// Notes a thread of which nothing was known; returns its process.
    fn register(&mut self, tid: Pid) -> usize {
        self.unborn.insert(tid);
        let family = proc::family(tid);
        let parent = family.as_ref().and_then(|family| family.parent);
        let process = family.map(|family| family.process).filter(|process| *process != tid);
        if let Some(process) = process.and_then(|process| self.tree.of_thread(process)) {
            self.tree.add_thread(tid, process);
            return process;
        }
        let parent = parent.and_then(|parent| self.tree.of_thread(parent));
        let at = self.at();
        let process = self.tree.add_process(tid, parent, at);
        if self.tree.alive().count() as u64 > self.limits.processes {
            self.over = Some(Ending::LimitExceeded(Limit::Processes));
        }
        process
    }

    fn made(&mut self, stopped: Stopped, process: usize, child: Pid, vfork: bool) -> io::Result<()> {
        let new = self.unannounced.remove(&child).unwrap_or_else(|| self.register(child));
        if new != process && new != 0 {
            self.tree.made_by(new, process);
            // What it has a descriptor of may wake it as it may wake its maker.
            self.tree.member_mut(new).may_be_woken |= self.tree.member(process).may_be_woken;
            let maker = self.tree.member(process).pid;
            if proc::family(child).is_some_and(|family| family.parent != Some(maker)) {
                self.tree.made_as_sibling(new, process);
            }
        }
        if vfork && self.tree.of_thread(child).is_some() {
            self.tree.vforked(stopped.tid(), child);
        }
        if new != process && !vfork {
            self.memory.inherit(new, self.memory_of(process));
        }
        if let Some(index) = self.newborn.iter().position(|newborn| newborn.tid() == child) {
            let newborn = self.newborn.swap_remove(index);
            self.begins(newborn, new)?;
        }
        if new != process && self.is_graded_program() && self.decider.steers() {
            self.redirect_clocks_early(stopped.tid(), process);
        }
        if new != process && self.has_a_copy(process) {
            stopped.finish_call();
            return Ok(());
        }
        // The maker of a thread is not the parent of a process.
        self.hold_or_go_on(stopped, process, Point::Parent, new != process);
        Ok(())
    }

    /// A thread is about to run for the first time; a process waits for its maker to tell by which call it made it.
    fn first_stop(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        if self.tree.member(process).pid != stopped.tid() {
            stopped.go_on(None);
        } else if self.unannounced.contains_key(&stopped.tid()) {
            self.newborn.push(stopped);
        } else {
            self.begins(stopped, process)?;
        }
        Ok(())
    }

    /// A process is about to run for the first time.
    pub(super) fn begins(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        let Some(stopped) = self.keep_newborn_out(stopped, process)? else { return Ok(()) };
        let is_graded = self.is_without_children() && self.is_graded_program();
        if is_graded && !self.plan.schedule.missing().contains(&(self.tree.children_before(process) + 1)) {
            self.tree.member_mut(process).spared = true;
        } else if is_graded && !self.plan.schedule.leaves_standing() {
            kill(stopped.tid(), Signal::KILL);
            self.children_ended += 1;
            if self.children_ended > MOST_CHILDREN_ENDED {
                self.over = Some(Ending::Finished);
            }
        }
        let may_be_held = match self.is_without_children() {
            true => !self.tree.member(process).spared,
            // While a process made by vfork(2) stands, so does its maker, with whatever lock it holds.
            false => !self.tree.lacks_program(process),
        };
        self.hold_or_go_on(stopped, process, Point::Birth, may_be_held);
        Ok(())
    }

    fn executed(&mut self, stopped: Stopped, process: usize, former: Pid) -> io::Result<()> {
        let tid = stopped.tid();
        // The first thread, whose number this one has now, ended without a word.
        self.end_write(tid)?;
        self.cut = self.cut.filter(|cut| cut.tid != tid && cut.tid != former);
        self.interrupted.remove(&tid);
        self.memory.forget(process);
        let point = if self.tree.lacks_program(process) { Point::Birth } else { Point::Exec };
        if process == 0
            && self.programs > 0
            && self.wrappers + 1 == self.programs
            && self.tree.has_done_nothing()
        {
            self.wrappers += 1;
            self.tree.forget_helpers();
        }
        self.tree.executed(tid, former);
        if !self.clock.passed_over().is_zero() {
            self.redirect_clocks(process);
        }
        self.programs += u32::from(process == 0);
        let may_be_held = process != 0 && !self.tree.member(process).spared;
        self.hold_or_go_on(stopped, process, point, may_be_held);
        Ok(())
    }

    /// A call that the filter picked out.
    fn call(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        // Without an answer the thread has been killed, and going on does no more harm.
        let Ok(call) = stopped.call() else {
            stopped.go_on(None);
            return Ok(());
        };
        let mut stopped = stopped;
        if self.watches_memory() {
            match self.let_call_in(stopped, process, &call)? {
                Some(still) => stopped = still,
                None => return Ok(()),
            }
        }
        let Some(stopped) = self.let_hand_over(stopped, &call) else { return Ok(()) };
        if calls::asks_for_terminal(&call) {
            self.asks_for_terminal(&stopped, &call);
            self.go_on_into_call(stopped, process);
            return Ok(());
        }
        if !calls::is_of_interest(&call) {
            self.sharing = self.sharing.max(self.shared_by(&stopped, &call));
            if let Some(adopts) = calls::adopts(&call) {
                self.tree.member_mut(process).adopts = adopts;
            }
            self.go_on_into_call(stopped, process);
            return Ok(());
        }
        if calls::is_look(&call) {
            self.looks(stopped, call);
            return Ok(());
        }
        self.reads.clear();
        if let Some(number) = calls::written_to(&call) {
            let target = proc::descriptor(stopped.tid(), number);
            match self.output_at(target.as_deref()) {
                Some(_) if self.holds(Point::Output) => {
                    self.hold_or_go_on(stopped, process, Point::Output, true);
                }
                Some(output) => self.begin_write(stopped, output)?,
                None => self.sends(stopped, process, target.as_deref()),
            }
        } else if calls::is_kill(&call) {
            self.kill_call(stopped, process, &call);
        } else {
            self.waker(stopped, process, &call);
        }
        Ok(())
    }

    /// What a call is to map that others may map too.
    fn shared_by(&self, stopped: &Stopped, call: &SystemCall) -> Sharing {
        if !self.is_graded_program() || !calls::shares_memory(call) {
            return Sharing::Nothing;
        }
        let file = calls::mapped_file(call).and_then(|file| proc::descriptor(stopped.tid(), file));
        Sharing::by(&file.unwrap_or_default())
    }

    /// A call that may have its process woken later.
    fn waker(&mut self, stopped: Stopped, process: usize, call: &SystemCall) {
        let answer = if self.decider.steers() { self.timer_call(stopped.tid(), process, call) } else { None };
        match answer {
            Some(answer) => {
                let _ = stopped.answer_call(answer);
            }
            None => self.tree.member_mut(process).may_be_woken |= calls::is_waker(call),
        }
        self.go_on_into_call(stopped, process);
    }

    /// The output that a call writes to.
    pub(super) fn output_of(&self, stopped: &Stopped, call: &SystemCall) -> Option<usize> {
        self.output_at(proc::descriptor(stopped.tid(), calls::written_to(call)?).as_deref())
    }

    /// The output that a descriptor leads to, by where it leads.
    fn output_at(&self, target: Option<&str>) -> Option<usize> {
        target.and_then(|target| self.outputs.iter().position(|output| output.is(target)))
    }

    /// Lets a write through, or lets it wait until the one before it is through.
    pub(super) fn begin_write(&mut self, stopped: Stopped, output: usize) -> io::Result<()> {
        if self.writing.is_some() {
            self.to_write.push_back((output, stopped));
            return Ok(());
        }
        // What is there already somebody else wrote, whom nobody saw.
        self.drain(output, None)?;
        let tid = stopped.tid();
        let waits_for_input = stopped.call().is_ok_and(|call| calls::waits_for_input(&call));
        self.writing = Some(Writing { tid, writer: self.tree.of_thread(tid), output, waits_for_input });
        stopped.finish_call();
        Ok(())
    }

    /// Takes what a thread has written, if it was writing, and lets the next one write.
    fn end_write(&mut self, tid: Pid) -> io::Result<()> {
        let Some(writing) = self.writing.filter(|writing| writing.tid == tid) else { return Ok(()) };
        self.drain(writing.output, writing.writer)?;
        self.writing = None;
        match self.to_write.pop_front() {
            Some((output, next)) => self.begin_write(next, output),
            None => Ok(()),
        }
    }

    /// Lets a signal reach the submission's own processes, and nobody else.
    fn kill_call(&mut self, stopped: Stopped, process: usize, call: &SystemCall) {
        let target = match calls::signal_target(call) {
            calls::Target::Descriptor(pidfd) if !proc::is_pidfd(stopped.tid(), pidfd) => {
                // Linux takes a process's folder in /proc for one too, of which nobody could tell whose it is.
                let _ = stopped.answer_call(-i64::from(libc::EBADF));
                return self.go_on_into_call(stopped, process);
            }
            // Whose process has ended has none.
            calls::Target::Descriptor(pidfd) => {
                proc::pidfd_target(stopped.tid(), pidfd).map_or(0, Pid::as_raw_pid)
            }
            calls::Target::Number(number) => number,
        };
        if target == -1 {
            // Everybody means everybody here; see kill(2) on a pid of -1, which leaves out the caller.
            let others: Vec<usize> = self.tree.alive().filter(|index| *index != process).collect();
            if let Some(signal) = calls::signal(call).and_then(Signal::from_named_raw) {
                others.iter().for_each(|index| kill(self.tree.member(*index).pid, signal));
            }
            let answer = if others.is_empty() { -i64::from(libc::ESRCH) } else { 0 };
            let _ = stopped.answer_call(answer);
        } else if let Some(pid) = Pid::from_raw(target.saturating_abs())
            && self.tree.of_number(pid).is_none()
            && self.tree.of_thread(pid).is_none()
            && Path::new(&format!("/proc/{}", pid.as_raw_pid())).exists()
        {
            let _ = stopped.answer_call(-i64::from(libc::EPERM));
        }
        self.go_on_into_call(stopped, process);
    }

    /// A thread stopped since it was asked to: its call ends as if its time were over.
    pub(super) fn end_cut(&mut self, stopped: &Stopped) {
        let tid = stopped.tid();
        match self.cut.take_if(|cut| cut.tid == tid) {
            // It may have woken by itself since it was looked at, and be in another call by now.
            Some(cut) if stopped.interrupted_call() == Some(cut.seen) => {
                let _ = stopped.end_interrupted_call(rest::result_of_timeout(&cut));
            }
            _ => self.note_interrupted(stopped),
        }
    }

    /// Remembers the call that a stop interrupted, if it goes on by another that tells nothing of it.
    fn note_interrupted(&mut self, stopped: &Stopped) {
        let call = stopped.interrupted_call().filter(|call| call.number != libc::SYS_restart_syscall);
        if let Some(call) = call {
            self.interrupted.insert(stopped.tid(), call);
        }
    }

    pub(super) fn ended(&mut self, tid: Pid, status: i32) -> io::Result<()> {
        if self.is_keeper(tid) {
            // Nobody rings any more, and whoever loses its parent is handed to a stranger.
            self.keeper = None;
            self.over = Some(Ending::Finished);
            return Ok(());
        }
        self.forget_stop(tid);
        if self.tree.of_thread(tid).is_none() {
            if !proc::family(tid).is_some_and(|family| family.process == tid) {
                // A thread of which nothing else is known; its maker may still tell of it.
                self.unannounced.insert(tid, 0);
                return Ok(());
            }
            self.unannounced(tid);
        }
        self.end_write(tid)?;
        self.reads.clear();
        self.unborn.remove(&tid);
        self.interrupted.remove(&tid);
        self.memory.forget_thread(tid);
        self.messages.forget_thread(tid);
        self.cut.take_if(|cut| cut.tid == tid);
        let at = self.at();
        if let Some(process) =
            self.tree.of_thread(tid).filter(|process| self.tree.member(*process).pid == tid)
        {
            self.timers.forget(process);
            self.memory.forget(process);
        }
        self.tree.ended(tid, exit_status(status), at);
        if tid == self.main && self.main_ended.is_none() {
            self.main_ended = Some(at);
            self.hear_of_start()?;
        }
        Ok(())
    }

    pub(super) fn is_keeper(&self, tid: Pid) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.pid() == tid)
    }

    /// Drops what was known of a stop of this thread.
    fn forget_stop(&mut self, tid: Pid) {
        self.held.forget(tid);
        self.to_write.retain(|(_, stopped)| stopped.tid() != tid);
        self.newborn.retain(|stopped| stopped.tid() != tid);
        self.readings.retain(|(stopped, _)| stopped.tid() != tid);
        self.parked.remove(&tid);
    }

    /// Whether main could not become its program; the keeper knows.
    fn hear_of_start(&mut self) -> io::Result<()> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        while keeper.has_report() {
            match keeper.next_report()? {
                Some(Report::NotStarted { step, errno }) => self.not_started = Some((step, errno)),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }
}

fn exit_status(wait_status: i32) -> ExitStatus {
    let status = std::process::ExitStatus::from_raw(wait_status);
    status.signal().map_or_else(|| ExitStatus::Code(status.code().unwrap_or(0)), ExitStatus::Signal)
}
