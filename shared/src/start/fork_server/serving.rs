//! What the fork server does, and what its copies do before they are children like any other.
//!
//! The server has one thread, blocks every signal, and its standard streams lead nowhere. With the copies that
//! wait it is in a process group of its own, out of the way of Ctrl-C. For each channel that comes from the parent it makes one copy of itself, which introduces
//! itself there and waits to be told what to do.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::net::RecvFlags;
use rustix::process::{PidfdFlags, getpid};

use crate::ipc::channel::Channel;
use crate::ipc::letter::{self, Letter};
use crate::ipc::message::{File, FromServer, Request};
use crate::ipc::parcel;
use crate::start::summons::{self, Legacy};
use crate::sys::clone::{Sibling, Thread};
use crate::sys::{environment, signals};

/// Serves. Comes back in each copy that is given something to do, with what it has from its parent; and with
/// nothing where there is nothing to do any more.
///
/// A copy calls `rehearse` before it waits.
pub(crate) fn serve(
    socket: OwnedFd,
    parent: i32,
    rehearse: fn() -> io::Result<()>,
) -> io::Result<Option<Legacy>> {
    let thread = match prepare() {
        Ok(thread) => thread,
        Err(error) => {
            letter::send(socket.as_fd(), &FromServer::Unfit(error.to_string()), &[], &[])?;
            return Ok(None);
        }
    };
    letter::send(socket.as_fd(), &FromServer::Ready, &[], &[])?;
    while let Some(letter) = letter::receive(socket.as_fd(), RecvFlags::empty())? {
        // Without a descriptor left for it there is no channel to say so on; the parent sees that it is closed.
        let Some(channel) = { letter.files }.pop() else { continue };
        match thread.clone_as_sibling() {
            Ok(Sibling::Original) => {}
            Ok(Sibling::Copy) => {
                drop(socket);
                return wait_for_request(channel, parent, rehearse);
            }
            Err(error) => {
                let error = error.raw_os_error().unwrap_or(libc::EAGAIN);
                // A parent that is gone takes its fork server with it.
                letter::send(channel.as_fd(), &FromServer::NotBorn { error }, &[], &[])?;
            }
        }
    }
    Ok(None)
}

/// Makes this process a fork server; an error if it cannot be one.
fn prepare() -> io::Result<Thread> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("the program starts threads before it calls `multiprocessing::init()`"));
    }
    signals::block_all_on_this_thread();
    // What `main` has printed before `init` is not for the copies to print once more.
    let _ = io::stdout().flush();
    let nowhere = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Thread::own().map_err(|error| {
        let text = format!("the kernel does not tell what a copy of a process needs: {error}");
        io::Error::new(error.kind(), text)
    })
}

/// What a copy does until it is needed.
fn wait_for_request(
    channel: OwnedFd,
    parent: i32,
    rehearse: fn() -> io::Result<()>,
) -> io::Result<Option<Legacy>> {
    if !summons::die_with(parent)? {
        return Ok(None);
    }
    let handle = rustix::process::pidfd_open(getpid(), PidfdFlags::empty())?;
    let pid = getpid().as_raw_nonzero().get();
    letter::send(channel.as_fd(), &FromServer::Born { pid }, &[], &[handle.as_fd()])?;
    drop(handle);
    rehearse()?;
    match letter::receive(channel.as_fd(), RecvFlags::empty())? {
        Some(request) => begin(channel, parent, request).map(Some),
        None => Ok(None),
    }
}

/// Becomes what the parent has asked for.
fn begin(channel: OwnedFd, parent: i32, letter: Letter) -> io::Result<Legacy> {
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "the parent has sent what means nothing");
    let (request, payload) = letter.frame.message::<Request>().map_err(|_| nonsense())?;
    if request.files.len() != letter.files.len() {
        return Err(rustix::io::Errno::MFILE.into());
    }
    let (variables, greeting) = payload.split_at_checked(request.environment).ok_or_else(nonsense)?;
    let mut variables = variables.to_vec();
    let mut files = Vec::new();
    for (kind, file) in request.files.iter().zip(letter.files) {
        match kind {
            File::Folder => rustix::process::fchdir(&file)?,
            File::Input => rustix::stdio::dup2_stdin(&file)?,
            File::Output => rustix::stdio::dup2_stdout(&file)?,
            File::Errors => rustix::stdio::dup2_stderr(&file)?,
            File::Environment => variables = parcel::unpack(file)?,
            File::Other => files.push(file),
        }
    }
    environment::replace(variables);
    // What was sent since the parent knows of this child was meant for it.
    signals::unblock_all_on_this_thread();
    Ok(Legacy { parent, channel: Channel::with(channel, &[greeting, &letter.rest].concat()), files })
}
