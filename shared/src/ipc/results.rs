//! The ring of results: what came of a worker's calls, in the order in which it made them.
//!
//! ```text
//!   0                                                capacity
//!   +----------+-----------------+------------+------+
//!   | free     | told of         | published  | free |      records, as in `outcome`; they may go round
//!   +----------+-----------------+------------+------+      the end
//!              ^ taken           ^ announced  ^ published
//! ```
//!
//! All three are counts of bytes since the beginning, and a place is a count modulo the capacity. The worker
//! moves two of them. `published` moves with every outcome, after its bytes are there: it is what counts when
//! the worker is dead. `announced` follows when it is worth the manager's while, since the manager looks at
//! that word all the time, and a word that one process writes and another reads costs both of them. The
//! manager moves `taken`, when it has copied the bytes out.
//!
//! **Where a worker died** is exact. `started` is stored before a call, the outcome's bytes after it,
//! `published` after the bytes. A kill strikes between two instructions, and what a dead process had stored is
//! there for all to see; so the order of the stores matters to the compiler alone, and Release on each is
//! enough.

use std::sync::atomic::Ordering;

use super::Malformed;
use super::word::Word;

/// The places of some bytes in the ring: one piece, or two where they go round the end. A capacity is a power
/// of two, which spares a division for each outcome.
fn pieces(capacity: usize, from: u64, length: usize) -> [std::ops::Range<usize>; 2] {
    debug_assert!(capacity.is_power_of_two());
    let start = from as usize & (capacity - 1);
    let first = length.min(capacity - start);
    [start..start + first, 0..length - first]
}

/// Where the worker stands.
pub(crate) struct Writer {
    capacity: usize,
    published: u64,
    announced: u64,
    /// What was free when it was looked at last, at least.
    taken: u64,
}

impl Writer {
    pub(crate) fn new(capacity: usize) -> Writer {
        Writer { capacity, published: 0, announced: 0, taken: 0 }
    }

    /// Whether there is room for so many bytes. Acquire: partner of the Release in [`Reader::take`], so that
    /// nothing is overwritten that is still being copied.
    pub(crate) fn has_room<W: Word>(&mut self, taken: &W, length: usize) -> bool {
        let fits =
            |writer: &Writer| writer.published - writer.taken + length as u64 <= writer.capacity as u64;
        if !fits(self) {
            self.taken = taken.load(Ordering::Acquire);
        }
        fits(self)
    }

    /// Adds an outcome, for which there is room, by means of `write`, which puts bytes at a place.
    ///
    /// Release: partner of the Acquire in [`Reader::take`], so that the bytes are there before they count.
    pub(crate) fn publish<W: Word>(
        &mut self,
        published: &W,
        outcome: &[u8],
        mut write: impl FnMut(usize, &[u8]),
    ) {
        let [first, second] = pieces(self.capacity, self.published, outcome.len());
        let (head, tail) = outcome.split_at(first.len());
        write(first.start, head);
        if !tail.is_empty() {
            write(second.start, tail);
        }
        self.published += outcome.len() as u64;
        published.store(self.published, Ordering::Release);
    }

    /// Tells the manager of all that was published. Release, as in [`publish`](Writer::publish).
    pub(crate) fn announce<W: Word>(&mut self, announced: &W) {
        if self.announced != self.published {
            self.announced = self.published;
            announced.store(self.published, Ordering::Release);
        }
    }

    /// How many bytes were published and not announced.
    pub(crate) fn unannounced(&self) -> usize {
        (self.published - self.announced) as usize
    }
}

/// Where the manager stands.
pub(crate) struct Reader {
    capacity: usize,
    taken: u64,
}

impl Reader {
    pub(crate) fn new(capacity: usize) -> Reader {
        Reader { capacity, taken: 0 }
    }

    /// Whether there is something to take. Relaxed: [`take`](Reader::take) looks properly.
    pub(crate) fn has_news<W: Word>(&self, announced: &W) -> bool {
        announced.load(Ordering::Relaxed) != self.taken
    }

    /// Takes all bytes up to what `until` says (`announced`, or `published` of a dead worker) by means of
    /// `copy`, which appends the bytes of a place.
    ///
    /// Acquire: partner of the Releases in [`Writer`]. Release: partner of the Acquire in
    /// [`Writer::has_room`].
    pub(crate) fn take<W: Word>(
        &mut self,
        until: &W,
        taken: &W,
        mut copy: impl FnMut(std::ops::Range<usize>),
    ) -> Result<(), Malformed> {
        let until = until.load(Ordering::Acquire);
        let length = until.wrapping_sub(self.taken);
        if length > self.capacity as u64 {
            return Err(Malformed);
        }
        for piece in pieces(self.capacity, self.taken, length as usize) {
            copy(piece);
        }
        self.taken = until;
        taken.store(until, Ordering::Release);
        Ok(())
    }
}
