//! Records in a row, by runs of records of one length.
//!
//! ```text
//!   +--------+--------+------------------------------+
//!   | length | count  | `count` times `length` bytes |   one run after the other
//!   +--------+--------+------------------------------+
//!    4 bytes each, least significant first; the length with some bits turned over
//! ```
//!
//! The heads let anyone count, skip and hand on records without knowing what is in them, and keep a record
//! that does not decode from shifting its neighbours. Values of one type mostly have one length, so that a
//! thousand of them have one head between them.
//!
//! What is written here are rows of arguments. In rows of outcomes some counts have a meaning of their own
//! ([`super::outcome`]).

use super::Malformed;
use crate::draft::Draft;

const FIELD: usize = size_of::<u32>();

/// How many bytes a head has.
pub(crate) const HEAD: usize = 2 * FIELD;

/// Where the count stands in a head.
pub(crate) const COUNT: usize = FIELD;

/// A record of this length is written as if one of the same length had come before. To find out that it had
/// not costs a move of the record's bytes, which for a long one is too much.
const SHORT: usize = 1 << 10;

/// Lengths are written with these bits turned over. A head that was overwritten with the same byte all over, as
/// by a loop that ran too far, has a length then that nothing has.
const TURNED: u32 = 0x9b41_d7c5;

/// The head of a run.
pub(crate) fn head(length: u32, count: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..COUNT].copy_from_slice(&(length ^ TURNED).to_le_bytes());
    head[COUNT..].copy_from_slice(&count.to_le_bytes());
    head
}

/// Takes a head off the front, length and count; `None` at the end.
#[inline]
pub(crate) fn take_head(bytes: &mut &[u8]) -> Result<Option<(usize, u32)>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (length, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    let (count, rest) = rest.split_first_chunk().ok_or(Malformed)?;
    *bytes = rest;
    let length = usize::try_from(u32::from_le_bytes(*length) ^ TURNED).map_err(|_| Malformed)?;
    Ok(Some((length, u32::from_le_bytes(*count))))
}

/// Some records of one length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Run<'a> {
    length: usize,
    bytes: &'a [u8],
    /// How many there are, if they have no bytes that would tell.
    empty: usize,
}

impl<'a> Run<'a> {
    /// Takes so many records of this length off the front.
    #[inline]
    pub(crate) fn take(bytes: &mut &'a [u8], length: usize, count: usize) -> Result<Run<'a>, Malformed> {
        let total = length.checked_mul(count).ok_or(Malformed)?;
        let (run, rest) = bytes.split_at_checked(total).ok_or(Malformed)?;
        *bytes = rest;
        Ok(Run { length, bytes: run, empty: if length == 0 { count } else { 0 } })
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn count(&self) -> usize {
        self.bytes.len().checked_div(self.length).unwrap_or(self.empty)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.empty == 0
    }

    /// Takes so many records off the front; all if there are no more.
    pub(crate) fn skip(&mut self, records: usize) {
        self.bytes = self.bytes.get(self.length.saturating_mul(records)..).unwrap_or_default();
        self.empty = self.empty.saturating_sub(records);
    }

    /// The run as a row.
    pub(crate) fn to_row(self) -> Vec<u8> {
        // Both were read from a head.
        [head(self.length as u32, self.count() as u32).as_slice(), self.bytes].concat()
    }

    /// Takes the first record off; `None` at the end.
    #[inline(always)]
    pub(crate) fn take_first(&mut self) -> Option<&'a [u8]> {
        if self.length == 0 {
            self.empty = self.empty.checked_sub(1)?;
            return Some(&[]);
        }
        let (record, rest) = self.bytes.split_at_checked(self.length)?;
        self.bytes = rest;
        Some(record)
    }
}

/// Takes the first run off the front; `None` at the end.
#[inline]
pub(crate) fn take_run<'a>(bytes: &mut &'a [u8]) -> Result<Option<Run<'a>>, Malformed> {
    let Some((length, count)) = take_head(bytes)? else { return Ok(None) };
    match usize::try_from(count) {
        Ok(count @ 1..) => Run::take(bytes, length, count).map(Some),
        _ => Err(Malformed),
    }
}

/// The record of a row that has only one.
pub(crate) fn only(mut row: &[u8]) -> Result<&[u8], Malformed> {
    let mut run = take_run(&mut row)?.ok_or(Malformed)?;
    let record = run.take_first().ok_or(Malformed)?;
    if run.is_empty() && row.is_empty() { Ok(record) } else { Err(Malformed) }
}

/// All records of a row, one after the other.
#[cfg(test)]
pub(crate) struct Reader<'a> {
    run: Run<'a>,
    rest: &'a [u8],
}

#[cfg(test)]
impl<'a> Reader<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Reader<'a> {
        Reader { run: Run::default(), rest: row }
    }

    /// The next record; `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        loop {
            if let Some(record) = self.run.take_first() {
                return Ok(Some(record));
            }
            match take_run(&mut self.rest)? {
                Some(run) => self.run = run,
                None => return Ok(None),
            }
        }
    }
}

