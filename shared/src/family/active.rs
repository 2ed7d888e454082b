//! The children of this process that are alive.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::process::Signal;

use crate::child::Child;
use crate::status::ExitStatus;

/// The children of this process that have not ended, workers of pools included, in the order in which they
/// were started. The counterpart of Python's function of that name.
///
/// Children that have ended are reaped, as a join would do. Fork servers are not listed.
///
/// ```
/// # multiprocessing::init();
/// let process = multiprocessing::spawn(|()| std::thread::sleep(std::time::Duration::MAX), ())?;
/// let children = multiprocessing::active_children();
/// assert_eq!(children[0].pid(), process.pid());
/// children.iter().for_each(|child| child.kill());
/// assert!(process.join().is_err());
/// assert!(multiprocessing::active_children().is_empty());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[must_use]
pub fn active_children() -> Vec<ActiveChild> {
    super::own().alive().into_iter().map(ActiveChild).collect()
}

/// A child of this process, whoever holds its handle: see [`active_children`].
///
/// As a descriptor, [`AsFd`], it becomes readable when the child has ended.
pub struct ActiveChild(Arc<Child>);

impl ActiveChild {
    /// The child's name: that of its [`Process`](crate::Process), or `PoolWorker-1` and so on.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The child's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }

    /// How it ended; `None` while it is alive.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.0.exit_status()
    }

    /// Asks it to end, by SIGTERM.
    pub fn terminate(&self) {
        self.0.signal(Signal::TERM);
    }

    /// Ends it at once, by SIGKILL.
    pub fn kill(&self) {
        self.0.signal(Signal::KILL);
    }
}

impl AsFd for ActiveChild {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.ended()
    }
}

impl fmt::Debug for ActiveChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveChild").field("name", &self.name()).field("pid", &self.pid()).finish()
    }
}
