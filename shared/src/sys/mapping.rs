//! Memory that two processes map: atomic words that both use, and two rows of bytes, each written by one side
//! and read by the other.
//!
//! ```text
//!   0          HEADER               HEADER + inward             HEADER + inward + outward
//!   +----------+--------------------+---------------------------+
//!   | words    | inward bytes:      | outward bytes:            |
//!   |          | the maker writes,  | the opener writes,        |
//!   |          | the opener reads   | the maker copies out      |
//!   +----------+--------------------+---------------------------+
//! ```
//!
//! The file behind it has no name and is sealed at its size, so that neither process can pull the memory from
//! under the other. Its descriptor is closed as soon as it is mapped.
//!
//! The opener trusts the maker: it reads the inward bytes in place, at times when the maker leaves them alone.
//! The maker trusts nobody: it only copies, by atomic loads, so that bytes may change under its hands.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, ProtFlags};

/// One page for the words, so that the bytes begin on a page of their own.
const HEADER: usize = 4096;

const WORD: usize = size_of::<u64>();

/// So many words are copied out at a time.
const PIECE: usize = 8;

/// How many bytes each side may write. Both numbers are multiples of a word's size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) inward: usize,
    pub(crate) outward: usize,
}

impl Sizes {
    fn total(self) -> usize {
        HEADER + self.inward + self.outward
    }
}

/// The side that made the memory.
pub(crate) struct MakerSide(Mapping);

/// The side that was given it.
pub(crate) struct OpenerSide(Mapping);

impl MakerSide {
    /// Makes the memory, all of it zero; gives the descriptor by which the other side opens it.
    pub(crate) fn create(sizes: Sizes) -> io::Result<(MakerSide, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("multiprocessing", flags)?;
        rustix::fs::ftruncate(&file, sizes.total() as u64)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((MakerSide(Mapping::new(file.as_fd(), sizes)?), file))
    }

    /// A word of the header, by its number.
    #[inline(always)]
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        self.0.word(index)
    }

    /// A word of the header as 32 bits. A word is used either as this or as that, by both sides.
    pub(crate) fn flag(&self, index: usize) -> &AtomicU32 {
        self.0.flag(index)
    }

    /// Copies into the inward bytes, from this place on.
    #[inline(always)]
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        self.0.write(self.0.inward(at..at + bytes.len()), bytes);
    }

    /// Appends a copy of some of the outward bytes. What is written meanwhile may or may not be in it.
    pub(crate) fn copy(&self, range: Range<usize>, target: &mut Vec<u8>) {
        let (first, last) = (range.start / WORD * WORD, range.end.next_multiple_of(WORD));
        let end = target.len() + range.len();
        target.reserve(last - first);
        let words = self.0.atomics(self.0.outward(first..last));
        let Some((word, words)) = words.split_first() else { return };
        target.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes()[range.start - first..]);
        // Many words to a piece: the room in the vector is looked at once for all of them.
        let (pieces, words) = words.as_chunks::<PIECE>();
        for piece in pieces {
            let mut copy = [[0; WORD]; PIECE];
            for (copy, word) in copy.iter_mut().zip(piece) {
                *copy = word.load(Ordering::Relaxed).to_ne_bytes();
            }
            target.extend_from_slice(copy.as_flattened());
        }
        for word in words {
            target.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        target.truncate(end);
    }
}

impl OpenerSide {
    /// Maps the memory that the other side has made with these sizes.
    pub(crate) fn open(file: OwnedFd, sizes: Sizes) -> io::Result<OpenerSide> {
        let size = rustix::fs::fstat(&file)?.st_size;
        let sealed = rustix::fs::fcntl_get_seals(&file)?.contains(SealFlags::SHRINK);
        if !sealed || usize::try_from(size) != Ok(sizes.total()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(OpenerSide(Mapping::new(file.as_fd(), sizes)?))
    }

    /// A word of the header, by its number.
    #[inline(always)]
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        self.0.word(index)
    }

    /// A word of the header as 32 bits. A word is used either as this or as that, by both sides.
    pub(crate) fn flag(&self, index: usize) -> &AtomicU32 {
        self.0.flag(index)
    }

    /// Some of the inward bytes. The maker has to leave them alone while they are looked at.
    pub(crate) fn read(&self, range: Range<usize>) -> &[u8] {
        // SAFETY: a reference asks for valid memory that nobody writes while it lives: `inward` checks the
        // range, this side has no way to write inward bytes, and the maker, the same program, writes none
        // that it has handed over (`ipc/requests.rs`).
        unsafe { self.0.inward(range).as_ref() }
    }

    /// Copies into the outward bytes, from this place on.
    #[inline(always)]
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        self.0.write(self.0.outward(at..at + bytes.len()), bytes);
    }
}

/// A shared mapping, unmapped when dropped.
struct Mapping {
    start: NonNull<u8>,
    sizes: Sizes,
}

