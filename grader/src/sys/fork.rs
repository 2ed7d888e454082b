//! A second process of the same program.
//!
//! The grader has threads, and a fork copies one of them alone: a lock that another held stays locked for ever in
//! the copy.
//! What runs there may therefore neither allocate nor take a lock: see "async-signal-safe" in signal-safety(7).

#![expect(unsafe_code, reason = "fork(2) has no safe wrapper")]

use std::io;

use rustix::process::Pid;

/// The exit code of a copy that panicked.
const PANICKED: i32 = 70;

/// Leaves the process without returning into the caller's copied stack.
struct Leave(i32);

impl Drop for Leave {
    fn drop(&mut self) {
        // SAFETY: `_exit(2)` has no requirement; it runs no destructor and flushes no buffer of the copy.
        unsafe { libc::_exit(self.0) };
    }
}

/// Runs `child` in a copy of this process, which ends with the code that it returns.
///
/// # Safety
///
/// `child` must do nothing but what signal-safety(7) allows: above all neither allocate nor free memory.
pub(super) unsafe fn fork(child: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: fork(2) requires of a process with threads that the copy keeps to what signal-safety(7) allows,
    // which this function's own contract passes on to `child`; `Leave` allows no way past `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let mut leave = Leave(PANICKED);
        leave.0 = child();
        drop(leave);
    }
    let pid = if pid > 0 { Pid::from_raw(pid) } else { None };
    pid.ok_or_else(io::Error::last_os_error)
}
