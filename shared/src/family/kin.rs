//! Who this process is, and who has started it.

use rustix::process::{Pid, getppid};

/// This process: see [`current`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    name: String,
    pid: u32,
    is_child: bool,
}

/// Tells who this process is. The counterpart of Python's `current_process()`.
///
/// ```
/// # multiprocessing::init();
/// let who = |()| multiprocessing::current().name().to_owned();
/// assert_eq!(multiprocessing::spawn(who, ())?.join()?, "Process-1");
/// assert_eq!(multiprocessing::current().name(), "MainProcess");
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[must_use]
pub fn current() -> Current {
    let born = super::own().born.get();
    let name = born.map_or_else(|| "MainProcess".to_owned(), |(birth, _)| birth.name.clone());
    Current { name, pid: std::process::id(), is_child: born.is_some() }
}

impl Current {
    /// The name that its parent has given it, such as `Process-1`; `MainProcess` if the library has not
    /// started it. A child of `Process-1` is called `Process-1:1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the library has started it.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.is_child
    }
}

/// The process that has started this one: see [`parent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pid: i32,
}

/// Tells which process has started this one by means of the library; `None` in the main process. The
/// counterpart of Python's `parent_process()`.
///
/// ```
/// # multiprocessing::init();
/// let parent = |()| multiprocessing::parent().map(|parent| parent.pid());
/// assert_eq!(multiprocessing::spawn(parent, ())?.join()?, Some(std::process::id()));
/// assert_eq!(multiprocessing::parent(), None);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[must_use]
pub fn parent() -> Option<Parent> {
    super::own().born.get().map(|(_, pid)| Parent { pid: *pid })
}

impl Parent {
    /// The parent's number.
    #[must_use]
    pub fn pid(self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Whether the parent is alive. A child ends with its parent, so it hardly ever lives to see `false`: only
    /// one that has told the kernel otherwise (PR_SET_PDEATHSIG, prctl(2)), or runs as another user by now.
    #[must_use]
    pub fn is_alive(self) -> bool {
        Pid::as_raw(getppid()) == self.pid
    }
}
