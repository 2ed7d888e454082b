//! Work on its way through a pool: a job is one `map` or `apply`, and its calls travel in chunks.
//!
//! The manager moves calls and bytes, and knows no types. Calls stand in rows, many chunks of them in one where
//! chunks are small, and rows are cut and joined without a look at each call. Each row carries the way back to
//! whoever waits, and ends in exactly one of two ways: all its outcomes were delivered, or, when it is dropped
//! before, the loss is reported. So nobody can wait for a call that does not exist any more.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::callbacks::Bell;
use super::deliveries::{Deliveries, Delivery};
use crate::ipc::attachments::Attachment;
use crate::ipc::frame::Payload;
use crate::ipc::message::Work;
use crate::ipc::outcome::{self, Failure};
use crate::ipc::records;

/// One `map` or `apply`.
pub(super) struct Job {
    pub(super) work: Work,
    /// Whether a failure makes the calls after it pointless.
    stops_at_failure: bool,
    /// How often a call is made again whose worker has died.
    retries: u32,
    /// Calls from this index on are wanted no more. Only ever lowered; Relaxed, since it guards no other
    /// data.
    wanted: AtomicUsize,
    /// What is on its way back to the submitter.
    pub(super) deliveries: Deliveries,
    /// Rung at each delivery, where a callback waits for the result.
    bell: OnceLock<Bell>,
}

impl Job {
    pub(super) fn new(work: Work, stops_at_failure: bool, retries: u32) -> Job {
        let deliveries = Deliveries::default();
        let wanted = AtomicUsize::new(usize::MAX);
        Job { work, stops_at_failure, retries, wanted, deliveries, bell: OnceLock::new() }
    }

    /// Sends outcomes back.
    pub(super) fn deliver(&self, first: usize, outcomes: Payload) {
        self.send(Delivery::Outcomes { first, outcomes });
    }

