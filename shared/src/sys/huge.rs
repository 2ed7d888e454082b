//! Long vectors that are filled at once.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::slice;

use bytemuck::Pod;
use rustix::mm::Advice;

/// From so many bytes on a vector is given in huge pages, where the kernel is asked for them (madvise(2)): to give it
/// page by page takes longer than to fill it.
const HUGE: usize = 8 << 20;

/// The first so many numbers of a file; an error of kind `OutOfMemory` if there is no memory for them.
pub(crate) fn read<N: Pod>(file: BorrowedFd<'_>, count: usize) -> io::Result<Vec<N>> {
    let mut numbers: Vec<N> = Vec::new();
    numbers.try_reserve_exact(count)?;
    let length = count * size_of::<N>();
    if length >= HUGE {
        advise(&mut numbers);
    }
    let start = numbers.as_mut_ptr().cast::<MaybeUninit<u8>>();
    // SAFETY: `from_raw_parts_mut` asks for so much memory that nobody else uses meanwhile: room for that many numbers
    // was made above, and the vector is not touched before its length is set. Nothing has to be in it.
    let mut room = unsafe { slice::from_raw_parts_mut(start, length) };
    while !room.is_empty() {
        let at = (length - room.len()) as u64;
        match rustix::io::pread(file, &mut *room, at) {
            Ok(([], _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok((filled, _)) => {
                let filled = filled.len();
                room = &mut room[filled..];
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // SAFETY: `set_len` asks for so much capacity, which was made, and for values in it: all bytes were written, and
    // any bytes are a number, as the type's bound says.
    unsafe { numbers.set_len(count) };
    Ok(numbers)
}

/// Asks for huge pages for all pages of a vector. Also for the first and the last one, of which the allocator has a
/// part: a mapping that is not all alike cannot be moved when the vector grows (mremap(2)).
fn advise<N>(vector: &mut Vec<N>) {
    let page = rustix::param::page_size();
    let start = vector.as_mut_ptr();
    let before = start.addr() % page;
    let length = (before + vector.capacity() * size_of::<N>()).next_multiple_of(page);
    let first = start.wrapping_byte_sub(before);
    // SAFETY: `madvise` asks for mapped memory that bears the advice: these are the pages that hold the vector's
    // numbers, and the advice changes nothing that can be read from them. Where it is refused, nothing is lost.
    let _ = unsafe { rustix::mm::madvise(first.cast(), length, Advice::LinuxHugepage) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let file = tempfile::tempfile().unwrap();
        for length in [0, 1, 10_000, HUGE + 1] {
            file.write_all_at(&vec![7; length], 0).unwrap();
            assert!(read::<u8>(file.as_fd(), length).unwrap() == vec![7; length]);
            let numbers = read::<u64>(file.as_fd(), length / 8).unwrap();
            assert!(numbers == vec![u64::from_ne_bytes([7; 8]); length / 8]);
        }
        let why = |length| read::<u8>(file.as_fd(), length).unwrap_err().kind();
        assert_eq!(why(HUGE + 2), io::ErrorKind::UnexpectedEof);
        assert_eq!(why(usize::MAX), io::ErrorKind::OutOfMemory);
        assert_eq!(read::<u64>(file.as_fd(), usize::MAX).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
