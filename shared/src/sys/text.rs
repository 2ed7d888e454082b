//! The code that this process runs, moved to where copies of the process have it at once.
//!
//! In a copy made by clone(2) no page of a file is mapped: each page of code that it comes to costs it a fault,
//! which maps the pages around as well, and at its end all of these are unmapped, one by one. Private memory is
//! mapped in the copy as it was in the original, and a huge page with all its parts together. So the code is
//! copied into huge pages, and these take the place of the file's.
//!
//! Without huge pages nothing is gained, and nothing is changed then. Who looks at such a process from outside
//! by its maps, as perf(1) does that was attached later, sees code that belongs to no file.

use std::fs;
use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};

use libc::c_void;
use rustix::mm::{Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags};

const HUGE: usize = 2 << 20;

/// More code than this stays where it is: it would take as much memory again, and milliseconds to be copied.
const MOST: usize = 8 * HUGE;

/// Moves the code of the program and its libraries into huge pages; `false` if it stays where it is, since it is
/// too much or the kernel has no huge pages for it.
///
/// On other machines than x86-64 it always stays: after code was written, other CPUs might have to be told.
///
/// # Errors
///
/// Those of mmap(2) and its kin. All code is there and the same as before.
pub(crate) fn move_into_huge_pages() -> io::Result<bool> {
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(false);
    }
    let maps = fs::read_to_string("/proc/self/maps")?;
    let code: Vec<Range<usize>> = maps.lines().filter_map(code_of_a_file).collect();
    let length = code.iter().map(Range::len).sum();
    if length == 0 || length > MOST {
        return Ok(false);
    }
    let pages = HugePages::new(length)?;
    let mut copies = Vec::new();
    let mut rest = pages.start;
    for range in &code {
        let from: *const u8 = ptr::with_exposed_provenance(range.start);
        // SAFETY: `copy_nonoverlapping` asks for as many bytes at both places, apart from each other: the kernel
        // has just named the first as mapped and readable, and nobody unmaps code that is there from the start;
        // the other is memory of this function's own, as long as all of the code.
        unsafe { ptr::copy_nonoverlapping(from, rest.as_ptr().cast(), range.len()) };
        copies.push(rest);
        // SAFETY: `add` asks for a place in or behind the memory that was mapped, which is as long as all the
        // ranges together.
        rest = unsafe { rest.byte_add(range.len()) };
    }
    if !pages.are_huge()? {
        return Ok(false);
    }
    for (range, copy) in code.iter().zip(copies) {
        put_in_place(copy, range)?;
    }
    Ok(true)
}

/// Where a line of proc_pid_maps(5) has code of a file that nobody can change.
fn code_of_a_file(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_whitespace();
    let (range, access) = (words.next()?, words.next()?);
    let is_code = access == "r-xp" && words.nth(3)?.starts_with('/');
    is_code.then(|| range_of(range)).flatten()
}

/// A range of addresses, as in `7f12a000-7f12b000`.
fn range_of(text: &str) -> Option<Range<usize>> {
    let (start, end) = text.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

/// Puts a copy of a range of code in the range's place.
fn put_in_place(copy: NonNull<c_void>, range: &Range<usize>) -> io::Result<()> {
    let length = range.len();
    // SAFETY: `mprotect` asks that nobody relies on another access to these pages: they are this module's own, and
    // nothing writes to them any more.
    unsafe { rustix::mm::mprotect(copy.as_ptr(), length, MprotectFlags::READ | MprotectFlags::EXEC) }?;
    let place = ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: `mremap_fixed` asks that nobody relies on what it replaces. Everybody does, but finds the same bytes
    // there with the same access: they are code, which is never written to, and the call replaces all of it
    // before any other code of this process's one thread runs. The copy's own place is used by nobody any more.
    unsafe { rustix::mm::mremap_fixed(copy.as_ptr(), length, length, MremapFlags::MAYMOVE, place) }?;
    Ok(())
}

/// Memory that begins with a huge page and ends with one. What was not moved away is unmapped at the end.
struct HugePages {
    /// All that was mapped.
    mapped: NonNull<c_void>,
    mapped_length: usize,
    start: NonNull<c_void>,
}

impl HugePages {
    fn new(length: usize) -> io::Result<HugePages> {
        let length = length.next_multiple_of(HUGE);
        let mapped_length = length + HUGE;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: `mmap_anonymous` asks for nothing where it may choose the place.
        let mapped =
            unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), mapped_length, access, MapFlags::PRIVATE) }?;
        let mapped = NonNull::new(mapped).ok_or(io::ErrorKind::OutOfMemory)?;
        let before = mapped.addr().get().next_multiple_of(HUGE) - mapped.addr().get();
        // SAFETY: `byte_add` asks for a place in what was mapped, which is by a huge page longer than needed.
        let start = unsafe { mapped.byte_add(before) };
        let pages = HugePages { mapped, mapped_length, start };
        // SAFETY: `madvise` asks for mapped memory that bears the advice: these pages are nobody else's.
        unsafe { rustix::mm::madvise(start.as_ptr(), length, Advice::LinuxHugepage) }?;
        Ok(pages)
    }

    /// Whether the kernel has given huge pages, and no others, for what was written to so far.
    fn are_huge(&self) -> io::Result<bool> {
        let start = self.start.addr().get();
        let smaps = fs::read_to_string("/proc/self/smaps")?;
        // The advice sets these pages apart from others beside them.
        let mut lines = smaps.lines().skip_while(|line| {
            let range = line.split_whitespace().next().and_then(range_of);
            range.is_none_or(|range| !range.contains(&start))
        });
        let mut kilobytes = |name| -> Option<usize> {
            let value = lines.find_map(|line| line.strip_prefix(name))?;
            value.trim().strip_suffix("kB")?.trim().parse().ok()
        };
        let (resident, huge) = (kilobytes("Rss:"), kilobytes("AnonHugePages:"));
        Ok(resident.is_some() && resident == huge)
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
        let pages = HugePages::new(2 * HUGE).unwrap();
        assert_eq!(pages.start.addr().get() % HUGE, 0);
        // Nothing is there yet, and so no small page.
        assert!(pages.are_huge().unwrap());
        // SAFETY: `write_bytes` asks for so much memory that is nobody else's.
        unsafe { pages.start.cast::<u8>().write_bytes(1, 2 * HUGE) };
        // SAFETY: `madvise` asks for mapped memory that bears the advice. This one splits a huge page.
        unsafe { rustix::mm::madvise(pages.start.as_ptr(), 4096, Advice::LinuxDontNeed) }.unwrap();
        assert!(!pages.are_huge().unwrap());
    }
}