    fn send(&self, delivery: Delivery) {
        self.deliveries.send(delivery);
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    /// Has this bell rung at each delivery from now on.
    pub(super) fn hang_up(&self, bell: Bell) {
        // A handle gives itself away to its callback, so there is one bell at most.
        let _ = self.bell.set(bell);
    }

    /// Tells whoever waits that it is their turn to look after the workers.
    pub(super) fn deliver_turn(&self) {
        self.deliveries.send(Delivery::Drive);
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

    #[inline]
    pub(super) fn wants(&self, index: usize) -> bool {
        index < self.wanted.load(Ordering::Relaxed)
    }
}

/// Some calls of one job, in a row, that are not done.
pub(super) struct Calls {
    pub(super) job: Arc<Job>,
    /// The index of the first call in the job.
    first: usize,
    count: usize,
    /// How many of them have their outcome delivered.
    done: usize,
    /// A call that was made again since its worker had died: its index, and how often that was.
    retried: Option<(usize, u32)>,
    /// How many make a chunk.
    per_chunk: usize,
    /// Arguments, as a row of records; those of these calls stand from `start` to `end`.
    arguments: Arc<Vec<u8>>,
    /// Memory that goes along with all of the row.
    attached: Vec<Attachment>,
    start: usize,
    end: usize,
}

impl Calls {
    pub(super) fn new(
        job: Arc<Job>,
        first: usize,
        count: usize,
        per_chunk: usize,
        arguments: Vec<u8>,
        attached: Vec<Attachment>,
    ) -> Calls {
        let end = arguments.len();
        Calls {
            job,
            first,
            count,
            done: 0,
            retried: None,
            per_chunk,
            arguments: Arc::new(arguments),
            attached,
            start: 0,
            end,
        }
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

    /// How many chunks the calls that are left make.
    pub(super) fn chunks(&self) -> usize {
        self.left().div_ceil(self.per_chunk)
    }

    /// The chunk behind the first `calls`, whose arguments take so many bytes: how many calls it has, and where
    /// its arguments stand. None of these calls is done.
    ///
    /// Chunks begin and end with a run of arguments: so they were submitted.
    pub(super) fn chunk_after(&self, calls: usize, bytes: usize) -> Option<(usize, Range<usize>)> {
        let start = self.start + bytes;
        let most = self.per_chunk.min(self.count - calls);
        let (count, length) = runs(&self.arguments[start..self.end], most);
        (count > 0).then_some((count, start..start + length))
    }

    /// The arguments of the next chunk, which has so many calls, with what goes along.
    pub(super) fn payload(&self, calls: usize) -> Payload {
        let start = self.start + runs(&self.arguments[self.start..self.end], self.done).1;
        let place = start..start + runs(&self.arguments[start..self.end], calls).1;
        Payload::part_with(&self.arguments, place, &self.attached)
    }

    /// Whether memory goes along with the arguments.
    pub(super) fn has_attached(&self) -> bool {
        !self.attached.is_empty()
    }

    pub(super) fn arguments(&self) -> &Arc<Vec<u8>> {
        &self.arguments
    }

    /// Parts with calls at the front: so many, whose arguments take so many bytes. None of them is done.
    pub(super) fn split_front(&mut self, calls: usize, bytes: usize) -> Calls {
        let front = self.part(self.first, calls, self.start..self.start + bytes);
        self.first += calls;
        self.count -= calls;
        self.start += bytes;
        front
    }

    /// Parts with calls at the end: so many, whose arguments take so many bytes. None of them is done.
    pub(super) fn split_back(&mut self, calls: usize, bytes: usize) -> Calls {
        let start = self.end - bytes;
        let back = self.part(self.first + self.count - calls, calls, start..self.end);
        self.count -= calls;
        self.end = start;
        back
    }

    fn part(&self, first: usize, count: usize, place: Range<usize>) -> Calls {
        Calls {
            job: Arc::clone(&self.job),
            first,
            count,
            done: 0,
            retried: self.retried,
            per_chunk: self.per_chunk,
            arguments: Arc::clone(&self.arguments),
            attached: self.attached.clone(),
            start: place.start,
            end: place.end,
        }
    }

    /// Adds calls that follow these in the same row of arguments; gives back what does not.
    pub(super) fn append(&mut self, mut other: Calls) -> Option<Calls> {
        let follows = Arc::ptr_eq(&self.arguments, &other.arguments) && self.end == other.start;
        if !follows || other.done > 0 || other.retried != self.retried {
            return Some(other);
        }
        self.count += std::mem::take(&mut other.count);
        self.end = other.end;
        None
    }

    /// Forgets the calls that are done, so that what is left can be cut into chunks.
    pub(super) fn without_done(mut self) -> Calls {
        let (whole, length) = runs(&self.arguments[self.start..self.end], self.done);
        self.start += length;
        if whole < self.done {
            self.cut_first_run(self.done - whole);
        }
        self.first += self.done;
        self.count -= self.done;
        self.done = 0;
        self
    }

    /// Takes so many records off the first run, which is then another row, with a head of its own.
    fn cut_first_run(&mut self, records: usize) {
        let mut rest = &self.arguments[self.start..self.end];
        // They are this process's own writing, so they are whole.
        let Ok(Some(mut run)) = records::take_run(&mut rest) else { return };
        run.skip(records);
        let row = [run.to_row().as_slice(), rest].concat();
        (self.start, self.end) = (0, row.len());
        self.arguments = Arc::new(row);
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

    /// Whether the next call is to be made again after the death of its worker; if so, that is counted.
    pub(super) fn may_try_again(&mut self) -> bool {
        let before = self.retried.filter(|(index, _)| *index == self.next()).map_or(0, |(_, times)| times);
        let again = before < self.job.retries && self.is_wanted();
        if again {
            self.retried = Some((self.next(), before + 1));
        }
        again
    }

    /// The next `count` calls will not be made, since nobody wants them.
    pub(super) fn drop_next(&mut self, count: usize) {
        self.done += count;
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if self.is_wanted() {
            self.job.send(Delivery::Lost);
        }
    }
}

/// The runs at the front that have no more than so many records together: how many these are, and how many
/// bytes they take. They are this process's own writing, so they are whole.
fn runs(row: &[u8], most: usize) -> (usize, usize) {
    let (mut rest, mut count, mut length) = (row, 0, 0);
    while let Ok(Some(run)) = records::take_run(&mut rest)
        && count + run.count() <= most
    {
        count += run.count();
        length = row.len() - rest.len();
    }
    (count, length)
}

/// Counts for each call of a job what has become of it: an outcome that was delivered, or a place among those that
/// are left.
#[cfg(test)]
pub(super) fn count_fates<'a>(
    fates: &mut [usize],
    left: impl Iterator<Item = &'a Calls>,
    deliveries: &Deliveries,
) {
    for calls in left {
        (calls.next()..calls.next() + calls.left()).for_each(|index| fates[index] += 1);
    }
    while let Some(delivery) = deliveries.take() {
        let Delivery::Outcomes { first, outcomes } = delivery else { continue };
        let (mut place, mut fates) = (outcome::Place::default(), fates.iter_mut().skip(first));
        while place.next(outcomes.bytes()).is_some() {
            *fates.next().expect("no more outcomes than calls") += 1;
        }
        assert!(place.is_at_end(outcomes.bytes()), "nonsense was handed on");
    }
}
