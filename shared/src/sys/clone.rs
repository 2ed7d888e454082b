//! Making a copy of this process that is its sibling: a child of its parent.
//!
//! This is clone(2) without the C library, which offers no such thing. What its `fork` does for the copy
//! beside the call itself is done here: the number of the thread and its list of robust locks, both of which
//! the library keeps in the thread's own memory. Locks need no care where there is one thread.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use libc::{c_int, c_long, c_void};

/// Which of the two processes this is.
pub(crate) enum Sibling {
    /// The process that asked, with the copy's number and its pidfd.
    Original(c_int, OwnedFd),
    Copy,
}

/// What the C library keeps for the only thread, as the kernel knows it.
pub(crate) struct Thread {
    /// Where the library keeps the thread's number.
    tid: *mut c_int,
    robust_list: *mut c_void,
    robust_length: usize,
}

impl Thread {
    /// Looks it up. An error where the kernel does not tell (it was built without CONFIG_CHECKPOINT_RESTORE), and on
    /// machines whose order of the arguments of clone(2) is not known here.
    pub(crate) fn own() -> io::Result<Thread> {
        if !cfg!(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "powerpc64",
            target_arch = "riscv64"
        )) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut thread = Thread { tid: ptr::null_mut(), robust_list: ptr::null_mut(), robust_length: 0 };
        // SAFETY: `prctl` with PR_GET_TID_ADDRESS asks for a place for one pointer, which this is.
        check(unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut thread.tid) }.into())?;
        // SAFETY: `get_robust_list` asks for places for a pointer and a length; 0 is the calling thread.
        check(unsafe {
            libc::syscall(
                libc::SYS_get_robust_list,
                0,
                &raw mut thread.robust_list,
                &raw mut thread.robust_length,
            )
        })?;
        Ok(thread)
    }

    /// Copies this process.
    ///
    /// It has to have one thread: of others the copy would have the locks, and nobody to unlock them.
    pub(crate) fn clone_as_sibling(&self) -> io::Result<Sibling> {
        let flags =
            libc::CLONE_PARENT | libc::CLONE_PIDFD | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID;
        let none = ptr::null_mut::<c_void>();
        let mut handle: c_int = -1;
        let third = (&raw mut handle).cast::<c_void>();
        // The order of the last two arguments depends on the architecture: clone(2), "C library/kernel
        // differences".
        #[cfg(target_arch = "x86_64")]
        let (fourth, fifth) = (self.tid.cast::<c_void>(), none);
        #[cfg(not(target_arch = "x86_64"))]
        let (fourth, fifth) = (none, self.tid.cast::<c_void>());
        // SAFETY: `clone` without CLONE_VM gives the copy memory of its own, stack included, so that it goes
        // on here as after fork(2). It asks for a place for the pidfd's number, which `handle` is, and for that
        // of the thread's number, which the kernel itself has named and which lasts as long as the thread; the
        // last place is not asked for by these flags.
        let pid = check(unsafe {
            libc::syscall(libc::SYS_clone, c_long::from(flags), none, third, fourth, fifth)
        })?;
        if pid != 0 {
            // A process's number is an `int`; the call gives it as wide as a register.
            let pid = c_int::try_from(pid).map_err(io::Error::other)?;
            // SAFETY: with CLONE_PIDFD a call that succeeds has opened a descriptor for its caller, and nobody
            // else knows of it.
            return Ok(Sibling::Original(pid, unsafe { OwnedFd::from_raw_fd(handle) }));
        }
        // SAFETY: `set_robust_list` asks for a list head that lasts as long as the thread: it is the one that
        // the C library has registered for the original, and the copy has it at the same place.
        unsafe { libc::syscall(libc::SYS_set_robust_list, self.robust_list, self.robust_length) };
        Ok(Sibling::Copy)
    }
}

fn check(result: c_long) -> io::Result<c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
