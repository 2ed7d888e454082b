//! The way into the pool: values become chunks, in the caller's thread.
//!
//! Serialising here means that what cannot be serialised is the caller's error and never the manager's, and
//! that several callers serialise side by side. A chunk leaves as soon as it is full, so that workers begin
//! while the rest is still being written.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::job::{Calls, Job};
use super::manager::Shared;
use super::outcomes::Receiving;
use crate::error::Error;
use crate::ipc::attachments::Outgoing;
use crate::ipc::message::Work;
use crate::ipc::outcome::Failure;
use crate::ipc::{codec, records};

/// A chunk is full when its arguments take so many bytes, if no size was asked for: beyond this, larger chunks
/// save nothing, and what is worked on at one end while it is written at the other gets less.
const CHUNK_BYTES: usize = 32 << 10;

/// A chunk is full when its arguments take so many bytes, even if a size was asked for: much less than what can
/// be sent at a time.
const LARGEST_CHUNK: usize = 1 << 30;

/// Small chunks leave together when their arguments take so many bytes.
const ROW_BYTES: usize = 4 << 10;

/// How many calls make a chunk, and how many chunks leave together.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkSize {
    calls: usize,
    bytes: usize,
    row: usize,
}

impl ChunkSize {
    /// So many calls, whatever they take, but no more than a worker makes in its life.
    pub(super) fn exactly(calls: usize, shared: &Shared) -> ChunkSize {
        let calls = calls.min(shared.max_calls.unwrap_or(usize::MAX));
        ChunkSize { calls, bytes: LARGEST_CHUNK, row: ROW_BYTES }
    }

    /// Python's rule, four chunks for each worker, with a bound on the bytes.
    pub(super) fn for_calls(count: usize, shared: &Shared) -> ChunkSize {
        let calls = count.div_ceil(4 * shared.processes).max(1);
        ChunkSize { bytes: CHUNK_BYTES, ..ChunkSize::exactly(calls, shared) }
    }

    /// Each chunk leaves as soon as it is full: who knows when the next argument comes.
    pub(super) fn one_by_one(self) -> ChunkSize {
        ChunkSize { row: 0, ..self }
    }
}

/// What a submitter does once the calls are submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for the outcomes, and looks after the workers meanwhile.
    Waits,
    /// Who knows: somebody else has to look after the workers.
    GoesOn,
}

/// An open job, to which calls can be added. Closed when dropped: what was added is done all the same.
pub(super) struct Submission<A> {
    job: Arc<Job>,
    shared: Arc<Shared>,
    size: ChunkSize,
    then: Then,
    /// Calls that have not left yet: their arguments, what goes along, and the index of the first one. The row is
    /// full when its last chunk is.
    arguments: records::Writer,
    outgoing: Outgoing,
    first: usize,
    /// Whether calls have left since that was asked last.
    has_sent: bool,
    /// Whether a worker may wait for arguments, and nobody hears it ask.
    is_unheard: bool,
    argument: PhantomData<fn(A)>,
}

impl<A: Serialize> Submission<A> {
    /// Opens a job for calls that do this work.
    pub(super) fn open(
        shared: &Arc<Shared>,
        work: Work,
        stops_at_failure: bool,
        retries: u32,
        size: ChunkSize,
        then: Then,
    ) -> Result<(Submission<A>, Receiving), Error> {
        if !shared.is_ours() {
            return Err(shared.error());
        }
        // Counted before the pool is asked whether it is closed: either the closing sees this job, or this
        // job sees the closing. SeqCst, since that takes one order of both for everyone.
        shared.open_jobs.fetch_add(1, Ordering::SeqCst);
        let job = Arc::new(Job::new(work, stops_at_failure, retries));
        let mut submission = Submission {
            job: Arc::clone(&job),
            shared: Arc::clone(shared),
            size,
            then,
            arguments: records::Writer::default(),
            outgoing: Outgoing::default(),
            first: 0,
            has_sent: false,
            is_unheard: false,
            argument: PhantomData,
        };
        submission.begin_chunk();
        if shared.closed.load(Ordering::SeqCst) || shared.fault.get().is_some() {
            return Err(shared.error());
        }
        Ok((submission, Receiving::new(job, Arc::clone(shared))))
    }

    /// Adds one call. `false` if calls after it are known to be pointless.
    #[inline]
    pub(super) fn add(&mut self, argument: &A) -> bool {
        let outgoing = &mut self.outgoing;
        match self.arguments.append(|buffer| codec::encode_with(argument, buffer, outgoing)) {
            Ok(is_full) => (!is_full && self.outgoing.is_empty()) || self.end_chunk(),
            Err(error) => self.refuse(&Failure::ArgumentNotEncoded(error.into())),
        }
    }

    fn begin_chunk(&mut self) {
        let calls = self.arguments.records().saturating_add(self.size.calls);
        self.arguments.fill_until(self.size.bytes, calls);
    }

    /// The last chunk is full.
    #[inline(never)]
    fn end_chunk(&mut self) -> bool {
        self.arguments.end_run();
        // What goes along is held by few calls, so that no process needs more descriptors than they have.
        if self.arguments.len() >= self.size.row.min(self.size.bytes) || !self.outgoing.is_empty() {
            self.send();
        } else {
            self.begin_chunk();
        }
        self.job.wants(self.first + self.arguments.records())
    }

    /// The argument of the next call cannot be sent.
    #[inline(never)]
    fn refuse(&mut self, failure: &Failure) -> bool {
        self.outgoing.take();
        self.send();
        self.job.deliver_failure(self.first, failure);
        self.first += 1;
        self.job.wants(self.first)
    }

    /// Whether calls have left since that was asked last: a time to look for outcomes.
    #[inline]
    pub(super) fn has_sent(&mut self) -> bool {
        std::mem::take(&mut self.has_sent)
    }

    /// Sees to it that workers can go on until the next call is added, however long that takes.
    #[inline]
    pub(super) fn let_go_on(&mut self) {
        if std::mem::take(&mut self.is_unheard) {
            self.shared.watch();
        }
    }

    /// Sends off the calls that have not left yet.
    pub(super) fn send(&mut self) {
        let count = self.arguments.records();
        if count == 0 {
            return;
        }
        let arguments = self.arguments.take(self.arguments.len().min(CHUNK_BYTES));
        let attached = self.outgoing.take();
        let job = Arc::clone(&self.job);
        let calls = Calls::new(job, self.first, count, self.size.calls, arguments, attached);
        self.first += count;
        self.begin_chunk();
        self.has_sent = true;
        self.is_unheard = self.shared.submit(calls);
        if self.then == Then::GoesOn {
            self.shared.watch();
        }
    }
}

impl<A> Drop for Submission<A> {
    fn drop(&mut self) {
        // SeqCst as in `open`. What was sent before is seen by whoever sees this.
        self.shared.open_jobs.fetch_sub(1, Ordering::SeqCst);
        if self.shared.closed.load(Ordering::SeqCst) {
            self.shared.wake();
        }
        if std::thread::panicking() {
            // Nobody will wait any more.
            self.shared.watch();
        }
    }
}
