//! Signal masks and dispositions.

use std::mem::MaybeUninit;
use std::ptr;

/// A set of signals.
pub(crate) struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// No signal.
    pub(crate) fn empty() -> SignalSet {
        let mut set = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` asks for a pointer that it may write a set through, which this is.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: `assume_init` asks for an initialised value: `sigemptyset` initialises all of it and cannot
        // fail.
        SignalSet(unsafe { set.assume_init() })
    }

    /// Every signal.
    pub(crate) fn full() -> SignalSet {
        let mut set = SignalSet::empty();
        // SAFETY: `sigfillset` asks for a pointer to a set that it may overwrite, which this is.
        unsafe { libc::sigfillset(&raw mut set.0) };
        set
    }

    /// The set with one more signal.
    pub(crate) fn with(mut self, signal: i32) -> SignalSet {
        // SAFETY: `sigaddset` asks for an initialised set; a number that is no signal is refused and changes
        // nothing.
        unsafe { libc::sigaddset(&raw mut self.0, signal) };
        self
    }

    pub(super) fn as_ptr(&self) -> *const libc::sigset_t {
        &raw const self.0
    }
}

/// Keeps every signal away from the calling thread, so that handlers run on the program's own threads.
pub(crate) fn block_all_on_this_thread() {
    let all = SignalSet::full();
    // SAFETY: `pthread_sigmask` asks for a pointer to a set that it reads, and allows null for the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut()) };
}

/// Lets every signal but SIGINT reach the calling thread.
pub(crate) fn block_interrupt_alone_on_this_thread() {
    let interrupt = SignalSet::empty().with(libc::SIGINT);
    // SAFETY: `pthread_sigmask` asks for a pointer to a set that it reads, and allows null for the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, interrupt.as_ptr(), ptr::null_mut()) };
}

/// Lets SIGINT reach the calling thread.
pub(crate) fn unblock_interrupt_on_this_thread() {
    let interrupt = SignalSet::empty().with(libc::SIGINT);
    // SAFETY: `pthread_sigmask` asks for a pointer to a set that it reads, and allows null for the old mask.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, interrupt.as_ptr(), ptr::null_mut()) };
}

/// Makes this process ignore Ctrl-C.
pub(crate) fn ignore_interrupt() {
    // SAFETY: `signal` asks for a valid disposition, and `SIG_IGN` is one: no handler's code is involved.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// Makes a write to a closed pipe fail with an error instead of ending this process, as Rust does before
/// `main`.
pub(crate) fn ignore_broken_pipe() {
    // SAFETY: `signal` asks for a valid disposition, and `SIG_IGN` is one: no handler's code is involved.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}
