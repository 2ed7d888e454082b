//! Starting a child as a copy of a small process that was started for that: the fork server.
//!
//! ```text
//!   this process ── channels, one for each copy ──► fork server: the same program, started again, in `init`
//!        │                                               │ clone(2) with CLONE_PARENT, one copy a channel
//!        │                                               ▼
//!        ├─ the channel of a later child ────────── spare: a copy that waits to be told what to do
//!        └─ the channel of a child ──────────────── child: a copy that was told
//! ```
//!
//! To copy a process takes the less the smaller it is, and is safe only if it has one thread. This process may
//! be large and have many, so another one is copied, which has never done anything else. A copy is a child of
//! this process all the same: here it is watched and reaped, and with this process it dies.
//!
//! Copies are made ahead: the spares. To start a child is to tell a spare what to be, and to order another one,
//! which is made while the child runs. Nobody waits for the server unless children are started faster than it
//! can make them.
//!
//! The server is started when it is first needed, serves all threads of this process, and ends with it. It is
//! replaced when it has ended, and when this process runs as another user or in another session by now, which
//! a copy could not follow.
//!
//! **When the server or a spare dies**, nothing is lost: a copy begins nothing before it has its request, and
//! a request that cannot be handed over is made to another copy. All that the server does for a copy is to
//! make it, with a channel that this process has made, and to say there who it is. So a copy that is killed
//! before it has done anything is known all the same, and reaped. Of a server that has ended without a word the
//! copies are asked themselves: each whose channel ends before it has its request says who it is, and leaves.

pub(crate) mod serving;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::net::{RecvFlags, Shutdown, shutdown};
use rustix::process::{Pid, Signal, setpgid};

use super::{Begun, Greeting, Kind, World, channel, environment, spawn};
use crate::child::Child;
use crate::entry;
use crate::ipc::letter;
use crate::ipc::message::{Birth, File, FromServer, Request, Role};
use crate::ipc::{parcel, ready};
use crate::status::ExitStatus;
use crate::sys::per_process::PerProcess;
use crate::sys::standing;

/// A server that takes longer is stuck: most take a millisecond for a start, and less for a copy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request is made to so many copies, should one after the other be killed.
const ATTEMPTS: u32 = 3;

/// So many copies are made ahead: one may be in the making while the other is taken.
const SPARES: usize = 2;

/// So much of the greeting goes with the request, which the spare's channel has to take at once.
const TOGETHER: usize = parcel::INLINE + 4096;

/// Starts a child, and hands it as much of the greeting as can go along.
pub(super) fn start(greeting: &Greeting<'_>, files: &[OwnedFd], world: &World) -> io::Result<Begun> {
    let letter = Letter::new(greeting, files, world, environment::with(&world.variables)?)?;
    let mut server = lock();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let copy = ForkServer::ready(&mut server).and_then(|server| {
            let copy = server.next_copy()?.hand_over(&letter)?;
            server.stock_up();
            Ok(copy)
        });
        match copy {
            Ok(Copy { pid, handle, socket }) => return Ok(Begun { pid, handle, socket, sent: letter.sent }),
            Err(Failure::Refused(error)) => return Err(error),
            Err(Failure::Lost(error)) if attempts == ATTEMPTS => return Err(error),
            Err(Failure::Lost(_)) => {}
            Err(Failure::Stuck(error)) => {
                *server = None;
                return Err(error);
            }
        }
    }
}

/// The server of this process, if it has one.
fn lock() -> MutexGuard<'static, Option<ForkServer>> {
    static SERVER: PerProcess<Mutex<Option<ForkServer>>> = PerProcess::new();
    SERVER.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no child. In each case, none has begun anything.
enum Failure {
    /// The system has refused it.
    Refused(io::Error),
    /// The copy, or the server before it has made one, has ended.
    Lost(io::Error),
    /// The server does not answer.
    Stuck(io::Error),
}

