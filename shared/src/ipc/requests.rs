//! The ring of requests: what a worker is to do, written by its manager and read in place.
//!
//! ```text
//!   0                                                                    capacity
//!   +--------------+------------+------------+------------------+------+
//!   | free         | claimed    | offered    | free             | SKIP |
//!   +--------------+------------+------------+------------------+------+
//!                  ^ oldest that is not done ^ next
//!
//!   a request, from a place that is a multiple of 8 on:
//!   +--------+------+-------+---+---------------+------------------+
//!   | length | kind | named | 0 | the function, | the arguments,   |
//!   |        |      |       |   | `named` bytes | a row of records |
//!   +--------+------+-------+---+---------------+------------------+
//!    4 bytes each            `length` bytes in all, in one piece
//! ```
//!
//! Nothing in the ring says how far it is filled: the worker reads a request only after it has claimed it
//! ([`super::claims`]), and a request stays as it is until all its outcomes have come. Requests that were
//! taken back are the last ones and were never looked at, so their place is simply written again.
//!
//! Where a request does not fit before the end, a SKIP (or too little room for one) sends the reader to the
//! beginning. An empty ring begins anew there before its end too, so that a worker that does one small thing
//! after the other keeps few pages in use.

use std::collections::VecDeque;
use std::ops::Range;

use super::Malformed;

/// Length, kind, named, and nothing.
const HEAD: usize = 4 * size_of::<u32>();

const ALIGNMENT: usize = size_of::<u64>();

/// An empty ring that is used up to here begins anew.
const NEAR: usize = 16 << 10;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Calls, with their arguments behind the head.
    Calls = 1,
    /// Calls whose arguments are too long for the ring and come over the socket when they are asked for.
    CallsElsewhere = 2,
    /// To end.
    Leave = 3,
    /// To read on at the beginning of the ring.
    Skip = 4,
}

/// A request to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) kind: Kind,
    /// The function, encoded; nothing if it is that of the request before.
    pub(crate) function: &'a [u8],
    pub(crate) arguments: &'a [u8],
}

/// A request as it was read: its bytes stand in these places.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) function: Range<usize>,
    pub(crate) arguments: Range<usize>,
}

/// Where the writer stands.
pub(crate) struct Writer {
    capacity: usize,
    next: usize,
    /// Where the requests that are not done begin, in order: at the place of a SKIP if one goes before.
    starts: VecDeque<usize>,
}

impl Writer {
    pub(crate) fn new(capacity: usize) -> Writer {
        Writer { capacity, next: 0, starts: VecDeque::new() }
    }

    /// How many requests are not done.
    pub(crate) fn open(&self) -> usize {
        self.starts.len()
    }

    /// Whether a request with so many bytes of arguments can ever be written.
    ///
    /// Half the ring at most, so that one can be written while another is worked on.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        bytes <= self.capacity / 2 - 2 * HEAD
    }

    /// Writes a request by means of `write`, which puts bytes at a place; `false` if there is no room now.
    pub(crate) fn push(&mut self, request: &Request<'_>, mut write: impl FnMut(usize, &[u8])) -> bool {
        let length = HEAD + request.function.len() + request.arguments.len();
        let Some(start) = self.room(length.next_multiple_of(ALIGNMENT)) else { return false };
        if start < self.next && self.next + HEAD <= self.capacity {
            write(self.next, &head(HEAD, Kind::Skip, 0));
        }
        write(start, &head(length, request.kind, request.function.len()));
        write(start + HEAD, request.function);
        write(start + HEAD + request.function.len(), request.arguments);
        self.starts.push_back(self.next);
        self.next = start + length.next_multiple_of(ALIGNMENT);
        true
    }

    /// Where so many bytes can stand in one piece.
    fn room(&self, length: usize) -> Option<usize> {
        let Some(&oldest) = self.starts.front() else {
            return Some(if self.next >= NEAR && length <= self.next { 0 } else { self.next })
                .filter(|start| start + length <= self.capacity)
                .or_else(|| (length <= self.next).then_some(0));
        };
        if self.next <= oldest {
            return (self.next + length <= oldest).then_some(self.next);
        }
        if self.next + length <= self.capacity {
            return Some(self.next);
        }
        (length <= oldest).then_some(0)
    }

    /// The oldest request is done.
    pub(crate) fn done(&mut self) {
        self.starts.pop_front();
    }

    /// The last `count` requests were taken back.
    pub(crate) fn took_back(&mut self, count: usize) {
        let left = self.starts.len() - count;
        if let Some(first) = self.starts.drain(left..).next() {
            self.next = first;
        }
    }
}

