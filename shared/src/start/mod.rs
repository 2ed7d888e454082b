//! How children are started, and what they are told first.
//!
//! Every child has a channel to its parent for its whole life, and on it the parent speaks first. As much of
//! the first message as the channel takes is written before the child runs, so that the child finds it there.

mod environment;
pub(crate) mod fork_server;
mod spawn;
mod spawner;
pub(crate) mod summons;

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::Pid;

use crate::child::Child;
use crate::entry;
use crate::family;
use crate::ipc::channel::send_some;
use crate::ipc::frame;
use crate::ipc::message::{Birth, Identity, Role, ToChild};

/// How a child is started. Each [`Builder`](crate::Builder) and [`PoolBuilder`](crate::PoolBuilder) says so for
/// its own; there is no choice for the whole program.
///
/// ```
/// use multiprocessing::{Builder, StartMethod};
///
/// # multiprocessing::init();
/// let quick = Builder::new().start_method(StartMethod::ForkServer);
/// assert_eq!(quick.spawn(|x: u64| x * x, 7)?.join()?, 49);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StartMethod {
    /// The program is started again, by `posix_spawn`. What stands before [`init`](crate::init) in `main` runs
    /// in each child.
    #[default]
    Spawn,
    /// A copy is made of a process that waits for that in `init`: several times as fast, however large this
    /// process is.
    ///
    /// That process, the fork server, is started when it is first needed, and ends with this one; so do two copies that
    /// it keeps ready. What stands
    /// before `init` runs in it alone, once, and its children begin with a copy of what was made there: a
    /// random generator that was seeded before `init` gives all of them the same numbers. It must start no
    /// threads.
    ///
    /// From this process, as it is when the child is started, a child has the folder, the environment, standard
    /// output and error, and the process group. What else a process passes on is as it was when the server was
    /// started: arguments, resource limits, the file mode mask, priorities, CPU affinity, ignored signals. A
    /// change of session or user starts a new server. No other descriptor is passed on.
    ForkServer,
}

/// What is to be started.
pub(crate) struct Order<'a> {
    pub(crate) method: StartMethod,
    /// Who the child will be.
    pub(crate) birth: Birth,
    /// What it will do, and what that takes.
    pub(crate) role: Role,
    pub(crate) payload: &'a [u8],
    /// Descriptors that it will have besides its channel.
    pub(crate) files: Vec<OwnedFd>,
    pub(crate) world: World,
}

/// What a child has otherwise than its parent.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// Variables for its environment, in place of its parent's of the same name.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Where it is.
    pub(crate) folder: Option<PathBuf>,
    /// Its standard streams. Without one for its standard input, that is empty.
    pub(crate) input: Option<Arc<OwnedFd>>,
    pub(crate) output: Option<Arc<OwnedFd>>,
    pub(crate) errors: Option<Arc<OwnedFd>>,
}

/// A child that exists.
pub(crate) struct Started {
    pub(crate) child: Arc<Child>,
    /// This end of the channel.
    pub(crate) socket: OwnedFd,
    /// What the channel did not take of the first message, to be sent before anything else.
    pub(crate) unsent: Vec<u8>,
}

/// Starts a child.
///
/// Returns as soon as the process exists; whether it comes as far as the channel is for the caller to see.
pub(crate) fn start(order: Order<'_>) -> io::Result<Started> {
    start_as(entry::program()?, order)
}

/// A child that has ended well, to stand for any other: it can be killed and waited for again and again.
#[cfg(test)]
pub(crate) fn ended_child() -> Arc<Child> {
    static CHILD: std::sync::OnceLock<Arc<Child>> = std::sync::OnceLock::new();
    let start = || {
        let child = start_one(StartMethod::Spawn).unwrap();
        child.wait();
        child
    };
    Arc::clone(CHILD.get_or_init(start))
}

/// Has a child make a call that does nothing.
#[cfg(test)]
pub(crate) fn start_one(method: StartMethod) -> io::Result<Arc<Child>> {
    use crate::ipc::{codec, records};

    let mut argument = Vec::new();
    records::append(&mut argument, |buffer| codec::encode(&(), buffer)).unwrap();
    let function = entry::name::<_, (), ()>(|()| ()).unwrap();
    let order = Order {
        method,
        birth: Birth::default(),
        role: Role::Process { function, in_file: false },
        payload: &argument,
        files: Vec::new(),
        world: World::default(),
    };
    Ok(start(order)?.child)
}

fn start_as(program: Identity, order: Order<'_>) -> io::Result<Started> {
    let Order { method, birth, role, payload, files, world } = order;
    let kind = if matches!(role, Role::Worker { .. }) { Kind::Worker } else { Kind::Child };
    let greeting = Greeting::new(program, birth.clone(), role, payload);
    let begun = match method {
        StartMethod::Spawn => spawn::start(&greeting, files, world, kind)?,
        StartMethod::ForkServer => fork_server::start(&greeting, &files, &world)?,
    };
    let child = Arc::new(Child::new(birth.name, begun.pid, begun.handle));
    family::own().add(&child);
    Ok(Started { child, socket: begun.socket, unsent: greeting.rest(begun.sent) })
}

