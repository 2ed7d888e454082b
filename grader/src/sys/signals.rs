//! Signal masks and dispositions, for the moments around a fork.
//!
//! Nothing here installs a handler: the grader never runs code of its own inside a signal.

#![expect(unsafe_code, reason = "no safe wrapper offers masks and dispositions")]

use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::{io, ptr};

/// The greatest signal number of Linux, `_NSIG` in its headers.
const LAST_SIGNAL: i32 = 64;

/// All signals are blocked in this thread until this is dropped.
pub(super) struct AllBlocked {
    before: libc::sigset_t,
}

impl AllBlocked {
    /// Blocks them and remembers the mask there was.
    pub(super) fn new() -> AllBlocked {
        AllBlocked { before: set_mask(&full_set()) }
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        set_mask(&self.before);
    }
}

/// Lets every signal through and gives each its default effect, as a program expects it at its start.
///
/// A disposition to ignore survives exec, and a program whose SIGPIPE or SIGCHLD is ignored behaves differently.
pub(super) fn reset_all() {
    for signal in 1..=LAST_SIGNAL {
        reset(signal);
    }
    set_mask(&empty_set());
}

/// Gives one signal its default effect; signals that have no other are left as they are.
///
/// Asks the kernel itself, since the C library refuses the two signals that its threads use, which a parent may
/// have left ignored like any other.
pub(super) fn reset(signal: i32) {
    // As the kernel lays it out: the disposition, of which zero is `SIG_DFL`, flags, a restorer, a mask.
    let default = [0_u64; 4];
    let size_of_mask = size_of::<u64>();
    let none = ptr::null_mut::<u64>();
    // SAFETY: rt_sigaction(2) requires a disposition in the kernel's layout, or null for what is not wanted, and
    // the size of its masks; a signal that may not be changed is an error that needs no action.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, none, size_of_mask) };
}

/// Lets the ends of children be waited for, which are lost where this process was started with SIGCHLD ignored.
///
/// A handler, if there is one, stays.
pub(super) fn keep_ends_of_children() {
    let mut now = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: sigaction(2) requires null for what is not wanted, and room for the present disposition.
    unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), now.as_mut_ptr()) };
    // SAFETY: `assume_init` requires a value; all zeroes is one, and sigaction(2) leaves another.
    let now = unsafe { now.assume_init() };
    if now.sa_sigaction == libc::SIG_IGN {
        reset(libc::SIGCHLD);
    }
}

/// A descriptor that is readable when a child has ended; SIGCHLD has to be blocked.
pub(super) fn child_ended() -> io::Result<OwnedFd> {
    let mut set = empty_set();
    // SAFETY: sigaddset(3) requires an initialised set, which `empty_set` returns.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGCHLD) };
    // SAFETY: signalfd(2) requires a valid set, and -1 to make a new descriptor.
    let descriptor = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `from_raw_fd` requires an open descriptor that nobody else owns; signalfd(2) just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn full_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset(3) requires room for a set to write.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: `assume_init` requires a value; sigfillset(3) wrote it and cannot fail for a valid pointer.
    unsafe { set.assume_init() }
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) requires room for a set to write.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `assume_init` requires a value; sigemptyset(3) wrote it and cannot fail for a valid pointer.
    unsafe { set.assume_init() }
}

/// Sets this thread's mask and returns the one before.
fn set_mask(mask: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: pthread_sigmask(3) requires a valid set to read and room for one to write; with `SIG_SETMASK` it
    // cannot fail.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, ptr::from_ref(mask), &raw mut before) };
    before
}