// SAFETY: `Send` asks that the value may be used and dropped on another thread: mappings belong to the
// process. It is not `Sync`, so that no two threads write bytes at once.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: BorrowedFd<'_>, sizes: Sizes) -> io::Result<Mapping> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let length = sizes.total();
        // SAFETY: `mmap` asks that no existing mapping is replaced, and without MAP_FIXED none is.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), length, access, MapFlags::SHARED, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        let mapping = Mapping { start, sizes };
        // SAFETY: `madvise` asks for a mapping of ours that bears the advice: a copy of this process by fork
        // will not have the mapping, so that it cannot write in this process's place.
        unsafe { rustix::mm::madvise(start.as_ptr().cast(), length, Advice::LinuxDontFork) }?;
        Ok(mapping)
    }

    #[inline(always)]
    fn word(&self, index: usize) -> &AtomicU64 {
        let place = self.header(index).cast::<AtomicU64>();
        // SAFETY: a reference asks for valid, aligned memory: a mapping is aligned to a page, and lives as
        // long as `self`. Both processes use the header's words as atomics only.
        unsafe { place.as_ref() }
    }

    fn flag(&self, index: usize) -> &AtomicU32 {
        let place = self.header(index).cast::<AtomicU32>();
        // SAFETY: as in `word`, and a word's first half is aligned for 32 bits.
        unsafe { place.as_ref() }
    }

    /// The place of a word of the header, which every mapping begins with.
    #[inline(always)]
    fn header(&self, index: usize) -> NonNull<u8> {
        assert!(index < HEADER / WORD, "word {index} of a header of {HEADER} bytes");
        // SAFETY: `add` asks to stay inside the mapping, as was just checked.
        unsafe { self.start.add(WORD * index) }
    }

    fn inward(&self, range: Range<usize>) -> NonNull<[u8]> {
        let end = HEADER + self.sizes.inward;
        NonNull::slice_from_raw_parts(self.place(HEADER + range.start, range.len(), end), range.len())
    }

    #[inline(always)]
    fn outward(&self, range: Range<usize>) -> NonNull<[u8]> {
        let start = HEADER + self.sizes.inward + range.start;
        NonNull::slice_from_raw_parts(self.place(start, range.len(), self.sizes.total()), range.len())
    }

    /// A place in the mapping with so many bytes behind it, all before `end`.
    #[inline(always)]
    fn place(&self, start: usize, length: usize, end: usize) -> NonNull<u8> {
        let inside = start.checked_add(length).is_some_and(|last| last <= end && end <= self.sizes.total());
        assert!(inside, "{length} bytes at {start} of a memory of {end}");
        // SAFETY: `add` asks to stay inside the mapping, as was just checked.
        unsafe { self.start.add(start) }
    }

    #[inline(always)]
    fn write(&self, target: NonNull<[u8]>, bytes: &[u8]) {
        let source = NonNull::from(bytes).cast::<u8>();
        // SAFETY: `copy_from_nonoverlapping` asks for valid memory of that length on both sides that does not
        // overlap: `inward` and `outward` have checked the target's range, and each side writes only bytes to
        // which it makes no reference. No other thread of this process writes, as the mapping is not `Sync`;
        // the other process looks at them only when told so, or by atomic loads.
        unsafe { target.cast::<u8>().copy_from_nonoverlapping(source, bytes.len()) };
    }

    /// Bytes that begin and end at whole words, as atomics.
    fn atomics(&self, bytes: NonNull<[u8]>) -> &[AtomicU64] {
        let words = NonNull::slice_from_raw_parts(bytes.cast::<AtomicU64>(), bytes.len() / WORD);
        assert!(words.cast::<AtomicU64>().is_aligned(), "bytes that do not begin at a word");
        // SAFETY: a reference asks for valid, aligned memory: `outward` has checked the range, and the line
        // above the alignment. In this process, which only reads these bytes, they are used as atomics alone.
        unsafe { words.as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `munmap` asks that nothing uses the mapping any more: every reference into it borrows from
        // `self`. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.sizes.total()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { inward: 64, outward: 128 };

    fn both_sides() -> (MakerSide, OpenerSide) {
        let (maker, file) = MakerSide::create(SIZES).unwrap();
        (maker, OpenerSide::open(file, SIZES).unwrap())
    }

    #[test]
    fn bytes_cross_in_both_directions_at_any_place() {
        let (maker, opener) = both_sides();
        let bytes: Vec<u8> = (1..=128).collect();
        maker.write(0, &bytes[..64]);
        opener.write(0, &bytes);
        for start in 0..20 {
            for end in start..=64 {
                assert_eq!(opener.read(start..end), &bytes[start..end]);
                let mut copy = vec![99];
                maker.copy(start..end, &mut copy);
                assert_eq!((copy[0], &copy[1..]), (99, &bytes[start..end]));
            }
        }
    }

    #[test]
    fn a_memory_of_another_size_is_refused() {
        let (_maker, file) = MakerSide::create(SIZES).unwrap();
        assert!(OpenerSide::open(file, Sizes { inward: 64, outward: 64 }).is_err());
    }
}
