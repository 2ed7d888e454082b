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
//!
//! Results of one length that follow each other stand in a run with one head ([`super::outcome`]). Its count is
//! written last, before it is told of or something else follows; where the worker died before that, the run is
//! open, and goes up to `published`.

use std::sync::atomic::Ordering;

use super::word::Word;
use super::{Malformed, outcome, records};

/// The places of some bytes in the ring: one piece, or two where they go round the end. A capacity is a power
/// of two, which spares a division for each outcome.
#[inline]
fn pieces(capacity: usize, from: u64, length: usize) -> [std::ops::Range<usize>; 2] {
    debug_assert!(capacity.is_power_of_two());
    let start = from as usize & (capacity - 1);
    let first = length.min(capacity - start);
    [start..start + first, 0..length - first]
}

/// Writes bytes at a count of bytes since the beginning.
fn write_at(capacity: usize, at: u64, bytes: &[u8], write: &mut impl FnMut(usize, &[u8])) {
    let [first, second] = pieces(capacity, at, bytes.len());
    if second.is_empty() {
        return write(first.start, bytes);
    }
    let (head, tail) = bytes.split_at(first.len());
    write(first.start, head);
    write(second.start, tail);
}

/// Where the worker stands.
pub(crate) struct Writer {
    capacity: usize,
    published: u64,
    announced: u64,
    /// What was free when it was looked at last, at least.
    taken: u64,
    /// The last run, to which results can be added.
    run: Option<Run>,
    /// Up to here results are added to it without a further look.
    end: u64,
}

/// Results of one length.
#[derive(Clone, Copy)]
struct Run {
    length: usize,
    /// Where its head stands.
    start: u64,
}

/// The end of the last run, held by whoever adds many results to it.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    mask: usize,
    /// The length of the results in the run.
    length: usize,
    published: u64,
    end: u64,
}

impl Tail {
    /// The same, to which nothing can be added.
    pub(crate) fn closed(self) -> Tail {
        Tail { length: usize::MAX, ..self }
    }

    /// Adds a result by means of `write`, which puts bytes at a place; `false` if that asks for a closer look.
    /// What a worker does for each small result, so it is made to be quick.
    ///
    /// Release: partner of the Acquire in [`Reader::take`], so that the bytes are there before they count.
    #[inline(always)]
    pub(crate) fn add<W: Word>(
        &mut self,
        published: &W,
        result: &[u8],
        write: impl FnOnce(usize, &[u8]),
    ) -> bool {
        let after = self.published + result.len() as u64;
        let follows = result.len() == self.length && after <= self.end;
        if follows {
            let at = self.published as usize & self.mask;
            // A copy of a length that the compiler knows is one move.
            match <&[u8; 8]>::try_from(result) {
                Ok(number) => write(at, number),
                Err(_) => write(at, result),
            }
            self.published = after;
            published.store(after, Ordering::Release);
        }
        follows
    }
}

/// So many bytes of outcomes are worth telling.
const MANY: u64 = 32 << 10;

