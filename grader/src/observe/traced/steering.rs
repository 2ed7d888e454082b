//! Holding threads and letting them go on, and what is done when nothing can move.

use std::cell::RefCell;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::Run;
use crate::model::{Ending, Held, Point, Policy};
use crate::observe::awaited::awaited;
use crate::observe::effort::Effort;
use crate::observe::patience::Patience;
use crate::observe::rest::{self, Rest, TimedCall};
use crate::observe::turn::Turn;
use crate::observe::{proc, waits};
use crate::sys::Stopped;

/// How often to look for calls that last until a point in time, while others move; as often as Python's interpreter
/// changes from one thread to another, which it waits for in this way.
const OVERDUE: Duration = Duration::from_millis(5);

impl Run<'_> {
    /// Holds a thread if its schedule does so at this point, and otherwise lets it go on.
    pub(super) fn hold_or_go_on(&mut self, stopped: Stopped, process: usize, point: Point, applies: bool) {
        if !applies || !self.holds(point) {
            return stopped.go_on(None);
        }
        if self.held.is_empty() {
            self.begin_patience();
        }
        self.held.add(Held { process: u32::try_from(process).unwrap_or(u32::MAX), point }, stopped);
    }

    pub(super) fn holds(&self, point: Point) -> bool {
        let is_patient = match self.times_impatient {
            0 => true,
            1 => point == Point::End,
            _ => false,
        };
        is_patient && self.is_graded_program() && self.decider.holds(point)
    }

    /// Whether main has become the program that is graded.
    pub(super) fn is_graded_program(&self) -> bool {
        self.programs > self.plan.wrappers
    }

    /// Looks whether nothing can move, and if so makes something move; returns whether it did.
    pub(super) fn rest(&mut self) -> io::Result<bool> {
        let calls = match self.cut.is_some() || !self.unborn.is_empty() {
            true => None,
            false => self.look(),
        };
        let at_rest = match calls {
            Some(calls) if self.stands_still()? => Some(calls),
            _ => None,
        };
        let Some(calls) = at_rest else {
            self.tell_all_readers();
            self.end_overdue();
            return self.lose_patience();
        };
        if self.serve_streams()? || self.put_writer_last() || self.begin_newborn()? {
            return Ok(true);
        }
        if self.decider.steers() && self.pass_time(&calls)? {
            return Ok(true);
        }
        if !calls.is_empty() {
            return Ok(false);
        }
        if self.holds_somebody() {
            self.release()?;
            return Ok(true);
        }
        Ok(self.stuck())
    }

    /// Looks whether nobody can go on, and if so at the calls that end by themselves.
    ///
    /// Most looks come while one computes and the others wait for it: that one is looked at first.
    fn look(&mut self) -> Option<Vec<TimedCall>> {
        let mut threads = self.free_threads();
        if let Some(place) = threads.iter().position(|tid| Some(*tid) == self.mover) {
            threads.swap(0, place);
        }
        match rest::look(&threads, &self.interrupted, self.clock.passed_over()) {
            Rest::Moving(tid) => {
                self.mover = Some(tid);
                None
            }
            Rest::Still(calls) => Some(calls),
        }
    }

    /// Whether somebody is held who will go on.
    pub(super) fn holds_somebody(&self) -> bool {
        !self.held.is_empty() && self.decider.lets_go()
    }

    /// Ends a call that lasts until a point in time which has come in the run's own time, but not in the kernel's.
    fn end_overdue(&mut self) {
        let is_ahead = !self.clock.passed_over().is_zero();
        if is_ahead && self.cut.is_none() && self.overdue_looked.elapsed() >= OVERDUE {
            self.overdue_looked = Instant::now();
            self.cut = rest::overdue(&self.free_threads(), &self.interrupted, self.clock.passed_over());
            if let Some(cut) = self.cut {
                self.tracer.interrupt(cut.tid);
            }
        }
    }

    /// The threads that move by themselves, if any does: all but those that are stopped here or by a signal, and those
    /// that wait for what they made by vfork(2).
    fn free_threads(&self) -> Vec<Pid> {
        let still: Vec<Pid> = self.still_threads().collect();
        let threads = self.tree.alive().flat_map(|index| self.tree.member(index).to_be_heard_of());
        threads.filter(|tid| !self.tree.is_vforking(*tid) && !still.contains(tid)).collect()
    }

    fn still_threads(&self) -> impl Iterator<Item = Pid> {
        let to_write = self.to_write.iter().map(|(_, stopped)| stopped.tid());
        let newborn = self.newborn.iter().map(Stopped::tid);
        let readings = self.readings.iter().map(|(stopped, _)| stopped.tid());
        self.held.threads().chain(to_write).chain(readings).chain(newborn).chain(self.parked.iter().copied())
    }

    /// Whether those that should stand still do: one may have been killed or continued by somebody who now waits.
    fn stands_still(&self) -> io::Result<bool> {
        Ok(self.still_threads().all(proc::is_traced_stop) && !self.tracer.has_event()?)
    }

    /// Lets others write before one that waits for its own input; returns whether it does.
    fn put_writer_last(&mut self) -> bool {
        let waits = self.writing.filter(|writing| writing.waits_for_input && !self.to_write.is_empty());
        if let Some(writing) = waits {
            // Its call is broken off and made again, which puts it at the end.
            self.tracer.interrupt(writing.tid);
        }
        waits.is_some()
    }

    /// Lets those begin whose maker was killed before it told of them; returns whether there are any.
    fn begin_newborn(&mut self) -> io::Result<bool> {
        let newborn = std::mem::take(&mut self.newborn);
        let any = !newborn.is_empty();
        for stopped in newborn {
            if let Some(process) = self.unannounced.remove(&stopped.tid()) {
                self.begins(stopped, process)?;
            }
        }
        Ok(any)
    }

    fn begin_patience(&mut self) {
        self.patience = Patience::new(self.limits.wall, self.effort());
    }

    /// Lets the one go on that the schedule chooses.
    pub(super) fn release(&mut self) -> io::Result<()> {
        let awaited = || awaited(&self.tree).into_iter().map(|index| index as u32).collect();
        let index = match self.held.passed_over() {
            Some(index) => {
                self.is_unsteered = true;
                index
            }
            None => self.decider.choose(&self.held.points(), awaited),
        };
        let (held, stopped) = self.held.take(index);
        self.begin_patience();
        self.let_go(held, stopped)
    }

    fn let_go(&mut self, held: Held, stopped: Stopped) -> io::Result<()> {
        match held.point {
            Point::Birth | Point::Exec | Point::Parent | Point::Message | Point::HandOver => {
                stopped.go_on(None)
            }
            Point::Output => match stopped.call().ok().and_then(|call| self.output_of(&stopped, &call)) {
                Some(output) => self.begin_write(stopped, output)?,
                None => stopped.go_on(None),
            },
            Point::Memory => self.let_in(stopped)?,
            Point::End => {
                let at = self.at();
                self.tree.ends_now(stopped.tid(), at);
                stopped.go_on(None);
            }
        }
        Ok(())
    }

    /// Lets everybody go on for good, if the run has not come to rest for too long; returns whether it did.
    pub(super) fn lose_patience(&mut self) -> io::Result<bool> {
        let patience = self.patience;
        let is_settled = || self.is_settled(&self.turn_of_patience, patience.since(self.started));
        // Whoever is seen reaching into memory needs not be told from who spins, and such a run has a time of its own.
        let is_lost = || match self.plan.schedule.policy {
            Policy::Memory => patience.is_polling(),
            _ => patience.is_lost(is_settled, || self.effort(), || self.is_out_of_reach()),
        };
        if !self.holds_somebody() || !is_lost() {
            return Ok(false);
        }
        self.times_impatient += 1;
        self.is_unsteered = true;
        for (held, stopped) in self.held.take_all() {
            self.let_go(held, stopped)?;
        }
        Ok(true)
    }

    /// What all living processes have done so far; when their tracer has no CPU, they have none either.
    pub(super) fn effort(&self) -> Effort {
        let mut effort = Effort { starved: proc::starved(rustix::thread::gettid()), ..Effort::default() };
        for member in self.tree.alive().map(|index| self.tree.member(index)) {
            for tid in &member.threads {
                effort += proc::effort(*tid, member.pid == *tid);
            }
        }
        effort
    }

    /// Whether all of that is told: everybody has had a CPU who could run when a time was up.
    pub(super) fn is_settled(&self, turn: &RefCell<Turn>, up: Duration) -> bool {
        let alive = self.tree.alive().flat_map(|index| self.tree.member(index).threads.iter().copied());
        turn.borrow_mut().is_over(up, alive)
    }

    /// Whether no living process could learn from another without a system call.
    fn is_out_of_reach(&self) -> bool {
        self.tree.alive().all(|index| proc::is_out_of_reach(self.tree.member(index).pid))
    }

    /// Nobody can go on and nobody is held: the run is over, unless something outside may wake somebody.
    fn stuck(&mut self) -> bool {
        let may_be_woken = self.tree.alive().any(|index| self.tree.member(index).may_be_woken);
        if may_be_woken || self.tree.alive().next().is_none() {
            return false;
        }
        self.over = Some(match self.main_ended {
            Some(_) => Ending::Finished,
            None if self.is_without_children() => Ending::Finished,
            None => {
                let numbers = self.tree.numbers();
                let label = |index: usize| match numbers.get(index).copied().flatten() {
                    Some(0) => "main".to_owned(),
                    Some(number) => format!("child {number}"),
                    None => "a helper".to_owned(),
                };
                Ending::Deadlocked { waits: waits::explain(&self.tree, &label) }
            }
        });
        true
    }
}