impl Failure {
    /// Why something could not be sent to a server or a copy.
    fn of_send(error: io::Error) -> Failure {
        match error.raw_os_error() {
            // The other end is closed, or the process ended.
            Some(libc::EPIPE | libc::ECONNRESET | libc::ESRCH) => Failure::Lost(error),
            _ => Failure::Refused(error),
        }
    }
}

/// What a copy is told, ready to be sent.
struct Letter<'a> {
    request: Request,
    payload: Vec<u8>,
    files: Vec<BorrowedFd<'a>>,
    /// Those of the files that were made for this letter.
    folder: OwnedFd,
    environment: Option<OwnedFd>,
    /// How much of the greeting is in it.
    sent: usize,
}

/// A copy of the server, which has said who it is.
struct Copy {
    pid: Pid,
    /// Its pidfd.
    handle: OwnedFd,
    socket: OwnedFd,
}

impl<'a> Letter<'a> {
    fn new(
        greeting: &Greeting<'_>,
        files: &'a [OwnedFd],
        world: &'a World,
        environment: Vec<u8>,
    ) -> io::Result<Letter<'a>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = world.folder.as_deref().unwrap_or(Path::new("."));
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let mut kinds = Vec::new();
        let mut sent_along = Vec::new();
        let streams = [
            (File::Input, world.input.as_ref(), None),
            (File::Output, world.output.as_ref(), Some(rustix::stdio::stdout())),
            (File::Errors, world.errors.as_ref(), Some(rustix::stdio::stderr())),
        ];
        for (kind, theirs, ours) in streams {
            // A stream that is closed here is empty in the child.
            let ours = ours.filter(|stream| rustix::io::fcntl_getfd(stream).is_ok());
            if let Some(stream) = theirs.map(|stream| stream.as_fd()).or(ours) {
                kinds.push(kind);
                sent_along.push(stream);
            }
        }
        kinds.extend(files.iter().map(|_| File::Other));
        sent_along.extend(files.iter().map(AsFd::as_fd));
        kinds.push(File::Folder);
        let (mut payload, parcel) = if environment.len() <= parcel::INLINE {
            (environment, None)
        } else {
            kinds.push(File::Environment);
            (Vec::new(), Some(parcel::pack(&environment)?))
        };
        let request = Request { files: kinds, environment: payload.len() };
        let sent = greeting.append(&mut payload, TOGETHER);
        Ok(Letter { request, payload, files: sent_along, folder, environment: parcel, sent })
    }

    fn send(&self, socket: &OwnedFd) -> io::Result<()> {
        let mut files = self.files.clone();
        files.push(self.folder.as_fd());
        files.extend(self.environment.as_ref().map(AsFd::as_fd));
        letter::send(socket.as_fd(), &self.request, &self.payload, &files)
    }
}

impl Copy {
    /// Tells the copy what to be. If it cannot be told any more, it is ended.
    fn hand_over(self, letter: &Letter<'_>) -> Result<Copy, Failure> {
        // The parent may do so as long as the child has not run another program: setpgid(2). From here on a
        // signal to the group is for the child as well.
        let grouped = standing::group().map_or(Ok(()), |group| setpgid(Some(self.pid), Some(group)));
        match grouped.map_err(io::Error::from).and_then(|()| letter.send(&self.socket)) {
            Ok(()) => Ok(self),
            Err(error) => {
                self.end();
                Err(Failure::of_send(error))
            }
        }
    }

    /// Ends the copy, or reaps it if it has ended. By its pidfd: who waits for any child may have reaped it
    /// long since, and its number be another's.
    fn end(self) {
        let child = Child::new(String::new(), self.pid, self.handle);
        child.signal(Signal::KILL);
        child.wait();
    }
}

/// A running server.
struct ForkServer {
    child: Child,
    socket: OwnedFd,
    standing: Standing,
    /// How long it may take to answer.
    patience: Duration,
    /// Our ends of the channels of copies that were ordered: each is made, or about to be.
    spares: VecDeque<OwnedFd>,
}

