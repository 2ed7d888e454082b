//! Who is held by the schedule, and for how long anybody has been.

use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::model::Held;
use crate::sys::Stopped;

/// So many others may go before somebody who is held.
const MOST_PASSED: u32 = 128;

/// The threads that wait for the schedule to let them go on.
#[derive(Debug, Default)]
pub(super) struct Holding {
    held: Vec<(Held, Stopped)>,
    /// How many others went on since each was held, in the same order.
    passed: Vec<u32>,
    /// Since when somebody has been held without a break.
    since: Option<Instant>,
    /// How long somebody was held before that.
    before: Duration,
}

impl Holding {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Where they stand, in the order in which they came to be held; so are [`Holding::take`]'s indexes.
    pub(super) fn points(&self) -> Vec<Held> {
        self.held.iter().map(|(held, _)| *held).collect()
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = Pid> {
        self.held.iter().map(|(_, stopped)| stopped.tid())
    }

    pub(super) fn add(&mut self, held: Held, stopped: Stopped) {
        self.since.get_or_insert_with(Instant::now);
        self.held.push((held, stopped));
        self.passed.push(0);
    }

    /// Somebody whom very many others went before: they may be asking for that one.
    pub(super) fn passed_over(&self) -> Option<usize> {
        self.passed.iter().position(|times| *times >= MOST_PASSED)
    }

    pub(super) fn take(&mut self, index: usize) -> (Held, Stopped) {
        let taken = self.held.remove(index);
        self.passed.remove(index);
        self.passed.iter_mut().for_each(|times| *times += 1);
        self.settle();
        taken
    }

    pub(super) fn take_all(&mut self) -> Vec<(Held, Stopped)> {
        let all = std::mem::take(&mut self.held);
        self.passed.clear();
        self.settle();
        all
    }

    /// Drops a thread that has been killed meanwhile.
    pub(super) fn forget(&mut self, tid: Pid) {
        while let Some(index) = self.held.iter().position(|(_, stopped)| stopped.tid() == tid) {
            self.held.remove(index);
            self.passed.remove(index);
        }
        self.settle();
    }

    /// For how long somebody has been held, all in all.
    pub(super) fn time(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The same without the time since somebody has been held now: it stays as it is as long as that goes on.
    pub(super) fn time_before(&self) -> Duration {
        self.before
    }

    fn settle(&mut self) {
        if self.held.is_empty() {
            self.before += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}
