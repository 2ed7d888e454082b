//! What the fork server does, and what its copies do before they are children like any other.
//!
//! The server has one thread, blocks every signal, and its standard streams lead nowhere. With the copies that
//! wait it is in a process group of its own, out of the way of Ctrl-C. For each channel that comes from the
//! parent it makes one copy of itself, which it introduces there, and which waits there to be told what to do.
//!
//! Neither the server nor a copy that waits is killed by the parent's death: they see it and leave with 0, since
//! nothing went wrong. Whoever looks at the processes of a program can tell them from children by that.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::net::RecvFlags;
use rustix::process::{Pid, PidfdFlags, Signal, getpid};

use crate::ipc::channel::Channel;
use crate::ipc::letter::{self, Letter};
use crate::ipc::message::{File, FromServer, Request};
use crate::ipc::{parcel, ready};
use crate::start::summons::{self, Legacy};
use crate::sys::clone::{Sibling, Thread};
use crate::sys::origin::Origin;
use crate::sys::{descriptor, environment, exit, signals, text};

/// A copy that has waited for two milliseconds is not one of many that are needed one after the other, for which
/// each moment on a CPU counts: it has time to prepare.
const QUIET: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// A server that has made so many copies is likely to be asked for as many more. Then its code is moved to where
/// they have it at once, which costs a millisecond and a few mebibytes, and saves each copy a tenth of one.
const MANY: u32 = 16;

/// Whether this process was not started by an exec, but is a copy of one that was.
static IS_COPY: AtomicBool = AtomicBool::new(false);

/// Whether this process is a copy of a fork server, whatever it does.
pub(crate) fn is_copy() -> bool {
    IS_COPY.load(Ordering::Relaxed)
}

/// Serves. Comes back in each copy that is given something to do, with what it has from its parent; and with
/// nothing where there is nothing to do any more.
///
/// The server calls `rehearse` before it makes copies, and a copy does again that is not needed at once.
pub(crate) fn serve(
    socket: OwnedFd,
    parent: i32,
    rehearse: fn() -> io::Result<()>,
) -> io::Result<Option<Legacy>> {
    let Some(parent) = Parent::observe(parent)? else { return Ok(None) };
    let thread = match prepare(&socket) {
        Ok(thread) => thread,
        Err(error) => {
            letter::send(socket.as_fd(), &FromServer::Unfit(error.to_string()), &[], &[])?;
            return Ok(None);
        }
    };
    letter::send(socket.as_fd(), &FromServer::Ready, &[], &[])?;
    // Without it all is as well, and takes longer.
    let _ = rehearse();
    let mut copies = 0;
    while let Some(letter) = parent.next_letter(&socket)? {
        copies += 1;
        if copies == MANY {
            // Where that cannot be done all is as well, and takes longer.
            let _ = text::move_into_huge_pages();
        }
        // Without a descriptor left for it there is no channel to say so on; the parent sees that it is closed.
        let Some(channel) = { letter.files }.pop() else { continue };
        match thread.clone_as_sibling() {
            Ok(Sibling::Original(pid, handle)) => match introduce(&channel, pid, &handle) {
                // Nobody is to wait for a copy that nobody can be told of. Without a parent it leaves by itself.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    let _ = rustix::process::pidfd_send_signal(handle, Signal::KILL);
                }
                _ => {}
            },
            Ok(Sibling::Copy) => {
                IS_COPY.store(true, Ordering::Relaxed);
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
fn prepare(socket: &OwnedFd) -> io::Result<Thread> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("the program starts threads before it calls `multiprocessing::init()`"));
    }
    signals::block_all_on_this_thread();
    descriptor::close_beyond_limit(socket.as_fd());
    // What `main` has printed before `init` is not for the copies to print once more.
    let _ = io::stdout().flush();
    exit::flush();
    // Each copy has this page from now on, empty, and need not map its own.
    Origin::here();
    let nowhere = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Thread::own().map_err(|error| {
        let text = format!("a copy of a process cannot be made on this machine: {error}");
        io::Error::new(error.kind(), text)
    })
}

/// Tells the parent of a new copy.
fn introduce(channel: &OwnedFd, pid: i32, handle: &OwnedFd) -> io::Result<()> {
    let born = FromServer::Born { pid };
    let tell = |files: &[BorrowedFd<'_>]| letter::send(channel.as_fd(), &born, &[], files);
    // With too many descriptors under way the parent has the number alone, and ends the copy by that.
    tell(&[handle.as_fd()]).or_else(|_| tell(&[]))
}

/// What a copy does until it is needed.
fn wait_for_request(
    channel: OwnedFd,
    parent: Parent,
    rehearse: fn() -> io::Result<()>,
) -> io::Result<Option<Legacy>> {
    // A look at what is there has most of what it takes to receive it mapped, stack above all, and that is better done
    // while nobody waits for it.
    let _ = rustix::net::recv(&channel, &mut [0; 8 << 10], RecvFlags::DONTWAIT | RecvFlags::PEEK);
    // Without a look at the clock, for which the copy would have more pages mapped.
    if poll(&mut parent.and(&channel), Some(&QUIET)) == Ok(0) {
        let _ = rehearse();
    }
    match parent.next_letter(&channel)? {
        Some(request) => begin(channel, parent.pid, request).map(Some),
        None => {
            // The server may have ended before it could introduce this copy; the parent asks for that so.
            let pid = getpid();
            if let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
                let _ = introduce(&channel, pid.as_raw_nonzero().get(), &handle);
            }
            Ok(None)
        }
    }
}

/// The process that the server and its copies work for.
struct Parent {
    pid: i32,
    /// Its pidfd, which is readable when it has ended.
    handle: OwnedFd,
}

impl Parent {
    /// `None` if it has ended already. From here on its death kills this process no more.
    fn observe(pid: i32) -> io::Result<Option<Parent>> {
        let (Some(parent), true) = (Pid::from_raw(pid), summons::live_without(pid)?) else { return Ok(None) };
        let handle = rustix::process::pidfd_open(parent, PidfdFlags::empty())?;
        // Had it ended in between, the number could be somebody else's.
        Ok(summons::is_child_of(pid).then_some(Parent { pid, handle }))
    }

    /// What it sends on this socket, and its end, to be waited for.
    fn and<'a>(&'a self, socket: &'a OwnedFd) -> [PollFd<'a>; 2] {
        [PollFd::new(socket, PollFlags::IN), PollFd::new(&self.handle, PollFlags::IN)]
    }

    /// What it sends next; `None` when it has closed the socket, or has ended. Some copy of it, which it has
    /// made by itself, may keep the socket open.
    fn next_letter(&self, socket: &OwnedFd) -> io::Result<Option<Letter>> {
        let mut either = self.and(socket);
        ready::wait(&mut either, None);
        if either[0].revents().is_empty() {
            return Ok(None);
        }
        letter::receive(socket.as_fd(), RecvFlags::empty())
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
    // What was sent since the parent knows of this child was meant for it. Ctrl-C waits until it knows what it will be.
    signals::block_interrupt_alone_on_this_thread();
    Ok(Legacy { parent, channel: Channel::with(channel, &[greeting, &letter.rest].concat()), files })
}
