//! The session and the process group of this process.
//!
//! Either may belong to another PID namespace, as in a container that was entered from outside. The kernel
//! gives 0 for its number then, and there is no number by which a process here could join it:
//! pid_namespaces(7). rustix's functions of these names take that for impossible.

use rustix::process::Pid;

/// The session of this process, if it has a number here: getsid(2).
pub(crate) fn session() -> Option<Pid> {
    // SAFETY: `getsid` asks for nothing; 0 is the calling process.
    Pid::from_raw(unsafe { libc::getsid(0) })
}

/// The process group of this process, if it has a number here: getpgrp(2).
pub(crate) fn group() -> Option<Pid> {
    // SAFETY: `getpgrp` asks for nothing and cannot fail.
    Pid::from_raw(unsafe { libc::getpgrp() })
}
