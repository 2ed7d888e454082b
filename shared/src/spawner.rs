//! The one thread that starts all children of this process.
//!
//! A child asks the kernel to be killed when its parent dies (PR_SET_PDEATHSIG, prctl(2)), and takes *the
//! thread that started it* for its parent. Threads of the user come and go; this one lives as long as the
//! process. It waits for requests without a lock, runs with all signals blocked, and does nothing else.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::child::Child;
use crate::sys::{signals, spawn};

/// The variable by which a child knows that it is one: the number of its channel and the number of its
/// parent.
pub(crate) const VARIABLE: &str = "MULTIPROCESSING_CHILD";

/// What a new child gets besides its channel.
#[derive(Default)]
pub(crate) struct Extras {
    /// Variables for its environment, in place of this process's of the same name.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Memory to be shared with it, which stays open under the number that it has here.
    pub(crate) memory: Option<OwnedFd>,
}

struct Request {
    extras: Extras,
    reply: SyncSender<io::Result<(Child, OwnedFd)>>,
}

/// Starts this program once more, and gives the new child with the parent's end of its channel.
///
/// Returns as soon as the process exists; whether it comes as far as the channel is for the caller to see.
pub(crate) fn start(extras: Extras) -> io::Result<(Child, OwnedFd)> {
    static REQUESTS: OnceLock<io::Result<Sender<Request>>> = OnceLock::new();
    let requests = match REQUESTS.get_or_init(run) {
        Ok(requests) => requests,
        Err(error) => {
            return Err(io::Error::new(
                error.kind(),
                "the thread that starts processes could not be started",
            ));
        }
    };
    let (reply, answer) = mpsc::sync_channel(1);
    let gone = || io::Error::other("the thread that starts processes has ended");
    requests.send(Request { extras, reply }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

fn run() -> io::Result<Sender<Request>> {
    let (sender, requests): (_, Receiver<Request>) = mpsc::channel();
    std::thread::Builder::new().name("multiprocessing-spawner".into()).spawn(move || {
        signals::block_all_on_this_thread();
        for request in requests {
            // Whoever asked waits for the answer, so it can only be gone if its thread was torn down with it.
            let _ = request.reply.send(start_here(request.extras));
        }
    })?;
    Ok(sender)
}

fn start_here(extras: Extras) -> io::Result<(Child, OwnedFd)> {
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let environment = environment(extras.variables, theirs.as_fd())?;
    let arguments = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;

    let mut inherited = vec![theirs.as_fd()];
    inherited.extend(extras.memory.as_ref().map(AsFd::as_fd));
    let pid = spawn::spawn_again(&arguments, &environment, &inherited)?;
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => Ok((Child::new(pid, handle), ours)),
        Err(error) => {
            abandon(pid);
            Err(error.into())
        }
    }
}

/// Ends a child that cannot be watched. It was not reaped yet, so its number is still its own.
fn abandon(pid: Pid) {
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    let _ = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(pid), WaitOptions::empty()));
}

/// This process's environment, with the variables added that are asked for and the one that makes a child.
fn environment(extras: Vec<(OsString, OsString)>, channel: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    if extras.iter().any(|(name, _)| name.is_empty() || name.as_bytes().contains(&b'=')) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a variable's name is empty or contains `=`",
        ));
    }
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    variables.extend(extras);
    let summons = format!("{}:{}", channel.as_raw_fd(), std::process::id());
    variables.insert(VARIABLE.into(), summons.into());
    variables.into_iter().map(|(name, value)| c_string([name, value].join(OsStr::new("=")))).collect()
}

fn c_string(string: OsString) -> io::Result<CString> {
    Ok(CString::new(string.into_vec())?)
}
