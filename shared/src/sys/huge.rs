//! Long buffers that are filled at once.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::buffer::spare_capacity;
use rustix::mm::Advice;

/// From this length on a buffer is given in huge pages, where the kernel is asked for them (madvise(2)): to give it
/// page by page takes longer than to fill it.
const HUGE: usize = 8 << 20;

/// The first so many bytes of a file; an error of kind `OutOfMemory` if there is no memory for them.
pub(crate) fn read(file: BorrowedFd<'_>, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length)?;
    if length >= HUGE {
        advise(&mut bytes);
    }
    while bytes.len() < length {
        let at = bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// Asks for huge pages for all pages of a buffer. Also for the first and the last one, of which the allocator has a
/// part: a mapping that is not all alike cannot be moved when the buffer grows (mremap(2)).
fn advise(buffer: &mut Vec<u8>) {
    let page = rustix::param::page_size();
    let start = buffer.as_mut_ptr();
    let before = start.addr() % page;
    let length = (before + buffer.capacity()).next_multiple_of(page);
    let first = start.wrapping_byte_sub(before);
    // SAFETY: `madvise` asks for mapped memory that bears the advice: these are the pages that hold the buffer's
    // bytes, and the advice changes nothing that can be read from them. Where it is refused, nothing is lost.
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
            assert!(read(file.as_fd(), length).unwrap() == vec![7; length]);
        }
        let why = |length| read(file.as_fd(), length).unwrap_err().kind();
        assert_eq!(why(HUGE + 2), io::ErrorKind::UnexpectedEof);
        assert_eq!(why(usize::MAX), io::ErrorKind::OutOfMemory);
    }
}
