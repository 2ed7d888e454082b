//! Work on its way through a pool: a job is one `map` or `apply`, a chunk some of its calls that travel
//! together.
//!
//! The manager moves chunks and bytes, and knows no types. Each chunk carries the way back to whoever waits,
//! and ends in exactly one of two ways: all its outcomes were delivered, or, when it is dropped before, the
//! loss is reported. So nobody can wait for a chunk that does not exist any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use crate::ipc::frame::Payload;
use crate::ipc::message::EntryRef;
use crate::ipc::outcome::{self, Failure};
use crate::ipc::records;

/// What comes back to the submitter of a job.
pub(super) enum Delivery {
    /// The outcomes of the calls from this index on.
    Outcomes { first: usize, outcomes: Payload },
    /// Some of the calls will never have an outcome: the pool is no more.
    Lost,
}

/// One `map` or `apply`.
pub(super) struct Job {
    pub(super) function: EntryRef,
    /// Whether a failure makes the calls after it pointless.
    stops_at_failure: bool,
    /// Calls from this index on are wanted no more. Only ever lowered; Relaxed, since it guards no other
    /// data.
    wanted: AtomicUsize,
    deliveries: Sender<Delivery>,
}

impl Job {
    pub(super) fn new(function: EntryRef, stops_at_failure: bool, deliveries: Sender<Delivery>) -> Job {
        Job { function, stops_at_failure, wanted: AtomicUsize::new(usize::MAX), deliveries }
    }

    /// Sends outcomes back. Nobody may be waiting any more, which is no fault.
    pub(super) fn deliver(&self, first: usize, outcomes: Payload) {
        let _ = self.deliveries.send(Delivery::Outcomes { first, outcomes });
    }

    /// Sends back that one call failed, and gives up the calls after it if the job is of that kind.
    pub(super) fn deliver_failure(&self, index: usize, failure: &Failure) {
        let mut outcomes = Vec::new();
        outcome::append_failure(&mut outcomes, failure);
        self.note_failure(index);
        self.deliver(index, outcomes.into());
    }

    /// Gives up the calls after a failed one, if the job is of that kind; says whether that is news.
    pub(super) fn note_failure(&self, index: usize) -> bool {
        self.stops_at_failure && self.give_up_from(index + 1)
    }

    /// Gives up the calls from this index on; says whether that is news.
    pub(super) fn give_up_from(&self, index: usize) -> bool {
        self.wanted.fetch_min(index, Ordering::Relaxed) > index
    }

    pub(super) fn wants(&self, index: usize) -> bool {
        index < self.wanted.load(Ordering::Relaxed)
    }
}

/// Calls of one job that go to a worker together.
pub(super) struct Chunk {
    pub(super) job: Arc<Job>,
    /// The index of the first call in the job.
    first: usize,
    /// How many calls.
    count: usize,
    /// How many of them have their outcome delivered.
    done: usize,
    /// All arguments, as a row of records.
    arguments: Arc<Vec<u8>>,
}

impl Chunk {
    pub(super) fn new(job: Arc<Job>, first: usize, count: usize, arguments: Vec<u8>) -> Chunk {
        Chunk { job, first, count, done: 0, arguments: Arc::new(arguments) }
    }

    /// The index of the first call without an outcome.
    pub(super) fn next(&self) -> usize {
        self.first + self.done
    }

    /// How many calls are without an outcome.
    pub(super) fn left(&self) -> usize {
        self.count - self.done
    }

    /// Whether anyone wants the calls that are left.
    pub(super) fn is_wanted(&self) -> bool {
        self.left() > 0 && self.job.wants(self.next())
    }

    /// The arguments, and where those of the calls that are left begin.
    pub(super) fn arguments(&self) -> (Arc<Vec<u8>>, usize) {
        let mut rest = self.arguments.as_slice();
        for _ in 0..self.done {
            // They are this process's own writing, so they are whole.
            let _ = records::take_first(&mut rest);
        }
        (Arc::clone(&self.arguments), self.arguments.len() - rest.len())
    }

    /// Delivers the outcomes of the next `count` calls. The caller has made sure that there are so many left.
    pub(super) fn deliver(&mut self, count: usize, outcomes: Payload) {
        let first = self.next();
        self.done += count;
        self.job.deliver(first, outcomes);
    }

    /// Delivers that the next call failed.
    pub(super) fn deliver_failure(&mut self, failure: &Failure) {
        let index = self.next();
        self.done += 1;
        self.job.deliver_failure(index, failure);
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if self.is_wanted() {
            let _ = self.job.deliveries.send(Delivery::Lost);
        }
    }
}
