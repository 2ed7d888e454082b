//! A value that is too large for a channel's buffer, in a file without a name.
//!
//! Whoever sends it never waits for the other side to read: a child can end, and its parent go on, with the
//! value handed over. The file is memory, and gone when its last descriptor is closed.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;

use rustix::fs::MemfdFlags;

/// A value of up to this many bytes goes through the channel: a fresh one takes it in one piece, whatever
/// the system's limits.
pub(crate) const INLINE: usize = 16 << 10;

/// Puts the bytes into a file.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(rustix::fs::memfd_create("multiprocessing", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file.into())
}

/// Takes the bytes out again.
pub(crate) fn unpack(file: OwnedFd) -> io::Result<Vec<u8>> {
    let mut file = File::from(file);
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
