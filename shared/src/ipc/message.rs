//! The messages between a parent and its child.
//!
//! A parent speaks first: [`ToChild::Hello`], then calls. A child answers [`FromChild::Refused`] and leaves,
//! or [`FromChild::Ready`] (workers only) and then the outcomes of the calls, in the order in which they
//! came. Since a channel keeps order and a worker works in order, an outcome is known by its number alone.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::outcome::Failure;

/// What a parent says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// The first message. For a worker with an initializer the payload is its encoded argument.
    Hello {
        /// The parent's program.
        program: Identity,
        /// What the child is to be.
        role: Role,
    },
    /// A chunk of calls of one function. The payload is a row of encoded arguments.
    Call {
        function: EntryRef,
        /// A worker's right to the chunk, to be claimed in the shared memory; unused for a single process.
        ticket: Ticket,
    },
}

/// What a child is to be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// One call, then the end.
    Process,
    /// Calls until the channel ends.
    Worker {
        /// The number of the descriptor of the memory that both map.
        memory: i32,
        /// What to call before the first call.
        initializer: Option<EntryRef>,
    },
}

/// What a child says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// The worker takes calls from now on.
    Ready,
    /// The child will not do it.
    Refused(Refusal),
    /// The payload is a row of outcomes.
    Outcomes {
        /// How many outcomes the child had sent before.
        first: u64,
    },
    /// The current chunk was withdrawn, and nothing more of it will come.
    Stopped,
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

/// Where in the shared memory a worker claims a chunk, and by which number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) slot: usize,
    pub(crate) number: u64,
}

/// Which program this is: which file, and which state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Seconds and nanoseconds since 1970.
    pub(crate) modified: (i64, i64),
}
