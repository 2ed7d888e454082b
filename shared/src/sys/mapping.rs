//! Memory that two processes map: atomic words that both use, and two rows of bytes, each written by one side
//! and read by the other.
//!
//! ```text
//!   0          HEADER               HEADER + INWARD             HEADER + INWARD + OUTWARD
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

use super::nameless;

/// Room for the words. The inward bytes begin on the same page: a worker that gets little work takes no more.
const HEADER: usize = 1024;

const WORD: usize = size_of::<u64>();

/// So many words are copied out at a time.
const PIECE: usize = 8;

/// How many bytes the maker may write: room for some chunks of the default size at a time. These sizes are
/// constants, so that no small call looks them up.
pub(crate) const INWARD: usize = 128 << 10;

/// How many bytes the opener may write.
pub(crate) const OUTWARD: usize = 128 << 10;

const TOTAL: usize = HEADER + INWARD + OUTWARD;

/// The words of the header.
pub(crate) type Words = [AtomicU64; HEADER / WORD];

/// The side that made the memory.
pub(crate) struct MakerSide(Mapping);

/// The side that was given it.
pub(crate) struct OpenerSide(Mapping);

impl MakerSide {
    /// Makes the memory, all of it zero; gives the descriptor by which the other side opens it.
    pub(crate) fn create() -> io::Result<(MakerSide, OwnedFd)> {
        let file = nameless::create(TOTAL, MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((MakerSide(Mapping::new(file.as_fd())?), file))
    }

    /// A word of the header, by its number.
    #[inline(always)]
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        &self.0.words()[index]
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
    /// Maps the memory that the other side has made.
    pub(crate) fn open(file: OwnedFd) -> io::Result<OpenerSide> {
        let size = rustix::fs::fstat(&file)?.st_size;
        let sealed = rustix::fs::fcntl_get_seals(&file)?.contains(SealFlags::SHRINK);
        if !sealed || usize::try_from(size) != Ok(TOTAL) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(OpenerSide(Mapping::new(file.as_fd())?))
    }

    /// The words of the header.
    #[inline(always)]
    pub(crate) fn words(&self) -> &Words {
        self.0.words()
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

/// A shared mapping, by its start; unmapped when dropped.
struct Mapping(NonNull<u8>);

// SAFETY: `Send` asks that the value may be used and dropped on another thread: mappings belong to the
// process. It is not `Sync`, so that no two threads write bytes at once.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: BorrowedFd<'_>) -> io::Result<Mapping> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: `mmap` asks that no existing mapping is replaced, and without MAP_FIXED none is.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), TOTAL, access, MapFlags::SHARED, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        let mapping = Mapping(start);
        // SAFETY: `madvise` asks for a mapping of ours that bears the advice: a copy of this process by fork
        // will not have the mapping, so that it cannot write in this process's place.
        unsafe { rustix::mm::madvise(start.as_ptr().cast(), TOTAL, Advice::LinuxDontFork) }?;
        Ok(mapping)
    }

    #[inline(always)]
    fn words(&self) -> &Words {
        // SAFETY: a reference asks for valid, aligned memory: a mapping begins with the header, is aligned to a
        // page, and lives as long as `self`. Both processes use the header's words as atomics only.
        unsafe { self.0.cast().as_ref() }
    }

    fn flag(&self, index: usize) -> &AtomicU32 {
        let word = NonNull::from(&self.words()[index]);
        // SAFETY: as in `words`, and a word's first half is aligned for 32 bits.
        unsafe { word.cast().as_ref() }
    }

    #[inline(always)]
    fn inward(&self, range: Range<usize>) -> NonNull<[u8]> {
        self.bytes::<HEADER, INWARD>(range)
    }

    #[inline(always)]
    fn outward(&self, range: Range<usize>) -> NonNull<[u8]> {
        self.bytes::<{ HEADER + INWARD }, OUTWARD>(range)
    }

    /// Some of the `LENGTH` bytes that begin at `START`.
    #[inline(always)]
    fn bytes<const START: usize, const LENGTH: usize>(&self, range: Range<usize>) -> NonNull<[u8]> {
        const { assert!(START + LENGTH <= TOTAL) };
        if range.start > range.end || range.end > LENGTH {
            outside(range, LENGTH);
        }
        // SAFETY: `add` asks to stay inside the mapping, as was just checked.
        let start = unsafe { self.0.add(START + range.start) };
        NonNull::slice_from_raw_parts(start, range.len())
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

/// Apart, so that the places of small results need not be in memory for a text that is never written.
#[cold]
fn outside(range: Range<usize>, length: usize) -> ! {
    panic!("bytes {range:?} of {length}")
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `munmap` asks that nothing uses the mapping any more: every reference into it borrows from
        // `self`. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.0.as_ptr().cast(), TOTAL) };
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use super::*;

    fn both_sides() -> (MakerSide, OpenerSide) {
        let (maker, file) = MakerSide::create().unwrap();
        (maker, OpenerSide::open(file).unwrap())
    }

    #[test]
    fn bytes_cross_in_both_directions_at_any_place() {
        let (maker, opener) = both_sides();
        let bytes: Vec<u8> = (1..=128).collect();
        for (at_in, at_out) in [(0, 0), (INWARD - 64, OUTWARD - 128)] {
            maker.write(at_in, &bytes[..64]);
            opener.write(at_out, &bytes);
            for start in 0..20 {
                for end in start..=64 {
                    assert_eq!(opener.read(at_in + start..at_in + end), &bytes[start..end]);
                    let mut copy = vec![99];
                    maker.copy(at_out + start..at_out + end, &mut copy);
                    assert_eq!((copy[0], &copy[1..]), (99, &bytes[start..end]));
                }
            }
        }
    }

    #[test]
    fn nothing_is_written_beyond_the_bytes() {
        let (maker, opener) = both_sides();
        let refused = |write: &dyn Fn()| std::panic::catch_unwind(AssertUnwindSafe(write)).is_err();
        assert!(refused(&|| maker.write(INWARD - 3, &[1; 4])));
        assert!(refused(&|| opener.write(OUTWARD - 3, &[1; 4])));
        assert!(refused(&|| opener.write(usize::MAX, &[1; 4])));
        assert!(refused(&|| maker.copy(0..OUTWARD + 8, &mut Vec::new())));
    }

    #[test]
    fn a_memory_of_another_size_is_refused() {
        let file = nameless::create(TOTAL / 2, MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        assert!(OpenerSide::open(file).is_err());
    }
}