fn head(length: usize, kind: Kind, named: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    // Both lengths are smaller than a ring.
    let fields = [length as u32, kind as u32, named as u32];
    for (place, field) in head.chunks_exact_mut(size_of::<u32>()).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    head
}

/// Where the reader stands.
#[derive(Default)]
pub(crate) struct Reader {
    next: usize,
}

impl Reader {
    /// Reads the request that was just claimed, from a ring of these bytes.
    pub(crate) fn next<'a>(
        &mut self,
        capacity: usize,
        read: impl Fn(Range<usize>) -> &'a [u8],
    ) -> Result<Found, Malformed> {
        // A SKIP leads to the beginning, where there is another request.
        for _ in 0..2 {
            if self.next + HEAD > capacity {
                self.next = 0;
            }
            let start = self.next;
            let (fields, _) = read(start..start + HEAD).as_chunks();
            let &[length, kind, named, _] = fields else { return Err(Malformed) };
            let kind = match u32::from_le_bytes(kind) {
                1 => Kind::Calls,
                2 => Kind::CallsElsewhere,
                3 => Kind::Leave,
                4 => {
                    self.next = 0;
                    continue;
                }
                _ => return Err(Malformed),
            };
            let arguments = start + HEAD + u32::from_le_bytes(named) as usize;
            let end = start + u32::from_le_bytes(length) as usize;
            if arguments > end || end > capacity {
                return Err(Malformed);
            }
            self.next = end.next_multiple_of(ALIGNMENT);
            return Ok(Found { kind, function: start + HEAD..arguments, arguments: arguments..end });
        }
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const CAPACITY: usize = 64 << 10;

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize, usize),
        Claim,
        Done,
        TakeBack(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let size = prop_oneof![0..200_usize, 0..CAPACITY / 2 - 200];
        prop_oneof![
            4 => (0..100_usize, size).prop_map(|(function, arguments)| Step::Push(function, arguments)),
            3 => Just(Step::Claim),
            3 => Just(Step::Done),
            1 => (1..4_usize).prop_map(Step::TakeBack),
        ]
    }

    proptest! {
        /// Against a model: rows of requests that are open, of which the first are claimed.
        #[test]
        fn requests_are_read_as_they_were_written(steps in prop::collection::vec(step(), 1..200)) {
            let ring = RefCell::new(vec![0_u8; CAPACITY]);
            let mut writer = Writer::new(CAPACITY);
            let mut reader = Reader::default();
            let (mut claimed, mut offered) = (VecDeque::new(), VecDeque::new());
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(function, arguments) => {
                        prop_assume!(writer.takes(function + arguments));
                        let function = vec![number as u8; function];
                        let arguments = vec![!number as u8; arguments];
                        let request =
                            Request { kind: Kind::Calls, function: &function, arguments: &arguments };
                        let pushed = writer.push(&request, |at, bytes| {
                            ring.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
                        });
                        prop_assert!(pushed || writer.open() > 0, "an empty ring takes everything");
                        if pushed {
                            offered.push_back((function, arguments));
                        }
                    }
                    Step::Claim => {
                        let Some((function, arguments)) = offered.pop_front() else { continue };
                        let ring = ring.borrow();
                        let found = reader.next(CAPACITY, |range| &ring[range]).unwrap();
                        prop_assert_eq!(found.kind, Kind::Calls);
                        claimed.push_back((found, function, arguments));
                    }
                    Step::Done => {
                        let Some((found, function, arguments)) = claimed.pop_front() else { continue };
                        prop_assert!(ring.borrow()[found.function] == function);
                        prop_assert!(ring.borrow()[found.arguments] == arguments);
                        writer.done();
                    }
                    Step::TakeBack(most) => {
                        let count = most.min(offered.len());
                        offered.truncate(offered.len() - count);
                        writer.took_back(count);
                    }
                }
                prop_assert_eq!(writer.open(), claimed.len() + offered.len());
            }
        }

        #[test]
        fn any_bytes_are_a_request_or_malformed(bytes in prop::collection::vec(any::<u8>(), 64..200)) {
            let mut reader = Reader::default();
            while let Ok(found) = reader.next(bytes.len(), |range| &bytes[range]) {
                prop_assert!(found.arguments.end <= bytes.len());
                if found.kind == Kind::Leave {
                    break;
                }
            }
        }
    }

    #[test]
    fn small_requests_one_after_the_other_stay_at_the_beginning() {
        let mut writer = Writer::new(CAPACITY);
        let mut highest = 0;
        for _ in 0..10_000 {
            let request = Request { kind: Kind::Calls, function: &[], arguments: &[0; 100] };
            assert!(writer.push(&request, |at, bytes| highest = highest.max(at + bytes.len())));
            writer.done();
        }
        assert!(highest < NEAR + 1000, "{highest}");
    }
}
