//! A child process as its parent holds it: watched, signalled and reaped through a pidfd.
//!
//! A pidfd names the process itself and not its number, so no signal can reach a stranger that got the number
//! later.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::ipc::ready;
use crate::status::ExitStatus;
use crate::sys::origin::Origin;

/// A child of this process. It does not end with this handle: the owner decides what becomes of it.
pub(crate) struct Child {
    /// The process whose child it is.
    origin: Origin,
    name: String,
    pid: Pid,
    handle: OwnedFd,
    /// Set when the child was reaped. The lock is held while reaping, so that this is done once.
    status: Mutex<Option<ExitStatus>>,
}

impl Child {
    /// A child that this process has just started.
    pub(crate) fn new(name: String, pid: Pid, handle: OwnedFd) -> Child {
        Child { origin: Origin::here(), name, pid, handle, status: Mutex::new(None) }
    }

    /// Whether this is the process that has started it, and no copy of that one.
    pub(crate) fn is_ours(&self) -> bool {
        self.origin.is_here()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// The descriptor that becomes readable when the child has ended.
    pub(crate) fn ended(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.exit_status().is_none()
    }

    /// Sends a signal; nothing to a child that has ended, or that is another process's.
    pub(crate) fn signal(&self, signal: Signal) {
        if !self.is_ours() {
            return;
        }
        // ESRCH says that it has ended, and a child of ours is always ours to signal unless it changed its
        // user; then nothing else could be done either.
        let _ = rustix::process::pidfd_send_signal(&self.handle, signal);
    }

    /// Waits for the end. `false` when the deadline came before.
    pub(crate) fn wait_until(&self, deadline: Option<Instant>) -> bool {
        self.exit_status().is_some() || ready::wait(&mut [PollFd::new(&self.handle, PollFlags::IN)], deadline)
    }

    /// Waits for the end, and reaps.
    ///
    /// First the pidfd, without a lock. A child that ends under a tracer is reported by its pidfd before its
    /// tracer lets go of it, and cannot be reaped until then: so the second step waits as well, instead of
    /// trying.
    pub(crate) fn wait(&self) -> ExitStatus {
        if !self.is_ours() {
            return ExitStatus::Unknown;
        }
        self.wait_until(None);
        let mut status = self.lock();
        *status.get_or_insert_with(|| self.reap(WaitIdOptions::EXITED).unwrap_or(ExitStatus::Unknown))
    }

    /// How the child ended, if it has; the first such call reaps it. Of another process's child, that is unknown: the
    /// lock may be held by a thread that is not here.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        if !self.is_ours() {
            return Some(ExitStatus::Unknown);
        }
        let mut status = self.lock();
        if status.is_none() {
            *status = self.reap(WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
        *status
    }

    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reap(&self, options: WaitIdOptions) -> Option<ExitStatus> {
        let id = || WaitId::PidFd(self.handle.as_fd());
        match rustix::io::retry_on_intr(|| rustix::process::waitid(id(), options)) {
            Ok(None) => None,
            Ok(Some(status)) => Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitStatus::Code(code),
                (None, Some(signal)) => ExitStatus::Signal(signal),
                (None, None) => ExitStatus::Unknown,
            }),
            // ECHILD: someone else has reaped it.
            Err(_) => Some(ExitStatus::Unknown),
        }
    }
}
