//! Memory that two processes map: atomic words that both use, and bytes that one writes and the other copies
//! out.
//!
//! ```text
//!   0                        HEADER                         HEADER + capacity
//!   +------------------------+------------------------------+
//!   | words of 64 bits       | bytes                        |
//!   +------------------------+------------------------------+
//! ```
//!
//! The file behind it has no name and is sealed at its size, so that neither process can pull the memory from
//! under the other. Its descriptor is closed as soon as it is mapped.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, ProtFlags};

/// One page for the words, so that the bytes begin on a page of their own.
const HEADER: usize = 4096;

/// The side that writes the bytes.
pub(crate) struct WriterSide(Mapping);

/// The side that copies the bytes out.
pub(crate) struct ReaderSide(Mapping);

impl ReaderSide {
    /// Makes memory for so many bytes; gives the descriptor by which the other side opens it.
    pub(crate) fn create(capacity: usize) -> io::Result<(ReaderSide, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("multiprocessing", flags)?;
        rustix::fs::ftruncate(&file, (HEADER + capacity) as u64)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((ReaderSide(Mapping::new(file.as_fd(), HEADER + capacity)?), file))
    }

    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        self.0.word(index)
    }

    /// A copy of some of the bytes. What is written meanwhile may or may not be in it.
    pub(crate) fn copy(&self, range: Range<usize>) -> Vec<u8> {
        range.map(|at| self.0.byte(at).load(Ordering::Relaxed)).collect()
    }
}

impl WriterSide {
    /// Maps the memory that the other side has made, for so many bytes.
    pub(crate) fn open(file: OwnedFd, capacity: usize) -> io::Result<WriterSide> {
        let size = rustix::fs::fstat(&file)?.st_size;
        let sealed = rustix::fs::fcntl_get_seals(&file)?.contains(SealFlags::SHRINK);
        if !sealed || usize::try_from(size) != Ok(HEADER + capacity) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(WriterSide(Mapping::new(file.as_fd(), HEADER + capacity)?))
    }

    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        self.0.word(index)
    }

    /// Copies into the bytes, from this place on.
    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        let target = self.0.bytes(at..at + bytes.len());
        // SAFETY: `copy_from_nonoverlapping` asks for valid memory of that length on both sides that does not
        // overlap. `bytes` checks the range; no reference into this mapping is alive, since `&mut self` is
        // held, and the other process only reads it, by atomic loads.
        unsafe { target.cast::<u8>().copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    }

    /// Some of the bytes, as this side wrote them.
    pub(crate) fn read(&self, range: Range<usize>) -> &[u8] {
        // SAFETY: a reference asks for valid memory that nobody writes while it lives: `bytes` checks the
        // range, this side writes only through `&mut self`, and `ReaderSide`, the other one, has no way to
        // write bytes.
        unsafe { self.0.bytes(range).as_ref() }
    }
}

/// A shared mapping, unmapped when dropped.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: `Send` asks that the value may be used and dropped on another thread: mappings belong to the
// process.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: BorrowedFd<'_>, length: usize) -> io::Result<Mapping> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: `mmap` asks that no existing mapping is replaced, and without MAP_FIXED none is.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), length, access, MapFlags::SHARED, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        let mapping = Mapping { start, length };
        // SAFETY: `madvise` asks for a mapping of ours that bears the advice: a copy of this process by fork
        // will not have the mapping, so that it cannot write in this process's place.
        unsafe { rustix::mm::madvise(start.as_ptr().cast(), length, Advice::LinuxDontFork) }?;
        Ok(mapping)
    }

    /// A word of the header.
    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < HEADER / size_of::<u64>(), "word {index} is not in the header");
        // SAFETY: `add` asks to stay inside the mapping, and the header is inside.
        let place = unsafe { self.start.cast::<AtomicU64>().add(index) };
        // SAFETY: a reference asks for valid, aligned memory: a mapping is aligned to a page, and lives as
        // long as `self`. Both processes use the header's words as atomics only.
        unsafe { place.as_ref() }
    }

    /// One of the bytes, as an atomic.
    fn byte(&self, at: usize) -> &AtomicU8 {
        let place = self.bytes(at..at + 1).cast::<AtomicU8>();
        // SAFETY: a reference asks for valid, aligned memory: `bytes` checks the range, a byte is always
        // aligned, and in this process the reading side uses these bytes as atomics only.
        unsafe { place.as_ref() }
    }

    fn bytes(&self, range: Range<usize>) -> NonNull<[u8]> {
        let capacity = self.length - HEADER;
        assert!(range.start <= range.end && range.end <= capacity, "bytes {range:?} of {capacity}");
        // SAFETY: `add` asks to stay inside the mapping, as was just checked.
        let start = unsafe { self.start.add(HEADER + range.start) };
        NonNull::slice_from_raw_parts(start, range.len())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `munmap` asks that nothing uses the mapping any more: every reference into it borrows from
        // `self`. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
