//! The code that this process runs, moved to where copies of the process have it at once.
//!
//! In a copy made by clone(2) no page of a file is mapped: each page of code that it comes to costs it a fault,
//! which maps the pages around as well, and at its end all of these are unmapped. Private memory is mapped in
//! the copy as it was in the original; that takes longer the more pages there are, but the parts of a huge page
//! are mapped and unmapped many at a time. So the code is copied into huge pages, and these take the place of the
//! file's.
//!
//! Nothing is changed where that would gain nothing (no huge pages, too much code) or might do harm: where others
//! have put breakpoints into the code, and where the kernel grants memory strictly, since then it could refuse to
//! put the copy in place when the original is gone already.
//!
//! To those who look on from outside, such code belongs to no file. A probe that is put into the file later
//! (uprobes) never fires in it, and perf(1), if it is attached later, has no names for it.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::ptr::{self, NonNull};
use std::slice;

use libc::c_void;
use rustix::mm::{Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags};

const HUGE: usize = 2 << 20;

/// More code than this stays where it is: it costs as much memory, and copies that come to little of it would take
/// longer than before.
const MOST: usize = 3 * HUGE;

/// What proc_pid_pagemap(5) says of a page: whether it is there, and whether it is a file's.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_A_FILE: u64 = 1 << 61;

/// Moves the code of the program and its libraries into huge pages; `false` if it stays where it is.
///
/// On other machines than x86-64 it always stays: after code was written, other CPUs might have to be told.
///
/// # Errors
///
/// Those of mmap(2) and its kin, and of reading the code. What was not moved by then stays.
pub(crate) fn move_into_huge_pages() -> io::Result<bool> {
    if cfg!(not(target_arch = "x86_64")) || grants_strictly()? {
        return Ok(false);
    }
    let maps = fs::read_to_string("/proc/self/maps")?;
    let code: Vec<Range<usize>> = maps.lines().filter_map(code_of_a_file).collect();
    let length = code.iter().map(Range::len).sum();
    if length == 0 || length > MOST {
        return Ok(false);
    }
    let mut pages = HugePages::new(length)?;
    if !pages.are_there()? {
        return Ok(false);
    }
    let memory = File::open("/proc/self/mem")?;
    let mut rest = pages.bytes();
    for range in &code {
        // A page that the file has not any more is an error to read(2), and a signal to whoever reads it in place.
        memory.read_exact_at(&mut rest[..range.len()], range.start as u64)?;
        rest = &mut rest[range.len()..];
    }
    // After the copy was made, so that nothing is in it that is not the file's.
    for range in &code {
        if pagemap(range)?.iter().any(|page| is_changed(*page)) {
            return Ok(false);
        }
    }
    pages.put_in_place(&code)?;
    Ok(true)
}

/// Whether the kernel grants no more memory than there is, see proc_sys_vm(5).
fn grants_strictly() -> io::Result<bool> {
    Ok(fs::read_to_string("/proc/sys/vm/overcommit_memory")?.trim() == "2")
}

