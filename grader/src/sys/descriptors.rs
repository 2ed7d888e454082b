//! Many descriptors at once.

#![expect(unsafe_code, reason = "close_range(2) has no safe wrapper")]

use std::os::fd::RawFd;

/// Closes every descriptor of this process but those in `kept`; needs no memory.
///
/// # Safety
///
/// The process must be a copy that owns nothing: no value whose destructor would close one of them again, or that
/// would go on to use it, may be used afterwards.
pub(super) unsafe fn close_all_but<const N: usize>(mut kept: [RawFd; N]) {
    kept.sort_unstable();
    let mut first = 0;
    for descriptor in kept {
        close_range(first, descriptor - 1);
        first = descriptor + 1;
    }
    close_range(first, RawFd::MAX);
}

/// The range may be empty or hold descriptors that are not open.
fn close_range(first: RawFd, last: RawFd) {
    if first <= last {
        // SAFETY: close_range(2) takes three numbers, and requires as close(2) does that nobody uses what it
        // closes, which is the contract of `close_all_but`.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
}
