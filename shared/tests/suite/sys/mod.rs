//! The only unsafe code of these tests: a copy of a process that the library has not made.
#![expect(unsafe_code, reason = "this is the one place for it; everywhere else it is denied")]

/// Calls the function in a copy of this process by fork(2), and waits for its end; says whether the copy has come
/// to the function's end, without a panic and without a signal.
///
/// For a process whose other threads are at rest: of a thread that holds the allocator's lock, say, the copy would
/// have the lock alone. The C library sees to its own.
pub(crate) fn goes_well_in_a_copy(function: impl FnOnce()) -> bool {
    // SAFETY: fork(2) allows the copy of a process of several threads no more than a signal handler may do. The
    // library under test promises more of itself, and the rest of what the function uses belongs to the calling
    // thread alone.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(function));
        // SAFETY: _exit has no conditions.
        unsafe { libc::_exit(i32::from(result.is_err())) }
    }
    let mut status = 0;
    // SAFETY: waitpid writes the status to the pointer, which is to a variable of that type that outlives the
    // call.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    pid > 0 && waited == pid && status == 0
}