/// Where a line of proc_pid_maps(5) has code of a file that this process cannot change by itself.
fn code_of_a_file(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_whitespace();
    let (range, access) = (words.next()?, words.next()?);
    if access != "r-xp" || !words.nth(3)?.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

/// What the kernel says of each page of this range.
fn pagemap(range: &Range<usize>) -> io::Result<Vec<u64>> {
    let page = rustix::param::page_size();
    let mut entries = vec![0; range.len() / page * size_of::<u64>()];
    let place = range.start / page * size_of::<u64>();
    File::open("/proc/self/pagemap")?.read_exact_at(&mut entries, place as u64)?;
    Ok(entries.as_chunks().0.iter().map(|entry| u64::from_ne_bytes(*entry)).collect())
}

/// Whether a page of a file's private mapping is not the file's any more, since it was written to.
fn is_changed(page: u64) -> bool {
    page & SWAPPED != 0 || page & PRESENT != 0 && page & OF_A_FILE == 0
}

/// Memory that begins with a huge page and ends with one. What was not moved away is unmapped at the end; no other
/// memory may be mapped between the first move and that, as it could take the place of what has left.
struct HugePages {
    /// All that was mapped.
    mapped: NonNull<c_void>,
    mapped_length: usize,
    start: NonNull<c_void>,
    length: usize,
}

impl HugePages {
    fn new(length: usize) -> io::Result<HugePages> {
        let length = length.next_multiple_of(HUGE);
        let mapped_length = length + HUGE;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // Not reserved: each copy of the process would be charged for it once more.
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: `mmap_anonymous` asks for nothing where it may choose the place.
        let mapped = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), mapped_length, access, flags) }?;
        let mapped = NonNull::new(mapped).ok_or(io::ErrorKind::OutOfMemory)?;
        let before = mapped.addr().get().next_multiple_of(HUGE) - mapped.addr().get();
        // SAFETY: `byte_add` asks for a place in what was mapped, which is by a huge page longer than needed.
        let start = unsafe { mapped.byte_add(before) };
        let pages = HugePages { mapped, mapped_length, start, length };
        // SAFETY: `madvise` asks for mapped memory that bears the advice: these pages are nobody else's.
        unsafe { rustix::mm::madvise(start.as_ptr(), length, Advice::LinuxHugepage) }?;
        Ok(pages)
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `from_raw_parts_mut` asks for so much memory that is there and nobody else's: it was mapped for this
        // value, which is borrowed as long; what takes parts of it away, takes the value.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.length) }
    }

    /// Whether the kernel gives huge pages: then all parts are there as soon as the first one is used.
    fn are_there(&mut self) -> io::Result<bool> {
        self.bytes().iter_mut().step_by(HUGE).for_each(|first| *first = 0);
        let start = self.start.addr().get();
        Ok(pagemap(&(start..start + self.length))?.iter().all(|page| page & PRESENT != 0))
    }

    /// Puts copies of these ranges of code, which are here one behind the other, in the place of the code.
    fn put_in_place(self, code: &[Range<usize>]) -> io::Result<()> {
        let mut rest = self.start;
        for range in code {
            let length = range.len();
            let copy = rest.as_ptr();
            // SAFETY: `byte_add` asks for a place in or behind what was mapped, which is as long as all copies together.
            rest = unsafe { rest.byte_add(length) };
            // SAFETY: `mprotect` asks that nobody relies on another access to these pages: they are this value's own,
            // and nothing writes to them any more.
            unsafe { rustix::mm::mprotect(copy, length, MprotectFlags::READ | MprotectFlags::EXEC) }?;
            let place = ptr::with_exposed_provenance_mut(range.start);
            // SAFETY: `mremap_fixed` asks that nobody relies on what it replaces. Everybody does, but finds the same bytes
            // there with the same access, before any code of this process's one thread runs again. Should the kernel
            // fail between the two, having no memory for its own lists, this process ends by a signal.
            unsafe { rustix::mm::mremap_fixed(copy, length, length, MremapFlags::MAYMOVE, place) }?;
        }
        Ok(())
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        // SAFETY: `munmap` asks that nobody uses what is there: it is this value's own, and what was moved away from
        // it is elsewhere by now. Should it fail, the memory stays mapped, and nothing else.
        let _ = unsafe { rustix::mm::munmap(self.mapped.as_ptr(), self.mapped_length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_found() {
        let code = "55a1dc400000-55a1dc5d3000 r-xp 00093000 fe:00 4711   /usr/bin/a program";
        assert_eq!(code_of_a_file(code), Some(0x55a1_dc40_0000..0x55a1_dc5d_3000));
        let others = [
            "55a1dc400000-55a1dc5d3000 r--p 00093000 fe:00 4711   /usr/bin/program",
            "55a1dc400000-55a1dc5d3000 rwxp 00093000 fe:00 4711   /usr/bin/program",
            "55a1dc400000-55a1dc5d3000 r-xs 00093000 fe:00 4711   /usr/bin/program",
            "7ffd7fbd0000-7ffd7fbd2000 r-xp 00000000 00:00 0      [vdso]",
            "7f12a0000000-7f12a0200000 r-xp 00000000 00:00 0",
            "",
        ];
        assert_eq!(others.map(code_of_a_file), [const { None }; 6]);
    }

    #[test]
    fn pages_are_huge_or_are_found_not_to_be() {
        let mut pages = HugePages::new(HUGE + 1).unwrap();
        assert_eq!((pages.start.addr().get() % HUGE, pages.length), (0, 2 * HUGE));
        // SAFETY: `madvise` asks for mapped memory that bears the advice: these pages are nobody else's.
        unsafe { rustix::mm::madvise(pages.start.as_ptr(), pages.length, Advice::LinuxNoHugepage) }.unwrap();
        assert!(!pages.are_there().unwrap());
    }

    #[test]
    fn a_page_that_was_written_to_is_known_from_its_file_s() {
        let file = tempfile::tempfile().unwrap();
        let page = rustix::param::page_size();
        file.set_len(2 * page as u64).unwrap();
        let (access, private) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: `mmap` asks for nothing where it may choose the place.
        let mapped =
            unsafe { rustix::mm::mmap(ptr::null_mut(), 2 * page, access, private, &file, 0) }.unwrap();
        let mapped: *mut u8 = mapped.cast();
        // SAFETY: `read_volatile` asks for a byte that can be read, which the file has.
        unsafe { mapped.read_volatile() };
        // SAFETY: `byte_add` asks for a place in what was mapped.
        let second = unsafe { mapped.byte_add(page) };
        // SAFETY: `write_volatile` asks for a byte that can be written.
        unsafe { second.write_volatile(0xcc) };
        let pages = pagemap(&(mapped.addr()..mapped.addr() + 2 * page)).unwrap();
        assert_eq!(pages.iter().map(|page| is_changed(*page)).collect::<Vec<_>>(), [false, true]);
        // SAFETY: `munmap` asks that nobody uses the memory any more.
        unsafe { rustix::mm::munmap(mapped.cast(), 2 * page) }.unwrap();
    }
}