impl Writer {
    pub(crate) fn new(capacity: usize) -> Writer {
        Writer { capacity, published: 0, announced: 0, taken: 0, run: None, end: 0 }
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

    /// Where results are added to the last run, to be put back ([`set_tail`](Writer::set_tail)) before anything
    /// else is done.
    pub(crate) fn tail(&self) -> Tail {
        Tail {
            mask: self.capacity - 1,
            // No result has the length that stands for none.
            length: self.run.map_or(usize::MAX, |run| run.length),
            published: self.published,
            end: self.end,
        }
    }

    /// Counts what was added to the last run.
    #[inline(always)]
    pub(crate) fn set_tail(&mut self, tail: Tail) {
        self.published = tail.published;
    }

    /// Adds a result, for which there is room with a head. Release, as in [`Tail::add`].
    pub(crate) fn publish_result<W: Word>(
        &mut self,
        published: &W,
        result: &[u8],
        mut write: impl FnMut(usize, &[u8]),
    ) {
        if self.run.is_none_or(|run| run.length != result.len()) {
            self.begin_run(result.len(), &mut write);
        }
        self.put(result, &mut write);
        published.store(self.published, Ordering::Release);
        // As far as there is room, in one piece, until it is worth telling.
        let free = self.taken + self.capacity as u64;
        let piece = self.published.next_multiple_of(self.capacity as u64);
        self.end = free.min(piece).min(self.announced + MANY);
    }

    /// Writes the head of a run, which counts only when there is a result behind it.
    fn begin_run(&mut self, length: usize, write: &mut impl FnMut(usize, &[u8])) {
        self.end_run(write);
        // How many results without bytes there are could not be seen, so each has a head. A count that goes round
        // the end would take two moves, between which the worker may die, so it is written at once as well.
        let [_, round_the_end] = pieces(self.capacity, self.published, records::HEAD);
        let is_open = length > 0 && round_the_end.is_empty();
        self.run = is_open.then_some(Run { length, start: self.published });
        // What can be published is far shorter than 4 GiB.
        self.put(&records::head(length as u32, if is_open { outcome::OPEN } else { 1 }), write);
    }

    fn end_run(&mut self, write: &mut impl FnMut(usize, &[u8])) {
        if let Some(run) = self.run.take() {
            let bytes = self.published - run.start - records::HEAD as u64;
            let count = (bytes / run.length as u64) as u32;
            // In one piece, as it was begun so.
            let place = run.start + records::COUNT as u64;
            write_at(self.capacity, place, &count.to_le_bytes(), write);
        }
    }

    /// Adds items, for which there is room, as they are. Release, as in [`Tail::add`].
    pub(crate) fn publish<W: Word>(
        &mut self,
        published: &W,
        items: &[u8],
        mut write: impl FnMut(usize, &[u8]),
    ) {
        self.end_run(&mut write);
        self.put(items, &mut write);
        published.store(self.published, Ordering::Release);
    }

    fn put(&mut self, bytes: &[u8], write: &mut impl FnMut(usize, &[u8])) {
        write_at(self.capacity, self.published, bytes, write);
        self.published += bytes.len() as u64;
    }

    /// Tells the manager of all that was published. Release, as in [`Tail::add`].
    pub(crate) fn announce<W: Word>(&mut self, announced: &W, mut write: impl FnMut(usize, &[u8])) {
        if self.announced != self.published {
            self.end_run(&mut write);
            self.announced = self.published;
            announced.store(self.published, Ordering::Release);
        }
    }

    /// Whether there is anything that the manager has not taken. Relaxed: the bytes are left alone.
    pub(crate) fn has_untaken<W: Word>(&self, taken: &W) -> bool {
        taken.load(Ordering::Relaxed) != self.published
    }

    /// Whether there is anything that was not announced.
    pub(crate) fn has_unannounced(&self) -> bool {
        self.published != self.announced
    }

    /// Whether enough was published that it is worth telling.
    pub(crate) fn has_many(&self) -> bool {
        self.published - self.announced >= MANY
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::atomic::AtomicU64;

    use proptest::prelude::*;

    use super::*;
    use crate::ipc::outcome::{Failure, Item};

    const CAPACITY: usize = 1024;

    #[derive(Clone, Debug)]
    enum Step {
        /// So many results of this length, as far as there is room.
        Results(usize, usize),
        Failure,
        Announce,
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        let length = prop_oneof![Just(0_usize), Just(8), Just(8), Just(8), 0..40_usize];
        prop_oneof![
            6 => length.prop_map(|length| Step::Results(1, length)),
            // Their count takes two bytes.
            2 => (200..500_usize).prop_map(|times| Step::Results(times, 1)),
            1 => Just(Step::Failure),
            1 => Just(Step::Announce),
            2 => Just(Step::Take),
        ]
    }

    /// The outcomes of a row: the bytes of a result, or nothing for a failure.
    fn outcomes(mut row: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut outcomes = Vec::new();
        while let Some(item) = outcome::take_first(&mut row).unwrap() {
            match item {
                Item::Results(mut run) => outcomes
                    .extend(std::iter::from_fn(|| run.take_first().map(|result| Some(result.to_vec())))),
                Item::Failure(_) => outcomes.push(None),
                Item::Stopped | Item::Elsewhere => panic!("nobody has published that"),
            }
        }
        outcomes
    }

    proptest! {
        /// Wherever the worker dies, between any two of its writes, all outcomes are found that it has published,
        /// whole and in order, and nothing else.
        #[test]
        fn a_death_at_any_write_leaves_all_that_was_published(
            steps in prop::collection::vec(step(), 1..60),
            dies_after in 0..2000_usize,
        ) {
            let ring = RefCell::new(vec![0xee_u8; CAPACITY]);
            let [published, announced, taken] = [0, 0, 0].map(AtomicU64::new);
            let (mut writer, mut reader) = (Writer::new(CAPACITY), Reader::new(CAPACITY));
            let (mut left, mut made, mut row) = (dies_after, Vec::new(), Vec::new());
            let mut take = |until: &AtomicU64, row: &mut Vec<Option<Vec<u8>>>| {
                let mut taken_now = Vec::new();
                let copy = |place: std::ops::Range<usize>| taken_now.extend(&ring.borrow()[place]);
                reader.take(until, &taken, copy).unwrap();
                row.extend(outcomes(&taken_now));
            };
            let works = AssertUnwindSafe(|| {
                let mut write = |at: usize, bytes: &[u8]| {
                    left = left.checked_sub(1).unwrap_or_else(|| resume_unwind(Box::new("killed")));
                    ring.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
                };
                for (number, step) in steps.iter().enumerate() {
                    match step {
                        Step::Results(times, length) => {
                            for _ in 0..*times {
                                if !writer.has_room(&taken, length + records::HEAD) {
                                    break;
                                }
                                let result = vec![number as u8; *length];
                                let mut tail = writer.tail();
                                let is_added = tail.add(&published, &result, &mut write);
                                writer.set_tail(tail);
                                if !is_added {
                                    writer.publish_result(&published, &result, &mut write);
                                }
                                made.push(Some(result));
                            }
                        }
                        Step::Failure => {
                            let mut items = Vec::new();
                            outcome::append_failure(&mut items, &Failure::TimedOut(std::time::Duration::MAX));
                            if writer.has_room(&taken, items.len()) {
                                writer.publish(&published, &items, &mut write);
                                made.push(None);
                            }
                        }
                        Step::Announce => writer.announce(&announced, &mut write),
                        Step::Take => take(&announced, &mut row),
                    }
                }
            });
            let _ = catch_unwind(works);
            take(&published, &mut row);
            prop_assert_eq!(row, made);
        }
    }

    #[test]
    fn a_death_while_a_run_is_ended_leaves_all_of_it_wherever_it_stands() {
        for (start, writes) in (CAPACITY - 10..=CAPACITY).flat_map(|start| [(start, 0), (start, 1)]) {
            let ring = RefCell::new(vec![0xee_u8; CAPACITY]);
            let [published, announced, taken] = [0, 0, 0].map(AtomicU64::new);
            let (mut writer, mut reader) = (Writer::new(CAPACITY), Reader::new(CAPACITY));
            let mut write =
                |at: usize, bytes: &[u8]| ring.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
            writer.publish_result(&published, &vec![0; start - records::HEAD], &mut write);
            reader.take(&published, &taken, |_| {}).unwrap();
            for _ in 0..300 {
                assert!(writer.has_room(&taken, 1 + records::HEAD));
                writer.publish_result(&published, &[7], &mut write);
            }
            let mut left = writes;
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let mut write = |at: usize, bytes: &[u8]| {
                    left = usize::checked_sub(left, 1).unwrap_or_else(|| resume_unwind(Box::new("killed")));
                    write(at, bytes);
                };
                writer.announce(&announced, &mut write);
            }));
            let mut row = Vec::new();
            reader.take(&published, &taken, |place| row.extend(&ring.borrow()[place])).unwrap();
            assert_eq!(outcomes(&row).len(), 300, "from {start}, killed after {writes} writes");
        }
    }
}
