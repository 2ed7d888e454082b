//! What came of calls: encoded results, or why there are none.
//!
//! Outcomes stand in rows of runs ([`super::records`]). A run of a plain count is of results. These counts have
//! a meaning of their own, and one record belongs to each:
//!
//! | count | the record |
//! | --- | --- |
//! | `FAILURE` | why a call gave no result |
//! | `STOPPED` | empty: the worker has stopped with a chunk that was withdrawn; the next outcome is another's |
//! | `ELSEWHERE` | empty: the next outcome is too long for the row, and comes over the channel |
//!
//! A worker writes the count of a run when no more results are added to it. Until then it is `OPEN`: the run goes
//! on to the end of what there is. That is seen only where the worker has died.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::records::{Run, head, take_head};
use super::{Malformed, codec, records};
use crate::status::ExitStatus;

/// The count of a run of results to which more may be added.
pub(crate) const OPEN: u32 = 0;
const FAILURE: u32 = u32::MAX;
const STOPPED: u32 = u32::MAX - 1;
const ELSEWHERE: u32 = u32::MAX - 2;

/// How many results a run has at most.
pub(crate) const LONGEST_RUN: u32 = 1 << 30;

/// Some of what stands in a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Item<'a> {
    Results(Run<'a>),
    Failure(Failure),
    Stopped,
    Elsewhere,
}

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// The function panicked.
    Panicked {
        /// What the panic said.
        message: String,
        /// Where: file, line and column.
        location: Option<String>,
    },
    /// The function says so itself. Of initializers only.
    Failed {
        /// What its error says.
        message: String,
    },
    /// The argument did not become bytes, in the caller.
    ArgumentNotEncoded(Reason),
    /// The argument was not understood in the other process.
    ArgumentNotDecoded(Reason),
    /// The result did not become bytes in the other process.
    ResultNotEncoded(Reason),
    /// The result's bytes could not be fetched. Written by the parent of a process only.
    ResultNotFetched(Reason),
    /// The process ended while the call was under way. Written by the manager only.
    Died { process: String, status: ExitStatus },
    /// The call took longer than this, so the worker was killed. Written by the manager only.
    TimedOut(Duration),
}

/// Why a value did not become bytes, or bytes no value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Reason {
    #[error(transparent)]
    Codec(codec::Error),
    #[error("it takes more than 4 GiB")]
    TooLarge,
    #[error("the system has no room for it: {0}")]
    NoRoom(String),
}

impl From<codec::Error> for Reason {
    fn from(error: codec::Error) -> Reason {
        if error == codec::Error::NoMemory { Reason::NoRoom(error.to_string()) } else { Reason::Codec(error) }
    }
}

impl From<records::AppendError<codec::Error>> for Reason {
    fn from(error: records::AppendError<codec::Error>) -> Reason {
        match error {
            records::AppendError::Write(error) => error.into(),
            records::AppendError::TooLarge => Reason::TooLarge,
        }
    }
}

/// Appends the outcome of `call`, which appends the result's bytes or says why it cannot.
///
/// Whatever a failed call has appended is taken back.
pub(crate) fn append(buffer: &mut Vec<u8>, call: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>) {
    match records::append(buffer, call) {
        Ok(()) => {}
        Err(records::AppendError::Write(failure)) => append_failure(buffer, &failure),
        Err(records::AppendError::TooLarge) => {
            append_failure(buffer, &Failure::ResultNotEncoded(Reason::TooLarge));
        }
    }
}

/// Appends the outcome of a call that gave nothing.
pub(crate) fn append_failure(buffer: &mut Vec<u8>, failure: &Failure) {
    let start = buffer.len();
    records::append(buffer, |buffer| codec::encode(failure, buffer))
        .expect("a failure is plain data, short of 4 GiB");
    buffer[start + records::COUNT..start + records::HEAD].copy_from_slice(&FAILURE.to_le_bytes());
}

/// Takes the first item off the front; `None` at the end.
#[inline]
pub(crate) fn take_first<'a>(bytes: &mut &'a [u8]) -> Result<Option<Item<'a>>, Malformed> {
    let Some((length, count)) = take_head(bytes)? else { return Ok(None) };
    let item = match count {
        FAILURE => {
            let mut record = Run::take(bytes, length, 1)?;
            let failure = record.take_first().ok_or(Malformed)?;
            Item::Failure(codec::decode(failure).map_err(|_| Malformed)?)
        }
        STOPPED if length == 0 => Item::Stopped,
        ELSEWHERE if length == 0 => Item::Elsewhere,
        OPEN => {
            // The bytes of a result are there before they count, so all of them are whole.
            let count = bytes.len().checked_div(length).filter(|count| *count > 0).ok_or(Malformed)?;
            let run = Run::take(bytes, length, count)?;
            if !bytes.is_empty() {
                return Err(Malformed);
            }
            Item::Results(run)
        }
        1..=LONGEST_RUN => Item::Results(Run::take(bytes, length, count as usize)?),
        _ => return Err(Malformed),
    };
    Ok(Some(item))
}

/// The outcome of a row that has only one.
pub(crate) fn only(mut row: &[u8]) -> Result<Result<&[u8], Failure>, Malformed> {
    let outcome = match take_first(&mut row)? {
        Some(Item::Results(mut run)) if run.count() == 1 => Ok(run.take_first().ok_or(Malformed)?),
        Some(Item::Failure(failure)) => Err(failure),
        _ => return Err(Malformed),
    };
    if row.is_empty() { Ok(outcome) } else { Err(Malformed) }
}

