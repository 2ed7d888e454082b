//! Descriptors that a parent left open for its child.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes over an inherited descriptor by its number, and closes it on any later exec.
///
/// Refuses a number that is not open and the three standard streams, which belong to the user.
/// To be called once for a number: whoever calls it owns the descriptor from then on.
pub(crate) fn inherit(number: RawFd) -> io::Result<OwnedFd> {
    if number <= libc::STDERR_FILENO {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: `borrow_raw` asks for a descriptor that is not -1 and stays open while it is borrowed. It is
    // above 2; if it is not open at all, the call below only reports EBADF, and nothing else runs yet that
    // could open it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC)?;
    // SAFETY: `from_raw_fd` asks for an open descriptor that nothing else owns. It is open, as the call above
    // has shown, and the parent opened it in this process for this purpose alone.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Whether the descriptor with this number is closed on an exec, or not open at all.
pub(crate) fn closes_on_exec(number: RawFd) -> bool {
    // SAFETY: `fcntl` with F_GETFD takes any number, and changes nothing.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags == -1 || flags & libc::FD_CLOEXEC != 0
}

/// Closes all descriptors that this process could not have opened: their numbers are beyond its limit, and so somebody
/// before it had them. `kept` is left, and all below it.
pub(crate) fn close_beyond_limit(kept: BorrowedFd<'_>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let first = limit.and_then(|limit| libc::c_uint::try_from(limit).ok()).unwrap_or(libc::c_uint::MAX);
    let first = first.max(kept.as_raw_fd().cast_unsigned().saturating_add(1));
    // SAFETY: close_range(2) takes any numbers, and asks that nobody owns what it closes. What was taken over from the
    // parent is `kept`, and what was opened here is below the limit. Where the program has lowered its limit since it
    // opened something, its owner gets EBADF: no other descriptor is given such a number under this limit.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
}