/// The first message of a parent.
struct Greeting<'a> {
    head: Vec<u8>,
    payload: &'a [u8],
}

impl Greeting<'_> {
    fn new(program: Identity, birth: Birth, role: Role, payload: &[u8]) -> Greeting<'_> {
        Greeting { head: frame::head(&ToChild::Hello { program, birth, role }, payload.len()), payload }
    }

    /// Writes as much of it as the channel takes without anybody reading; says how much that was.
    fn write(&self, socket: &OwnedFd) -> usize {
        let mut sent = 0;
        while sent < self.head.len() + self.payload.len() {
            match send_some(socket.as_fd(), &self.head, self.payload, sent, SendFlags::DONTWAIT) {
                Ok(count) => sent += count,
                // The channel is full; or the child is gone, and its handle will say how it ended.
                Err(_) => break,
            }
        }
        sent
    }

    /// Appends up to so much of it; says how much that was.
    fn append(&self, buffer: &mut Vec<u8>, most: usize) -> usize {
        let before = buffer.len();
        buffer.extend(self.head.iter().chain(self.payload).take(most));
        buffer.len() - before
    }

    /// What is left of it when so much was sent.
    fn rest(&self, sent: usize) -> Vec<u8> {
        if sent == self.head.len() + self.payload.len() {
            return Vec::new();
        }
        [&self.head, self.payload].concat().split_off(sent)
    }
}

/// A child that exists, and how much of the greeting was sent to it.
struct Begun {
    pid: Pid,
    /// Its pidfd.
    handle: OwnedFd,
    socket: OwnedFd,
    sent: usize,
}

/// What is started again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It belongs to the caller's process group, and has what is not closed on exec.
    Child,
    /// The same, and Ctrl-C is not for it.
    Worker,
    /// It has nothing to do with either.
    Helper,
}

fn channel() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rustix::net::RecvFlags;

    use super::*;
    use crate::ipc::message::{EntryRef, FromChild, Refusal};
    use crate::ipc::{codec, letter, records};
    use crate::status::{ExitStatus, UNUSABLE};

    /// Starts a child that believes its parent to be this program, and is to call this; gives what it answers
    /// and how it ends.
    fn call(program: Identity, distance: u64, name: &str) -> (Option<FromChild>, ExitStatus) {
        let function = EntryRef { distance, name: Cow::Owned(name.to_owned()) };
        let mut argument = Vec::new();
        records::append(&mut argument, |buffer| codec::encode(&7_u8, buffer)).unwrap();
        let order = Order {
            method: StartMethod::Spawn,
            birth: Birth::default(),
            role: Role::Process { function, in_file: false },
            payload: &argument,
            files: Vec::new(),
            world: World::default(),
        };
        let started = start_as(program, order).unwrap();
        let status = started.child.wait();
        let answer = letter::receive(started.socket.as_fd(), RecvFlags::empty()).unwrap();
        (answer.map(|letter| letter.frame.message().unwrap().0), status)
    }

    fn refused(answer: Option<FromChild>) -> String {
        match answer {
            Some(FromChild::Refused(Refusal::WrongProgram(reason))) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_child_refuses_a_parent_that_runs_another_program() {
        let others = [
            Identity::BuildId(b"another".to_vec()),
            Identity::File { device: 1, inode: 2, size: 3, modified: (4, 5) },
        ];
        for other in others {
            let (answer, status) = call(other, 0, "");
            assert_eq!(refused(answer), "it runs another program than its parent");
            assert_eq!(status, ExitStatus::Code(UNUSABLE));
        }
    }

    #[test]
    fn a_child_calls_nothing_but_an_entry_of_that_name() {
        let program = || entry::program().unwrap();
        let real = entry::name::<_, u8, u8>(|x: u8| x).unwrap();
        let forged = [
            (real.distance, "another name"),
            (real.distance + 8, &real.name),
            (real.distance + 1, &real.name),
            (0, &real.name),
            (u64::MAX, &real.name),
            (1 << 40, &real.name),
        ];
        for (distance, name) in forged {
            let (answer, status) = call(program(), distance, name);
            assert!(refused(answer).contains("function"));
            assert_eq!(status, ExitStatus::Code(UNUSABLE));
        }
        let (answer, status) = call(program(), real.distance, &real.name);
        assert_eq!(answer, Some(FromChild::Answer { in_file: false }));
        assert_eq!(status, ExitStatus::Code(0));
    }

    #[test]
    fn a_child_without_a_word_from_its_parent_leaves() {
        let silence = Greeting { head: Vec::new(), payload: &[] };
        let begun = spawn::start(&silence, Vec::new(), World::default(), Kind::Child).unwrap();
        drop(begun.socket);
        assert_eq!(Child::new(String::new(), begun.pid, begun.handle).wait(), ExitStatus::Code(UNUSABLE));
    }
}