/// The item that says that a chunk was withdrawn.
pub(crate) fn stopped() -> [u8; records::HEAD] {
    head(0, STOPPED)
}

/// The item in place of an outcome that comes over the channel.
pub(crate) fn elsewhere() -> [u8; records::HEAD] {
    head(0, ELSEWHERE)
}

/// How far a row of outcomes was read, one by one.
#[derive(Default)]
pub(crate) struct Place {
    /// How many bytes were.
    used: usize,
    /// Of the run that stands here: how long each result is, and how many are left.
    length: usize,
    left: usize,
}

impl Place {
    /// The results that stand here in one run; none if something else stands here.
    pub(crate) fn results<'a>(&mut self, row: &'a [u8]) -> Run<'a> {
        let mut rest = row.get(self.used..).unwrap_or_default();
        if self.left == 0
            && let Ok(Some(Item::Results(run))) = take_first(&mut { rest })
        {
            (self.used, self.length, self.left) = (self.used + records::HEAD, run.length(), run.count());
            rest = row.get(self.used..).unwrap_or_default();
        }
        Run::take(&mut rest, self.length, self.left).unwrap_or_default()
    }

    /// So many of the results that stand here were read.
    pub(crate) fn skip(&mut self, results: usize) {
        self.used += self.length * results;
        self.left -= results;
    }

    /// Whether all of the row was read.
    pub(crate) fn is_at_end(&self, row: &[u8]) -> bool {
        self.used == row.len()
    }

    /// Reads the next outcome; `None` at the end. Of the row it is known that it holds outcomes alone.
    pub(crate) fn next<'a>(&mut self, row: &'a [u8]) -> Option<Result<&'a [u8], Failure>> {
        if let Some(result) = self.results(row).take_first() {
            self.skip(1);
            return Some(Ok(result));
        }
        let mut rest = row.get(self.used..)?;
        let item = take_first(&mut rest).ok()?;
        self.used = row.len() - rest.len();
        match item? {
            Item::Failure(failure) => Some(Err(failure)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_failed_call_leaves_only_its_failure() {
        let failure = Failure::Panicked { message: "boom".into(), location: None };
        let mut buffer = Vec::new();
        append(&mut buffer, |buffer| {
            buffer.extend_from_slice(b"half a result");
            Err(failure.clone())
        });
        assert_eq!(only(&buffer), Ok(Err(failure)));
    }

    /// A row of results and failures, and what each outcome is.
    fn row() -> impl Strategy<Value = (Vec<u8>, Vec<Option<Vec<u8>>>)> {
        let failure = (1..2_usize, Just(None));
        let length = prop_oneof![Just(0_usize), Just(1), Just(8), 0..30_usize];
        let results = (1..5_usize, length.prop_map(Some));
        prop::collection::vec(prop_oneof![failure, results], 0..12).prop_map(|runs| {
            let (mut row, mut outcomes) = (Vec::new(), Vec::new());
            for (index, (count, length)) in runs.into_iter().enumerate() {
                let Some(length) = length else {
                    append_failure(&mut row, &Failure::TimedOut(Duration::from_secs(index as u64)));
                    outcomes.push(None);
                    continue;
                };
                row.extend(head(length as u32, count as u32));
                for number in 0..count {
                    let result = vec![(index + number) as u8; length];
                    row.extend(&result);
                    outcomes.push(Some(result));
                }
            }
            (row, outcomes)
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_outcomes_or_malformed(bytes: Vec<u8>, (row, _) in row()) {
            for bytes in [bytes.clone(), [row, bytes].concat()] {
                let mut rest = bytes.as_slice();
                while let Ok(Some(item)) = take_first(&mut rest) {
                    if let Item::Results(run) = item {
                        prop_assert!(run.length() * run.count() <= bytes.len());
                    }
                }
                let _ = only(&bytes);
            }
        }

        #[test]
        fn outcomes_are_read_one_by_one_or_many_at_once((row, outcomes) in row(), many: bool) {
            let (mut place, mut read) = (Place::default(), Vec::new());
            loop {
                let mut run = place.results(&row);
                if many && run.count() > 1 {
                    read.extend(run.take_first().map(|result| Some(result.to_vec())));
                    read.extend(run.take_first().map(|result| Some(result.to_vec())));
                    place.skip(2);
                }
                match place.next(&row) {
                    Some(outcome) => read.push(outcome.ok().map(<[u8]>::to_vec)),
                    None if many && place.results(&row).count() > 0 => {}
                    None => break,
                }
            }
            prop_assert_eq!(read, outcomes);
        }
    }

    #[test]
    fn an_open_run_goes_on_to_the_end_of_what_there_is() {
        let mut row = head(2, OPEN).to_vec();
        row.extend(b"onetwo");
        let Ok(Some(Item::Results(run))) = take_first(&mut row.as_slice()) else { panic!("no results") };
        assert_eq!((run.length(), run.count()), (2, 3));
        row.pop();
        assert_eq!(take_first(&mut row.as_slice()), Err(Malformed));
        assert_eq!(take_first(&mut head(0, OPEN).as_slice()), Err(Malformed));
    }

    #[test]
    fn the_items_that_are_no_outcomes_are_known_as_such() {
        assert_eq!(take_first(&mut stopped().as_slice()), Ok(Some(Item::Stopped)));
        assert_eq!(take_first(&mut elsewhere().as_slice()), Ok(Some(Item::Elsewhere)));
        assert_eq!(only(&stopped()), Err(Malformed));
    }
}
