//! The end of a run: nothing of it is left, and what was seen becomes a record.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::time::GENEROUS;
use super::{Run, TracedRun, kill};
use crate::model::{Ending, Held, Limit, Limits, Line, Observation, RunRecord};
use crate::observe::run_folder::RunFolder;
use crate::observe::stray::{self, Marks};
use crate::observe::{limit, machine};
use crate::sys::{Event, Stop};

/// How long everything may take to end once it has been killed.
const END_TIME: Duration = Duration::from_secs(2);

/// How long to wait for an end before everybody is looked at again, where no bell rings.
const PAUSE: Duration = Duration::from_millis(1);

/// What is told where bytes came out that nobody was seen to write.
const UNKNOWN_WRITER: &str =
    "Something was printed in a way that the grader cannot follow, so nobody knows by whom.";

impl Run<'_> {
    /// Ends all that is left of the run.
    pub(super) fn end(mut self, folder: &RunFolder) -> io::Result<Self> {
        let left = self.tree.alive().next().is_some();
        self.kill_all()?;
        let clean = self.keeper.take().is_some_and(|keeper| keeper.end().clean);
        if !clean && left {
            stray::end_strays(&Marks { session: Some(self.main), variable: &folder.mark() });
        }
        for output in 0..self.outputs.len() {
            let writing = self.writing.filter(|writing| writing.output == output);
            let writer = writing.and_then(|writing| writing.writer);
            self.drain(output, writer)?;
        }
        Ok(self)
    }

    /// Kills every process and sees it end; whoever was born too late to be in the record is none of it.
    fn kill_all(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + END_TIME;
        let mut strangers: HashSet<Pid> = HashSet::new();
        self.kill_alive(&strangers);
        while Instant::now() < deadline {
            let left = self.tree.alive().next().is_some() || !strangers.is_empty();
            if !left && !self.tracer.has_event()? {
                break;
            }
            let heard = match self.keeper {
                Some(_) => Some(self.tracer.wait()?),
                None => self.tracer.wait_at_most(PAUSE)?,
            };
            match heard {
                Some(Event::Stopped(stopped, stop)) => {
                    let born = match stop {
                        Stop::Made { child, .. } => child,
                        _ => stopped.tid(),
                    };
                    let is_known =
                        self.tree.of_thread(born).is_some() || self.unannounced.contains_key(&born);
                    if !is_known && strangers.insert(born) {
                        kill(born, Signal::KILL);
                    }
                    stopped.go_on(None);
                }
                Some(Event::Ended(tid, _)) if self.is_keeper(tid) => self.keeper = None,
                Some(Event::Ended(tid, _)) => {
                    if !strangers.remove(&tid) && self.tree.of_thread(tid).is_none() {
                        // Its maker may still tell of it.
                        self.unannounced.insert(tid, 0);
                    }
                    self.tree.killed(tid);
                }
                Some(Event::NothingLeft) => break,
                Some(Event::Bell) => self.kill_alive(&strangers),
                None => {}
            }
        }
        Ok(())
    }

    fn kill_alive(&self, strangers: &HashSet<Pid>) {
        let alive = self.tree.alive().map(|index| self.tree.member(index).pid);
        alive.chain(strangers.iter().copied()).for_each(|pid| kill(pid, Signal::KILL));
    }

    pub(super) fn into_record(mut self, ending: Ending, limits: &Limits) -> TracedRun {
        let wall = self.main_ended.unwrap_or(self.stopped);
        let mut seen_all = true;
        let mut rest: Vec<Line> = Vec::new();
        for output in self.outputs {
            seen_all &= !output.has_unknown;
            rest.extend(output.finish());
        }
        self.lines.append(&mut rest);
        // A line without a newline stands where it was written, with others behind it perhaps.
        self.lines.sort_by_key(|line| line.at);
        let (processes, numbers) = self.tree.into_record();
        for line in &mut self.lines {
            line.writer = line.writer.and_then(|index| numbers.get(index as usize).copied().flatten());
        }
        let main = processes.first();
        let cpu = main.zip(main.and_then(|main| main.status));
        let ending = match cpu {
            Some((main, status)) if limit::ended_for_cpu(status, main.cpu, limits) => {
                Ending::LimitExceeded(Limit::Cpu)
            }
            _ => ending,
        };
        let observation = if seen_all {
            Observation::Full
        } else {
            Observation::OutputOnly { reason: UNKNOWN_WRITER.to_owned() }
        };
        let number = |held: &Held| numbers.get(held.process as usize).copied().flatten();
        let steps = self.decider.choices().iter();
        let steps =
            steps.filter_map(|choice| Some(Held { process: number(&choice.who)?, ..choice.who })).collect();
        // Only who has given up already in a run in which that long was passed over may have been right to on a busy
        // machine: others fail for another reason, and that is to be seen.
        let kept_waiting = self.plan.most_passed.map_or(Duration::ZERO, |_| self.kept_from_cpus);
        let is_late = self.passed_over_held.saturating_add(kept_waiting) >= GENEROUS;
        let waiters = self.waiters.iter().filter(|_| is_late);
        let hurried = waiters.filter_map(|index| numbers.get(*index).copied().flatten()).collect();
        let record = RunRecord {
            schedule: self.plan.schedule,
            steps,
            observation,
            machine: machine(),
            processes,
            lines: self.lines,
            ending,
            wall,
        };
        TracedRun {
            record,
            choices: self.decider.choices().to_vec(),
            wrappers: self.wrappers,
            sharing: self.sharing,
            sends_messages: self.messages.are_sent,
            asks_for_terminal: self.asks_for_terminal,
            is_disturbed: self.memory.is_disturbed,
            hurried,
            longest_wait: self.longest_wait,
            is_unsteered: self.is_unsteered,
            kept_waiting: self.kept_from_cpus,
        }
    }
}
