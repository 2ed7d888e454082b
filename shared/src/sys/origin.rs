//! Telling a process from the copies that fork makes of it.
//!
//! A copy has all values of the original, and must not use those that stand for its children or threads. To ask
//! the kernel for the process's number takes a system call each time; here it takes one load. A page that the
//! kernel empties in each copy (MADV_WIPEONFORK, madvise(2)) holds the number that the process has drawn for
//! itself, and an empty page means that it has not drawn yet. Numbers only grow along a line of copies, so a
//! value that was made by an ancestor has another number than anything of this process.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// The process in which a value was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin(u32);

/// Where the page begins; null before it is first needed.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// Stands for the page where there is no memory for one. No copy empties it, so it never holds a number.
static NO_PAGE: AtomicU32 = AtomicU32::new(0);

/// The number that is drawn next, here or in a copy.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Origin {
    /// This process.
    pub(crate) fn here() -> Origin {
        let page = page();
        if ptr::eq(page, &raw const NO_PAGE) {
            return Origin(std::process::id());
        }
        // Relaxed: the numbers guard no other data.
        let number = page.load(Ordering::Relaxed);
        if number != 0 {
            return Origin(number);
        }
        let drawn = NEXT.fetch_add(1, Ordering::Relaxed);
        match page.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Origin(drawn),
            Err(of_another_thread) => Origin(of_another_thread),
        }
    }

    /// Whether this is the process in which the value was made, and no copy of it.
    pub(crate) fn is_here(self) -> bool {
        self == Origin::here()
    }
}

/// The page, made by the first call.
///
/// Acquire and the Release in AcqRel are partners: who sees the pointer sees the page made.
fn page() -> &'static AtomicU32 {
    let mut page = PAGE.load(Ordering::Acquire);
    if page.is_null() {
        let fresh = make_page().unwrap_or((&raw const NO_PAGE).cast_mut());
        // Another thread may have been faster. A second page is then never used, and costs nothing but its
        // place.
        page = match PAGE.compare_exchange(page, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh,
            Err(of_another_thread) => of_another_thread,
        };
    }
    // SAFETY: a reference asks for valid, aligned memory that lives as long: what is stored is a static or a page,
    // which begins at a multiple of its size, is all zeroes and is never unmapped. It is used as an atomic alone.
    unsafe { &*page }
}

/// A page that is empty in each copy; `None` if there is no memory for it.
fn make_page() -> Option<*mut AtomicU32> {
    // The kernel makes a whole page of it.
    let size = size_of::<AtomicU32>();
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: `mmap_anonymous` asks for nothing when the kernel chooses the place.
    let page = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), size, protection, MapFlags::PRIVATE) };
    let page = NonNull::new(page.ok()?)?;
    // SAFETY: `madvise` asks for a mapping of that size, which was just made.
    let wiped = unsafe { rustix::mm::madvise(page.as_ptr(), size, Advice::LinuxWipeOnFork) };
    wiped.ok().map(|()| page.as_ptr().cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_one_origin_on_all_its_threads() {
        let here = Origin::here();
        assert!(here.is_here());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(move || assert_eq!(Origin::here(), here));
            }
        });
    }
}
