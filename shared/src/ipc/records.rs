//! Records in a row: each its length in four bytes, least significant first, and then its bytes.
//!
//! The lengths let anyone count, skip and hand on records without knowing what is in them, and keep a record
//! that does not decode from shifting its neighbours.

use super::Malformed;

const LENGTH: usize = size_of::<u32>();

/// Appends one record, written by `write`. On an error the buffer is as it was.
pub(crate) fn append<E>(
    buffer: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), AppendError<E>> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; LENGTH]);
    let body = buffer.len();
    if let Err(error) = write(buffer) {
        buffer.truncate(start);
        return Err(AppendError::Write(error));
    }
    let Ok(length) = u32::try_from(buffer.len() - body) else {
        buffer.truncate(start);
        return Err(AppendError::TooLarge);
    };
    buffer[start..body].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Why a record was not appended.
#[derive(Debug)]
pub(crate) enum AppendError<E> {
    /// What was to be written could not be.
    Write(E),
    /// It takes more than 4 GiB.
    TooLarge,
}

/// Takes the first record off the front; `None` at the end.
#[inline]
pub(crate) fn take_first<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (length, rest) = bytes.split_first_chunk::<LENGTH>().ok_or(Malformed)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Malformed)?;
    let (record, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(Some(record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_appended_is_taken_off_in_order(values: Vec<Vec<u8>>) {
            let mut buffer = Vec::new();
            for value in &values {
                let write = |buffer: &mut Vec<u8>| {
                    buffer.extend_from_slice(value);
                    Ok::<(), ()>(())
                };
                append(&mut buffer, write).unwrap();
            }
            let mut rest = buffer.as_slice();
            for value in &values {
                prop_assert_eq!(take_first(&mut rest), Ok(Some(value.as_slice())));
            }
            prop_assert_eq!(take_first(&mut rest), Ok(None));
        }

        #[test]
        fn any_bytes_are_records_or_malformed(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            let mut taken = 0;
            while let Ok(Some(record)) = take_first(&mut rest) {
                taken += LENGTH + record.len();
            }
            prop_assert!(taken + rest.len() == bytes.len());
        }
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
}