/// Appends one record, a run by itself, written by `write`. On an error the buffer is as it was.
pub(crate) fn append<E>(
    buffer: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), AppendError<E>> {
    let start = buffer.len();
    let mut draft = Draft::new(buffer);
    draft.extend_from_slice(&[0; HEAD]);
    let written = write(&mut draft);
    let added = draft.keep();
    let length = match written {
        Ok(()) => u32::try_from(added - HEAD).map_err(|_| AppendError::TooLarge),
        Err(error) => Err(AppendError::Write(error)),
    };
    match length {
        Ok(length) => buffer[start..start + HEAD].copy_from_slice(&head(length, 1)),
        Err(_) => buffer.truncate(start),
    }
    length.map(|_| ())
}

/// Why a record was not appended.
#[derive(Debug)]
pub(crate) enum AppendError<E> {
    /// What was to be written could not be.
    Write(E),
    /// It takes more than 4 GiB.
    TooLarge,
}

/// A row that is being written.
#[derive(Default)]
pub(crate) struct Writer {
    row: Vec<u8>,
    /// How much room the row is given with its first record.
    room: usize,
    /// When it is full: with so many bytes, or so many records.
    limit: (usize, usize),
    /// How many records stand before the last run.
    before: usize,
    /// The last run: where its head stands, whose count is not right yet, and how long its records are.
    start: usize,
    length: usize,
    /// How many it has, if they have no bytes that would tell.
    empty: u32,
    is_open: bool,
    /// Whether a record is written as if it belonged to that run.
    is_short: bool,
    /// A record that begins before this and is as long as the others asks for no closer look.
    quick_until: usize,
}

impl Writer {
    /// How many bytes the row has so far.
    pub(crate) fn len(&self) -> usize {
        self.row.len()
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> usize {
        self.before + self.in_last_run()
    }

    fn in_last_run(&self) -> usize {
        if !self.is_open {
            return 0;
        }
        (self.row.len() - self.start - HEAD).checked_div(self.length).unwrap_or(self.empty as usize)
    }

    /// The row is full with so many bytes, or so many records.
    pub(crate) fn fill_until(&mut self, bytes: usize, records: usize) {
        self.limit = (bytes, records);
        self.look_ahead();
    }

    /// Appends one record, written by `write`; says whether the row is full. On an error it is as it was.
    #[inline(always)]
    pub(crate) fn append<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<bool, AppendError<E>> {
        if !self.is_short {
            return self.append_run(write);
        }
        let start = self.row.len();
        let mut draft = Draft::new(&mut self.row);
        let written = write(&mut draft);
        let added = draft.keep();
        if start < self.quick_until && written.is_ok() && added == self.length {
            return Ok(false);
        }
        self.settle(start, written)
    }

    /// Appends a record with a head of its own.
    #[inline(never)]
    fn append_run<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<bool, AppendError<E>> {
        let start = self.row.len();
        self.row.reserve(std::mem::take(&mut self.room));
        append(&mut self.row, write)?;
        let length = self.row.len() - start - HEAD;
        self.end_run_before(start);
        self.begin_run(start, length);
        Ok(self.look_ahead())
    }

    /// Takes in what was written behind the last run without a head.
    #[inline(never)]
    fn settle<E>(&mut self, start: usize, written: Result<(), E>) -> Result<bool, AppendError<E>> {
        if let Err(error) = written {
            self.row.truncate(start);
            return Err(AppendError::Write(error));
        }
        let length = self.row.len() - start;
        if length != self.length || self.empty == u32::MAX {
            let Ok(short) = u32::try_from(length) else {
                self.row.truncate(start);
                return Err(AppendError::TooLarge);
            };
            self.row.extend_from_slice(&[0; HEAD]);
            self.row.copy_within(start..start + length, start + HEAD);
            self.row[start..start + HEAD].copy_from_slice(&head(short, 1));
            self.end_run_before(start);
            self.begin_run(start, length);
        } else if length == 0 {
            self.empty += 1;
        }
        Ok(self.look_ahead())
    }

    /// The first record of a new run stands here, behind its head.
    fn begin_run(&mut self, start: usize, length: usize) {
        (self.start, self.length, self.empty) = (start, length, u32::from(length == 0));
        (self.is_open, self.is_short) = (true, length <= SHORT);
    }

    /// Finds out up to where records can be added quickly; says whether the row is full.
    fn look_ahead(&mut self) -> bool {
        let (bytes, records) = self.limit;
        let in_run = records.saturating_sub(self.before).saturating_mul(self.length);
        let end = bytes.min((self.start + HEAD).saturating_add(in_run));
        let is_quick = self.is_open && self.length > 0;
        self.quick_until = if is_quick { end.saturating_sub(self.length) } else { 0 };
        self.row.len() >= bytes || self.records() >= records
    }

    /// Has no more records added to the last run, so that the row can be cut here.
    pub(crate) fn end_run(&mut self) {
        self.end_run_before(self.row.len());
    }

    /// The same, where it ends before that place.
    fn end_run_before(&mut self, end: usize) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        self.is_short = false;
        let count = (end - self.start - HEAD).checked_div(self.length).unwrap_or(self.empty as usize);
        // No run is longer than a row, which is full before it has 4 GiB.
        let place = self.start + COUNT..self.start + HEAD;
        self.row[place].copy_from_slice(&(count as u32).to_le_bytes());
        self.before += count;
    }

