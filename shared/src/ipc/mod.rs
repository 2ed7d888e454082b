//! What goes between two processes, and how.
//!
//! From the bottom up: values become bytes ([`codec`]), many of them stand in a row ([`records`]), what came
//! of a call is an [`outcome`], a [`message`] says what the bytes mean, and a [`frame`] brings one message
//! with its bytes across a socket, on a [`channel`] where one may block, or in a [`letter`] with descriptors. A
//! large value travels as a [`parcel`]. [`results`] is the memory that a
//! worker shares with its manager.
//!
//! Nothing here knows what a pool or a process handle is. Bytes from the other side are never trusted:
//! whatever they are, reading them gives a value or [`Malformed`].

pub(crate) mod channel;
pub(crate) mod codec;
pub(crate) mod frame;
pub(crate) mod letter;
pub(crate) mod message;
pub(crate) mod outcome;
pub(crate) mod parcel;
pub(crate) mod ready;
pub(crate) mod records;
pub(crate) mod results;

/// The other side sent bytes that mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;
