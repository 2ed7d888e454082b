//! What came of one call: the encoded result, or why there is none.
//!
//! An outcome is a record of one tag byte and what belongs to it. Where a worker's outcomes stand in a row, there
//! are two more tags, of records that are nothing but their tag.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Malformed, codec, records};
use crate::status::ExitStatus;

const VALUE: u8 = 0;
const FAILURE: u8 = 1;
const STOPPED: u8 = 2;
const ELSEWHERE: u8 = 3;

/// What a record in a worker's row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Value,
    Failure,
    /// The worker has stopped with a chunk that was withdrawn. The next outcome is of another one.
    Stopped,
    /// The next outcome is too long for the row, and comes over the channel.
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
    let appended = records::append(buffer, |buffer| {
        buffer.push(VALUE);
        call(buffer)
    });
    match appended {
        Ok(()) => {}
        Err(records::AppendError::Write(failure)) => append_failure(buffer, &failure),
        Err(records::AppendError::TooLarge) => {
            append_failure(buffer, &Failure::ResultNotEncoded(Reason::TooLarge));
        }
    }
}

/// Appends the outcome of a call that gave nothing.
pub(crate) fn append_failure(buffer: &mut Vec<u8>, failure: &Failure) {
    records::append(buffer, |buffer| {
        buffer.push(FAILURE);
        codec::encode(failure, buffer)
    })
    .expect("a failure is plain data, short of 4 GiB");
}

/// Takes the first outcome off the front; `None` at the end.
#[inline]
pub(crate) fn take_first<'a>(bytes: &mut &'a [u8]) -> Result<Option<Result<&'a [u8], Failure>>, Malformed> {
    let Some(record) = records::take_first(bytes)? else { return Ok(None) };
    match record.split_first() {
        Some((&VALUE, value)) => Ok(Some(Ok(value))),
        Some((&FAILURE, failure)) => Ok(Some(Err(codec::decode(failure).map_err(|_| Malformed)?))),
        _ => Err(Malformed),
    }
}

/// Takes the first record off the front and says what it is; `None` at the end.
#[inline]
pub(crate) fn take_kind(bytes: &mut &[u8]) -> Result<Option<Kind>, Malformed> {
    Ok(match records::take_first(bytes)? {
        None => None,
        Some([VALUE, ..]) => Some(Kind::Value),
        Some([FAILURE, failure @ ..]) => {
            let _: Failure = codec::decode(failure).map_err(|_| Malformed)?;
            Some(Kind::Failure)
        }
        Some([STOPPED]) => Some(Kind::Stopped),
        Some([ELSEWHERE]) => Some(Kind::Elsewhere),
        Some(_) => return Err(Malformed),
    })
}

/// The record that says that a chunk was withdrawn.
pub(crate) const STOPPED_RECORD: [u8; 5] = [1, 0, 0, 0, STOPPED];

/// The record in place of an outcome that comes over the channel.
pub(crate) const ELSEWHERE_RECORD: [u8; 5] = [1, 0, 0, 0, ELSEWHERE];

/// Whether the first of the outcomes is a failure.
pub(crate) fn is_failure(outcomes: &[u8]) -> bool {
    matches!(records::take_first(&mut { outcomes }), Ok(Some([FAILURE, ..])))
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
        let mut rest = buffer.as_slice();
        assert_eq!(take_first(&mut rest), Ok(Some(Err(failure))));
        assert_eq!(take_first(&mut rest), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_outcomes_or_malformed(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while let Ok(Some(_)) = take_first(&mut rest) {}
            prop_assert!(rest.len() <= bytes.len());
        }

        /// Who hands a row on after a look at the kinds only gives the others nothing that they cannot read.
        #[test]
        fn a_row_of_known_kinds_is_a_row_of_outcomes(bytes: Vec<u8>, reason: Option<String>) {
            let mut row = Vec::new();
            append(&mut row, |buffer| {
                buffer.extend_from_slice(&bytes);
                reason.map_or(Ok(()), |message| Err(Failure::Panicked { message, location: None }))
            });
            row.extend(bytes);
            let (mut kinds, mut outcomes) = (row.as_slice(), row.as_slice());
            while let Ok(Some(kind)) = take_kind(&mut kinds) {
                let outcome = take_first(&mut outcomes);
                match kind {
                    Kind::Value => prop_assert!(matches!(outcome, Ok(Some(Ok(_))))),
                    Kind::Failure => prop_assert!(matches!(outcome, Ok(Some(Err(_))))),
                    Kind::Stopped | Kind::Elsewhere => break,
                }
            }
        }
    }

    #[test]
    fn the_records_that_are_no_outcomes_are_known_as_such() {
        assert_eq!(take_kind(&mut STOPPED_RECORD.as_slice()), Ok(Some(Kind::Stopped)));
        assert_eq!(take_kind(&mut ELSEWHERE_RECORD.as_slice()), Ok(Some(Kind::Elsewhere)));
        assert_eq!(take_first(&mut STOPPED_RECORD.as_slice()), Err(Malformed));
    }
}
