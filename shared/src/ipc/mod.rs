//! What goes between two processes, and how.
//!
//! From the bottom up: values become bytes ([`codec`]), many of them stand in a row ([`records`]), what came
//! of a call is an [`outcome`], a [`message`] says what the bytes mean, and a [`frame`] brings one message
//! with its bytes across a socket, on a [`channel`] where one may block, or in a [`letter`] with descriptors. A
//! large value travels as a [`parcel`]; memory that is shared goes along with it as one of its [`attachments`],
//! and so do long bytes, in memory that is [`lent`].
//!
//! A worker and its manager share a [`memory`] as well: [`requests`] go one way and [`results`] the other,
//! [`claims`] say who has which request, and an [`alarm`] wakes a side that sleeps. The worker makes the calls of
//! a request as a [`chunk`], in [`streak`]s, and its [`output`] decides when its manager hears of what came of them.
//!
//! Nothing here knows what a pool or a process handle is. Bytes from the other side are never trusted:
//! whatever they are, reading them gives a value or [`Malformed`].

pub(crate) mod alarm;
pub(crate) mod attachments;
pub(crate) mod channel;
pub(crate) mod chunk;
pub(crate) mod claims;
pub(crate) mod codec;
pub(crate) mod frame;
pub(crate) mod lent;
pub(crate) mod letter;
pub(crate) mod memory;
pub(crate) mod message;
#[cfg(test)]
mod model;
pub(crate) mod outcome;
pub(crate) mod output;
pub(crate) mod parcel;
pub(crate) mod ready;
pub(crate) mod records;
pub(crate) mod requests;
pub(crate) mod results;
pub(crate) mod spin;
mod streak;
pub(crate) mod word;

/// The other side sent bytes that mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;
