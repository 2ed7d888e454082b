//! Starting a child as the same program, started again.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use super::environment::{self, c_string};
use super::spawner::{self, Task};
use super::summons;
use crate::sys;

/// Begins to start a child that has this end of its channel, and these files.
pub(super) fn begin(
    channel: OwnedFd,
    files: Vec<OwnedFd>,
    variables: Vec<(OsString, OsString)>,
) -> io::Result<Task<io::Result<(Pid, OwnedFd)>>> {
    spawner::begin(move || {
        let channel = channel.as_fd();
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        let summons = (summons::VARIABLE.into(), summons::write(channel, &files).into());
        let environment = environment::with(variables.into_iter().chain([summons]))?;
        let arguments = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;
        let inherited: Vec<BorrowedFd<'_>> = [channel].into_iter().chain(files).collect();
        let pid = sys::spawn::spawn_again(&arguments, &environment, &inherited)?;
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Ok((pid, handle)),
            Err(error) => {
                abandon(pid);
                Err(error.into())
            }
        }
    })
}

/// Ends a child that cannot be watched. It was not reaped yet, so its number is still its own.
fn abandon(pid: Pid) {
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    let _ = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(pid), WaitOptions::empty()));
}