/// What a copy has from the server and could not change.
#[derive(PartialEq, Eq)]
struct Standing {
    session: Option<Pid>,
    /// Whether a copy can be put into this process's group. If not, it is in it from its birth.
    in_reach: bool,
    users: [u32; 2],
    groups: [u32; 2],
}

impl Standing {
    fn of_this_process() -> Standing {
        Standing {
            session: standing::session(),
            in_reach: standing::group().is_some(),
            users: [rustix::process::getuid(), rustix::process::geteuid()].map(|user| user.as_raw()),
            groups: [rustix::process::getgid(), rustix::process::getegid()].map(|group| group.as_raw()),
        }
    }
}

impl ForkServer {
    /// The server, started if there is none that can be used.
    fn ready(server: &mut Option<ForkServer>) -> Result<&mut ForkServer, Failure> {
        let standing = Standing::of_this_process();
        if server.as_ref().is_some_and(|server| server.standing != standing || !server.serves()) {
            *server = None;
        }
        match server {
            Some(server) => Ok(server),
            none => Ok(none.insert(ForkServer::start(standing)?)),
        }
    }

    fn start(standing: Standing) -> Result<ForkServer, Failure> {
        let program = entry::program().map_err(Failure::Refused)?;
        let greeting = Greeting::new(program, Birth::default(), Role::ForkServer, &[]);
        // The loader looks up all functions at once then, and not each copy anew as it comes to one: ld.so(8).
        // A copy's environment is that of its request.
        let bind_now = World { variables: vec![("LD_BIND_NOW".into(), "1".into())], ..World::default() };
        let begun = spawn::start(&greeting, Vec::new(), bind_now, Kind::Helper);
        let Begun { pid, handle, socket, .. } = begun.map_err(Failure::Refused)?;
        let child = Child::new(String::new(), pid, handle);
        let server = ForkServer { child, socket, standing, patience: PATIENCE, spares: VecDeque::new() };
        match server.receive(&server.socket) {
            Ok((FromServer::Ready, _)) => Ok(server),
            Ok((FromServer::Unfit(reason), _)) => Err(Failure::Refused(io::Error::other(reason))),
            Ok(_) => Err(nonsense()),
            Err(Failure::Lost(_)) => {
                let status = server.child.wait();
                let text = format!("the fork server ended before it was ready, with {status}");
                let error = io::Error::new(io::ErrorKind::BrokenPipe, text);
                // Whoever was killed would have been ready, while a program that exits so early does it each time.
                Err(match status {
                    ExitStatus::Signal(_) => Failure::Lost(error),
                    _ => Failure::Refused(error),
                })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether it can be asked for copies. One that is being ended closes its channel some time before it can be
    /// waited for.
    fn serves(&self) -> bool {
        let hang_up = &mut [PollFd::new(&self.socket, PollFlags::empty())];
        !ready::wait(hang_up, Some(Instant::now())) && self.child.is_alive()
    }

    /// Orders a copy; gives our end of its channel.
    fn order(&self) -> io::Result<OwnedFd> {
        let (ours, theirs) = channel()?;
        letter::send(self.socket.as_fd(), &(), &[], &[theirs.as_fd()])?;
        Ok(ours)
    }

    /// Orders the spares that are missing. What hinders that will show when one is needed.
    ///
    /// A spare in this process's own group would get the signals that are for the children before it.
    fn stock_up(&mut self) {
        while self.standing.in_reach
            && self.spares.len() < SPARES
            && let Ok(spare) = self.order()
        {
            self.spares.push_back(spare);
        }
    }

    /// A spare if there is one, or else a new copy: as soon as it exists.
    fn next_copy(&mut self) -> Result<Copy, Failure> {
        let socket = match self.spares.pop_front() {
            Some(socket) => socket,
            None => self.order().map_err(Failure::of_send)?,
        };
        self.meet(socket)
    }

    /// Waits until the server has made the copy at the other end of this channel. One of a server that has ended
    /// takes no request any more.
    fn meet(&self, socket: OwnedFd) -> Result<Copy, Failure> {
        let introduced = self.receive(&socket).or_else(|failure| match failure {
            Failure::Lost(_) if shutdown(&socket, Shutdown::Write).is_ok() => {
                receive(&socket, None, self.patience)
            }
            failure => Err(failure),
        });
        let (message, mut files) = introduced?;
        match (message, files.pop()) {
            (FromServer::Born { pid }, Some(handle)) => {
                let pid = Pid::from_raw(pid).ok_or_else(nonsense)?;
                Ok(Copy { pid, handle, socket })
            }
            (FromServer::Born { pid }, None) => {
                // The pidfd was lost for want of a free descriptor, and there is only the number. To wait until
                // the copy leaves by itself could be for ever: it may be stopped, or its channel open in a fork
                // of ours.
                spawn::abandon(Pid::from_raw(pid).ok_or_else(nonsense)?);
                Err(Failure::Refused(rustix::io::Errno::MFILE.into()))
            }
            (FromServer::NotBorn { error }, _) => Err(Failure::Refused(io::Error::from_raw_os_error(error))),
            _ => Err(nonsense()),
        }
    }

    /// Waits for what it says next on this socket.
    fn receive(&self, socket: &OwnedFd) -> Result<(FromServer, Vec<OwnedFd>), Failure> {
        receive(socket, Some(&self.child), self.patience)
    }
}

/// Waits for what is said next on this socket, by a server if one is named. The other end of a copy's channel is open
/// in the copy too, so that only the server's end shows that it will say no more.
fn receive(
    socket: &OwnedFd,
    server: Option<&Child>,
    patience: Duration,
) -> Result<(FromServer, Vec<OwnedFd>), Failure> {
    let mut either = vec![PollFd::new(socket, PollFlags::IN)];
    either.extend(server.map(|server| PollFd::from_borrowed_fd(server.ended(), PollFlags::IN)));
    if !ready::wait(&mut either, Some(Instant::now() + patience)) {
        let text = format!("the fork server has not answered for {patience:?}");
        return Err(Failure::Stuck(io::Error::new(io::ErrorKind::TimedOut, text)));
    }
    let lost = || Failure::Lost(io::Error::new(io::ErrorKind::BrokenPipe, "the fork server has ended"));
    // What it has said before its end is there by now.
    let letter = match letter::receive(socket.as_fd(), RecvFlags::DONTWAIT) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(lost()),
        letter => letter.map_err(Failure::Refused)?.ok_or_else(lost)?,
    };
    let (message, _) = letter.frame.message().map_err(|_| nonsense())?;
    Ok((message, letter.files))
}

fn nonsense() -> Failure {
    let text = "the fork server has said what means nothing";
    Failure::Stuck(io::Error::new(io::ErrorKind::InvalidData, text))
}

impl Drop for ForkServer {
    fn drop(&mut self) {
        self.child.signal(Signal::KILL);
        self.child.wait();
        // The server has ended, so a spare is there by now, or never will be.
        for spare in std::mem::take(&mut self.spares) {
            if let Ok(copy) = self.meet(spare) {
                copy.end();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::{self, StartMethod};
    use crate::status::ExitStatus;

    fn start_one() -> io::Result<ExitStatus> {
        Ok(start::start_one(StartMethod::ForkServer)?.wait())
    }

    #[test]
    fn a_server_that_does_not_answer_is_ended_and_replaced() {
        assert_eq!(start_one().unwrap(), ExitStatus::Code(0));
        let stuck = {
            let mut server = lock();
            let server = server.as_mut().unwrap();
            server.patience = Duration::from_millis(20);
            server.child.signal(Signal::STOP);
            rustix::io::dup(server.child.ended()).unwrap()
        };
        // The copies that were made before are used up first.
        let error = (0..100).find_map(|_| start_one().err()).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
        assert!(lock().is_none());
        assert!(ready::wait(&mut [PollFd::new(&stuck, PollFlags::IN)], Some(Instant::now())));
        assert_eq!(start_one().unwrap(), ExitStatus::Code(0));
    }
}
