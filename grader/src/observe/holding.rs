//! Who is held by the schedule, and for how long anybody has been.

use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::model::Held;
use crate::sys::Stopped;

/// The threads that wait for the schedule to let them go on.
#[derive(Debug, Default)]
pub(super) struct Holding {
    held: Vec<(Held, Stopped)>,
    /// Since when somebody has been held without a break.
    since: Option<Instant>,
    /// How long somebody was held before that.
    before: Duration,
}

impl Holding {
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Where they stand, in the order of [`Holding::take`]'s indexes.
    pub(super) fn points(&self) -> Vec<Held> {
        self.held.iter().map(|(held, _)| *held).collect()
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = Pid> {
        self.held.iter().map(|(_, stopped)| stopped.tid())
    }

    pub(super) fn add(&mut self, held: Held, stopped: Stopped) {
        self.since.get_or_insert_with(Instant::now);
        self.held.push((held, stopped));
    }

    pub(super) fn take(&mut self, index: usize) -> (Held, Stopped) {
        let taken = self.held.swap_remove(index);
        self.settle();
        taken
    }

    pub(super) fn take_all(&mut self) -> Vec<(Held, Stopped)> {
        let all = std::mem::take(&mut self.held);
        self.settle();
        all
    }

    /// Drops a thread that has been killed meanwhile.
    pub(super) fn forget(&mut self, tid: Pid) {
        self.held.retain(|(_, stopped)| stopped.tid() != tid);
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
