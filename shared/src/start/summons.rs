//! How a program finds out that it is a child, and what its parent has left open for it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::process::{Pid, Signal, getppid};

use crate::ipc::channel::Channel;
use crate::sys::{descriptor, environment};

/// The variable by which a child knows that it is one: the number of its parent, and those of its
/// descriptors, the channel first: `1234:3,5`.
pub(super) const VARIABLE: &str = "MULTIPROCESSING_CHILD";

/// What a child has from its parent.
pub(crate) struct Legacy {
    pub(crate) parent: i32,
    pub(crate) channel: Channel,
    /// In the order in which the parent has named them.
    pub(crate) files: Vec<OwnedFd>,
}

/// The variable's value for a child that will have these descriptors.
pub(super) fn write(channel: BorrowedFd<'_>, files: &[BorrowedFd<'_>]) -> String {
    let mut summons = format!("{}:{}", std::process::id(), channel.as_raw_fd());
    for file in files {
        summons += &format!(",{}", file.as_raw_fd());
    }
    summons
}

/// Takes the variable out of the environment; `None` in a process that nobody has summoned.
pub(crate) fn take() -> Option<io::Result<Legacy>> {
    let summons = environment::take(VARIABLE)?;
    Some(summons.to_str().ok_or_else(malformed).and_then(read))
}

fn read(summons: &str) -> io::Result<Legacy> {
    let (parent, descriptors) = summons.split_once(':').ok_or_else(malformed)?;
    let parent: i32 = parent.parse().map_err(|_| malformed())?;
    let mut numbers: Vec<RawFd> = Vec::new();
    for number in descriptors.split(',') {
        let number = number.parse().map_err(|_| malformed())?;
        if numbers.contains(&number) {
            return Err(malformed());
        }
        numbers.push(number);
    }
    let mut files = numbers.into_iter().map(descriptor::inherit).collect::<io::Result<Vec<_>>>()?;
    let channel = Channel::new(files.remove(0));
    Ok(Legacy { parent, channel, files })
}

fn malformed() -> io::Error {
    let text = format!("the variable `{VARIABLE}` is none of this library's");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Has the kernel kill this process when its parent dies; `false` if the parent has died already, and this
/// process has another one by now.
pub(crate) fn die_with(parent: i32) -> io::Result<bool> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(is_child_of(parent))
}

/// Undoes `die_with`.
pub(crate) fn live_without(parent: i32) -> io::Result<bool> {
    rustix::process::set_parent_process_death_signal(None)?;
    Ok(is_child_of(parent))
}

/// Whether this process still has that parent, which then has not ended.
pub(crate) fn is_child_of(parent: i32) -> bool {
    Pid::as_raw(getppid()) == parent
}
