//! A value that is too large for a channel's buffer, in a file without a name.
//!
//! Whoever sends it never waits for the other side to read: a child can end, and its parent go on, with the
//! value handed over. The file is memory, and gone when its last descriptor is closed.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;

use rustix::fs::MemfdFlags;

use crate::sys::nameless;

/// A value of up to this many bytes goes through the channel: a fresh one takes it in one piece, whatever
/// the system's limits.
pub(crate) const INLINE: usize = 16 << 10;

/// Puts the bytes into a file.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(nameless::create(bytes.len(), MemfdFlags::empty())?);
    file.write_all(bytes)?;
    Ok(file.into())
}

/// Takes the bytes out again.
pub(crate) fn unpack(file: OwnedFd) -> io::Result<Vec<u8>> {
    let mut file = File::from(file);
    // Whatever else a process gone wild may send, a device without an end for one, is not read.
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_nothing_else_is() {
        for length in [0, 1, INLINE + 1] {
            let bytes = vec![7; length];
            assert_eq!(unpack(pack(&bytes).unwrap()).unwrap(), bytes);
        }
        for other in ["/dev/zero", "/proc"] {
            assert!(unpack(File::open(other).unwrap().into()).is_err(), "{other}");
        }
        assert!(unpack(rustix::pipe::pipe().unwrap().0).is_err());
    }
}
