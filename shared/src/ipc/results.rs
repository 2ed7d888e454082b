//! The memory that a worker shares with its manager, so that nothing a worker has finished is lost when it
//! dies.
//!
//! ```text
//!   word  0, 1   slots       one for each chunk that may be under way      written by both
//!   word  8      started     the number of the call begun last, from 1     written by the worker
//!   word  9      first       outcomes sent before those in `bytes`         written by the worker
//!   word 10      published   how many of the bytes count                   written by the worker
//!   bytes        outcomes that were made and not yet sent, in a row        written by the worker
//! ```
//!
//! **A slot** decides who has a chunk. The manager offers a ticket in it, and the worker has to claim the
//! ticket before the first call of the chunk. An offer that is not claimed yet can be revoked, and then the
//! chunk is the manager's again; a claimed one can be withdrawn, and then the worker stops after the call
//! that it is at.
//!
//! **The other words** are read when the worker is dead, and say exactly where it died. `started` is stored
//! before a call, the outcome's bytes after it, `published` after the bytes. A batch is sent over the channel
//! first and then struck out here (`published` back to 0 before `first` moves on), so an outcome may be found
//! in both places, never in none; its number tells.
//!
//! A kill strikes between two instructions, and what a dead process had stored is there for all to see. So
//! the order of the stores matters to the compiler alone, and Release on each is enough.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use super::message::Ticket;
use crate::sys::mapping::{ReaderSide, WriterSide};

/// How many chunks may be under way at one worker: one at work and one waiting, so that it need not wait
/// itself.
pub(crate) const SLOTS: usize = 2;

/// As much as a chunk's arguments take, twice: a batch is sent when this is half full.
const CAPACITY: usize = 128 << 10;

const STARTED: usize = 8;
const FIRST: usize = 9;
const PUBLISHED: usize = 10;

/// What a slot holds when no ticket in it counts. Tickets begin at 1.
const EMPTY: u64 = 0;

fn offered(ticket: Ticket) -> u64 {
    2 * ticket.number
}

fn claimed(ticket: Ticket) -> u64 {
    2 * ticket.number + 1
}

/// The manager's side.
pub(crate) struct ManagerSide(ReaderSide);

/// What a dead worker has left.
pub(crate) struct Remains {
    /// The number of the call begun last, from 1.
    pub(crate) started: u64,
    /// How many outcomes it had made before the first of `outcomes`.
    pub(crate) first: u64,
    /// A row of outcomes. As untrusted as anything that a worker sends.
    pub(crate) outcomes: Vec<u8>,
}

impl ManagerSide {
    /// Makes the memory, and the descriptor by which the worker opens it.
    pub(crate) fn create() -> io::Result<(ManagerSide, OwnedFd)> {
        let (memory, file) = ReaderSide::create(CAPACITY)?;
        Ok((ManagerSide(memory), file))
    }

    /// Offers a chunk. Release: partner of the Acquire in [`WorkerSide::claim`].
    pub(crate) fn offer(&self, ticket: Ticket) {
        self.0.word(ticket.slot).store(offered(ticket), Ordering::Release);
    }

    /// Takes an offer back. `true` if the worker has not claimed it, and therefore never will.
    ///
    /// AcqRel: partner of the exchange in [`WorkerSide::claim`]; one of the two gets the ticket.
    pub(crate) fn revoke(&self, ticket: Ticket) -> bool {
        let exchange = self.0.word(ticket.slot).compare_exchange(
            offered(ticket),
            EMPTY,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        exchange.is_ok()
    }

    /// Asks the worker to stop with a chunk that it has claimed. Release: partner of
    /// [`WorkerSide::is_withdrawn`].
    pub(crate) fn withdraw(&self, ticket: Ticket) {
        self.0.word(ticket.slot).store(EMPTY, Ordering::Release);
    }

    /// Reads what a worker has left. Only when it has ended, or it is not said to which moment this belongs.
    ///
    /// Acquire: partner of the Release stores of [`WorkerSide`].
    pub(crate) fn remains(&self) -> Remains {
        let word = |index| self.0.word(index).load(Ordering::Acquire);
        let published = usize::try_from(word(PUBLISHED)).unwrap_or(usize::MAX);
        let outcomes = if published <= CAPACITY { self.0.copy(0..published) } else { Vec::new() };
        Remains { started: word(STARTED), first: word(FIRST), outcomes }
    }
}

/// The worker's side.
pub(crate) struct WorkerSide {
    memory: WriterSide,
    published: usize,
}

impl WorkerSide {
    /// Maps the memory that the manager has made.
    pub(crate) fn open(file: OwnedFd) -> io::Result<WorkerSide> {
        Ok(WorkerSide { memory: WriterSide::open(file, CAPACITY)?, published: 0 })
    }

    /// Takes a chunk; `false` if its offer was revoked. AcqRel: partner of [`ManagerSide::offer`] and
    /// [`ManagerSide::revoke`].
    pub(crate) fn claim(&self, ticket: Ticket) -> bool {
        let (offered, claimed) = (offered(ticket), claimed(ticket));
        self.memory
            .word(ticket.slot)
            .compare_exchange(offered, claimed, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Whether the manager wants no more of a claimed chunk. Acquire: partner of [`ManagerSide::withdraw`].
    pub(crate) fn is_withdrawn(&self, ticket: Ticket) -> bool {
        self.memory.word(ticket.slot).load(Ordering::Acquire) != claimed(ticket)
    }

    /// Notes that the call with this number is begun. Release: partner of [`ManagerSide::remains`].
    pub(crate) fn begin(&self, number: u64) {
        self.memory.word(STARTED).store(number, Ordering::Release);
    }

    /// Adds one outcome to the batch; `false` if there is no room for it. Release: partner of
    /// [`ManagerSide::remains`], so that the bytes are there before they count.
    pub(crate) fn publish(&mut self, outcome: &[u8]) -> bool {
        if outcome.len() > CAPACITY - self.published {
            return false;
        }
        self.memory.write(self.published, outcome);
        self.published += outcome.len();
        self.memory.word(PUBLISHED).store(self.published as u64, Ordering::Release);
        true
    }

    /// The outcomes published and not yet sent.
    pub(crate) fn batch(&self) -> &[u8] {
        self.memory.read(0..self.published)
    }

    /// Whether it is time to send the batch, for its size.
    pub(crate) fn is_half_full(&self) -> bool {
        self.published >= CAPACITY / 2
    }

    /// Begins a new batch, now that `sent` outcomes in all were sent. Release, in this order: partner of
    /// [`ManagerSide::remains`], which must not find old bytes under new numbers.
    pub(crate) fn begin_batch(&mut self, sent: u64) {
        self.published = 0;
        self.memory.word(PUBLISHED).store(0, Ordering::Release);
        self.memory.word(FIRST).store(sent, Ordering::Release);
    }
}
