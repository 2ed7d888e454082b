//! Signal masks and dispositions, for the moments around a fork, and signals that are read like a file.
//!
//! Nothing here installs a handler: the grader never runs code of its own inside a signal.

#![expect(unsafe_code, reason = "no safe wrapper offers masks and dispositions")]

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;
use std::{io, ptr};

use rustix::process::Signal;

/// The greatest signal number of Linux, `_NSIG` in its headers.
const LAST_SIGNAL: i32 = 64;

/// Signals are blocked in this thread until this is dropped.
pub(super) struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    /// Blocks all of them.
    pub(super) fn all() -> Blocked {
        Blocked { before: set_mask(&full_set()) }
    }

    /// Blocks SIGCHLD beside those that are blocked already.
    pub(super) fn word_of_children() -> WordOfChildren {
        let set = set_of(&[Signal::CHILD]);
        WordOfChildren { _blocked: Blocked { before: block(&set) }, set }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        set_mask(&self.before);
    }
}

/// SIGCHLD comes to this thread, while it waits for it, until this is dropped.
///
/// The kernel offers it first to the thread that a stop or an end is for. One that came just before the wait may have
/// gone to another thread: then the wait lasts its time, and what has happened is still there to be asked for.
pub(super) struct WordOfChildren {
    _blocked: Blocked,
    set: libc::sigset_t,
}

impl WordOfChildren {
    /// Waits for a signal, or until the time is over.
    pub(super) fn wait(&self, at_most: Duration) {
        let seconds = libc::time_t::try_from(at_most.as_secs()).unwrap_or(libc::time_t::MAX);
        let time = libc::timespec { tv_sec: seconds, tv_nsec: at_most.subsec_nanos().into() };
        // SAFETY: sigtimedwait(2) requires a valid set and time to read, and null for what is not wanted.
        unsafe { libc::sigtimedwait(&raw const self.set, ptr::null_mut(), &raw const time) };
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
    descriptor(&set_of(&[Signal::CHILD]))
}

/// Signals that are told of in place of having their effect.
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Takes these signals from now on; to be called before there are other threads, which would get them.
    pub(crate) fn take(signals: &[Signal]) -> io::Result<Signals> {
        let set = set_of(signals);
        block(&set);
        Ok(Signals(descriptor(&set)?))
    }

    /// One that has come and was not told of yet.
    pub(crate) fn next(&self) -> Option<Signal> {
        // One whole `struct signalfd_siginfo`, which begins with the signal's number; see signalfd(2).
        let mut info = [0; size_of::<libc::signalfd_siginfo>()];
        let length = rustix::io::read(&self.0, &mut info).ok()?;
        let number = info.first_chunk().filter(|_| length == info.len())?;
        Signal::from_named_raw(i32::from_ne_bytes(*number))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Lets every signal through to this thread, as a program expects it at its start.
pub(crate) fn let_all_through() {
    set_mask(&empty_set());
}

/// A descriptor that tells of blocked signals.
fn descriptor(set: &libc::sigset_t) -> io::Result<OwnedFd> {
    // SAFETY: signalfd(2) requires a valid set, and -1 to make a new descriptor.
    let descriptor =
        unsafe { libc::signalfd(-1, ptr::from_ref(set), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `from_raw_fd` requires an open descriptor that nobody else owns; signalfd(2) just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn set_of(signals: &[Signal]) -> libc::sigset_t {
    let mut set = empty_set();
    for signal in signals {
        // SAFETY: sigaddset(3) requires an initialised set, which `empty_set` returns.
        unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) };
    }
    set
}

/// Adds signals to those that this thread does not get, and returns the mask before.
fn block(set: &libc::sigset_t) -> libc::sigset_t {
    change_mask(libc::SIG_BLOCK, set)
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
    change_mask(libc::SIG_SETMASK, mask)
}

fn change_mask(how: libc::c_int, mask: &libc::sigset_t) -> libc::sigset_t {
    let mut before = empty_set();
    // SAFETY: pthread_sigmask(3) requires a valid set to read and room for one to write; it fails only for a `how` that
    // it does not know.
    unsafe { libc::pthread_sigmask(how, ptr::from_ref(mask), &raw mut before) };
    before
}