    /// The row; a new one begins, which is given room for so many bytes at once if there is a new one.
    pub(crate) fn take(&mut self, room: usize) -> Vec<u8> {
        self.end_run();
        self.room = room;
        self.before = 0;
        std::mem::take(&mut self.row)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::*;
    use proptest::prelude::*;

    fn write(value: &[u8]) -> impl FnOnce(&mut Vec<u8>) -> Result<(), ()> {
        |buffer| {
            buffer.extend_from_slice(value);
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn what_was_appended_is_read_in_order(
            values in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..4), prop_oneof![9 => Just(1), 1 => Just(700)], 0..9),
                0..40,
            ),
            (bytes, records) in (0..2000_usize, 0..50_usize),
        ) {
            let mut writer = Writer::default();
            writer.fill_until(bytes, records);
            let values: Vec<(Vec<u8>, i32)> =
                values.into_iter().map(|(value, times, what)| (value.repeat(times), what)).collect();
            for (number, (value, what)) in values.iter().enumerate() {
                let is_full = writer.append(write(value)).unwrap();
                prop_assert_eq!(writer.records(), number + 1);
                prop_assert_eq!(is_full, writer.len() >= bytes || number + 1 >= records);
                match what {
                    0 => writer.end_run(),
                    1 => assert!(writer.append(|buffer| {
                        buffer.push(1);
                        Err("no")
                    }).is_err()),
                    2 => writer.fill_until(bytes, records),
                    _ => {}
                }
            }
            let row = writer.take(0);
            let mut reader = Reader::new(&row);
            for (value, _) in &values {
                prop_assert_eq!(reader.next(), Ok(Some(value.as_slice())));
            }
            prop_assert_eq!(reader.next(), Ok(None));
            prop_assert_eq!(writer.records(), 0);
        }

        #[test]
        fn any_bytes_are_records_or_malformed(mut bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            let mut taken = 0;
            while let Ok(Some(record)) = reader.next() && taken <= bytes.len() {
                taken += record.len().max(1);
            }
            // Short lengths and counts too, of which whole runs come.
            for place in bytes.chunks_exact_mut(HEAD).step_by(2) {
                place.copy_from_slice(&head(u32::from(place[0] % 8), u32::from(place[1] % 8)));
            }
            let mut rest = bytes.as_slice();
            while let Ok(Some(run)) = take_run(&mut rest) {
                prop_assert!(run.length * run.count() <= bytes.len());
            }
        }
    }

    #[test]
    fn a_head_that_was_overwritten_is_malformed() {
        for byte in 0..=u8::MAX {
            let row = vec![byte; 100 << 10];
            assert_eq!(take_run(&mut row.as_slice()), Err(Malformed), "{byte}");
        }
    }

    #[test]
    fn records_of_one_length_have_one_head() {
        let mut writer = Writer::default();
        for value in 0..100_u32 {
            writer.append(write(&value.to_le_bytes())).unwrap();
        }
        assert_eq!(writer.take(0).len(), HEAD + 100 * 4);
    }

    #[test]
    fn a_panic_while_a_record_is_written_leaves_nothing_behind() {
        let mut writer = Writer::default();
        let panics = |buffer: &mut Vec<u8>| -> Result<(), ()> {
            buffer.extend_from_slice(b"half");
            resume_unwind(Box::new("a type's own Serialize"))
        };
        for value in [b"one", b"two"] {
            assert!(catch_unwind(AssertUnwindSafe(|| writer.append(panics))).is_err());
            writer.append(write(value)).unwrap();
        }
        assert!(catch_unwind(AssertUnwindSafe(|| writer.append(panics))).is_err());
        let row = writer.take(0);
        assert_eq!(row, [head(3, 2).as_slice(), b"onetwo"].concat());
    }

    #[test]
    fn a_record_that_cannot_be_written_leaves_nothing_behind() {
        let mut buffer = vec![7];
        let failed = append(&mut buffer, |buffer| {
            buffer.push(1);
            Err("no")
        });
        assert!(matches!(failed, Err(AppendError::Write("no"))));
        assert_eq!(buffer, [7]);
    }

    #[test]
    fn a_row_of_one_record_has_only_that() {
        let mut row = Vec::new();
        append(&mut row, write(b"one")).unwrap();
        assert_eq!(only(&row), Ok(b"one".as_slice()));
        append(&mut row, write(b"two")).unwrap();
        assert_eq!(only(&row), Err(Malformed));
        assert_eq!(only(&[]), Err(Malformed));
    }
}
