//! Ending this process at once.

/// Ends this process without what was registered to run at its end, which belongs to the process that this
/// one is a copy of. What C code has printed goes out first.
pub(crate) fn at_once(code: i32) -> ! {
    flush();
    // SAFETY: `_exit` asks for nothing.
    unsafe { libc::_exit(code) }
}

/// Lets out what C code has printed.
pub(crate) fn flush() {
    // SAFETY: `fflush` allows null, which means every stream of the C library.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}
