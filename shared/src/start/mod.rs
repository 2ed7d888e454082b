//! How children are started, and what they are told first.
//!
//! Every child has a channel to its parent for its whole life, and on it the parent speaks first. As much of
//! the first message as the channel takes is written before the child runs, so that the child finds it there.

mod environment;
mod spawn;
mod spawner;
pub(crate) mod summons;

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

use crate::child::Child;
use crate::entry;
use crate::family;
use crate::ipc::channel::send_some;
use crate::ipc::frame;
use crate::ipc::message::{Birth, Identity, Role, ToChild};

/// What is to be started.
pub(crate) struct Order<'a> {
    /// Who the child will be.
    pub(crate) birth: Birth,
    /// What it will do, and what that takes.
    pub(crate) role: Role,
    pub(crate) payload: &'a [u8],
    /// Descriptors that it will have besides its channel.
    pub(crate) files: Vec<OwnedFd>,
    /// Variables for its environment, in place of this process's of the same name.
    pub(crate) variables: Vec<(OsString, OsString)>,
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

fn start_as(program: Identity, order: Order<'_>) -> io::Result<Started> {
    let hello = ToChild::Hello { program, birth: order.birth.clone(), role: order.role };
    let head = frame::head(&hello, order.payload.len());
    let (ours, theirs) = channel()?;
    let starting = spawn::begin(theirs, order.files, order.variables)?;
    let mut sent = 0;
    while sent < head.len() + order.payload.len() {
        match send_some(ours.as_fd(), &head, order.payload, sent, SendFlags::DONTWAIT) {
            Ok(count) => sent += count,
            // The channel is full; or the child is gone, and its handle will say how it ended.
            Err(_) => break,
        }
    }
    let (pid, handle) = starting.wait()??;

    let child = Arc::new(Child::new(order.birth.name, pid, handle));
    family::own().add(&child);
    let unsent = if sent < head.len() + order.payload.len() {
        [&head, order.payload].concat().split_off(sent)
    } else {
        Vec::new()
    };
    Ok(Started { child, socket: ours, unsent })
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
            birth: Birth::default(),
            role: Role::Process { function },
            payload: &argument,
            files: Vec::new(),
            variables: Vec::new(),
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
        assert_eq!(answer, Some(FromChild::Answer));
        assert_eq!(status, ExitStatus::Code(0));
    }

    #[test]
    fn a_child_without_a_word_from_its_parent_leaves() {
        let (ours, theirs) = channel().unwrap();
        drop(ours);
        let (pid, handle) = spawn::begin(theirs, Vec::new(), Vec::new()).unwrap().wait().unwrap().unwrap();
        assert_eq!(Child::new(String::new(), pid, handle).wait(), ExitStatus::Code(UNUSABLE));
    }
}
