//! The messages between a parent and its child.
//!
//! A parent speaks first: [`ToChild::Hello`], which says all that a process for one call needs. A child answers
//! [`FromChild::Refused`] and leaves; or a process [`FromChild::Answer`]; or a worker [`FromChild::Ready`], and
//! turns to the memory that it shares with its manager ([`super::memory`]). From then on the channel carries
//! what is too long for that memory, and wake-ups.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::Failure;

/// What a parent says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// The first message. The payload is what the role needs: the argument of a process's call, or that of a
    /// worker's initializer.
    Hello {
        /// The parent's program.
        program: Identity,
        /// Who the child is.
        birth: Birth,
        /// What the child is to be.
        role: Role,
    },
    /// What a worker has asked for: the payload is the row of encoded arguments of its current chunk.
    Arguments(Along),
}

/// What a child is to be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// One call, then the end. The argument is the payload, or in the first file that comes along. The other files are
    /// memory that belongs to it.
    Process { function: EntryRef, in_file: bool },
    /// Calls until it is told to leave. The memory that both map comes along, and behind it what belongs to the
    /// initializer's argument.
    Worker {
        /// What to call before the first call.
        initializer: Option<EntryRef>,
    },
    /// Makes more children for the parent until the channel ends.
    ForkServer,
}

/// Who a child is among its parent's children.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Birth {
    pub(crate) name: String,
    /// The numbers of its ancestors and itself, from the main process on: `1:2`.
    pub(crate) lineage: String,
}

/// What a child says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// The worker takes calls from now on.
    Ready,
    /// The child will not do it.
    Refused(Refusal),
    /// From a process: what came of its one call. It is the payload, or in the first file that comes along. The other
    /// files are memory that belongs to it.
    Answer { in_file: bool },
    /// From a worker: the payload is one outcome, which is too long for the memory that it shares with its
    /// manager, or with which other memory comes along.
    Outcome(Along),
    /// From a worker: there is news in the shared memory, and the manager asked to be told.
    News,
    /// From a worker: it has claimed a chunk whose arguments are too long for the shared memory. If they came in
    /// memory of their own, for which it had no room, it asks once more to have them over the channel.
    SendArguments { in_memory: bool },
}

/// What comes along with a payload, by its descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Along {
    /// How much memory belongs to the values.
    pub(crate) attached: usize,
    /// Whether the payload itself is in memory of its own, which comes last: a long one crosses sooner so than
    /// over the channel, where each side waits for the other every few pages.
    pub(crate) in_memory: bool,
}

/// Why a child will not do what it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// It is not the program that its parent is, or has no such function.
    WrongProgram(String),
    /// The pool's initializer gave an error.
    Initializer(Failure),
}

/// A function of this program, as it is named to another process that runs the same program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EntryRef {
    /// How far its entry is from the start of the program's image, in bytes.
    pub(crate) distance: u64,
    /// The name of the types involved.
    pub(crate) name: Cow<'static, str>,
}

/// What a worker is to do with each argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) function: EntryRef,
    /// How long one call may take; if it takes longer, the worker has to die.
    pub(crate) timeout: Option<Duration>,
}

/// Which program this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Identity {
    /// What the linker has drawn from the program's contents, wherever its file is by now.
    BuildId(Vec<u8>),
    /// Of a program that was linked without one: which file, and which state of it.
    File {
        device: u64,
        inode: u64,
        size: u64,
        /// Seconds and nanoseconds since 1970.
        modified: (i64, i64),
    },
}

/// What a fork server, or a copy of it, says to the parent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FromServer {
    /// The server makes copies from now on.
    Ready,
    /// It cannot be a fork server.
    Unfit(String),
    /// On its own channel, a copy says that it is there. Its pidfd comes along.
    Born { pid: i32 },
    /// On the channel of what would have been a copy: the system has refused it, with this number of an error.
    NotBorn { error: i32 },
}

/// What a parent asks of a copy of its fork server. Descriptors come along.
///
/// The payload is the environment, `NAME=value` and a zero byte for each variable, and behind it the first
/// bytes of what a parent says to any child.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Which descriptors come along, in this order.
    pub(crate) files: Vec<File>,
    /// How many bytes the environment has.
    pub(crate) environment: usize,
}

/// What a descriptor is to be in a new child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum File {
    Folder,
    Input,
    Output,
    Errors,
    /// The environment, where it is too large to be a payload.
    Environment,
    /// One of those that the child's role asks for.
    Other,
}
