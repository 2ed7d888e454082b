//! One end of a channel, used by one side that may block.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::Serialize;

use super::attachments::{Attachment, MOST_OF_FRAME};
use super::frame::{self, Frame, FrameReader, Received};
use super::message::Along;

/// A socket and what was read from it but not yet used.
pub(crate) struct Channel {
    socket: OwnedFd,
    reader: FrameReader,
}

impl Channel {
    pub(crate) fn new(socket: OwnedFd) -> Channel {
        Channel { socket, reader: FrameReader::default() }
    }

    /// A channel on which these bytes have come already.
    pub(crate) fn with(socket: OwnedFd, read: &[u8]) -> Channel {
        let mut channel = Channel::new(socket);
        channel.reader.feed(read);
        channel
    }

    /// Sends a message with its payload, and waits until all of it is on its way.
    pub(crate) fn send<M: Serialize>(&self, message: &M, payload: &[u8]) -> io::Result<()> {
        send_all(self.socket.as_fd(), &frame::head(message, payload.len()), payload)
    }

    /// Waits for the next frame; `None` when the other side has closed its end. Nonsense is an error.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Frame>> {
        loop {
            match self.reader.next() {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => {}
                Err(super::Malformed) => return Err(io::ErrorKind::InvalidData.into()),
            }
            if self.reader.receive(self.socket.as_fd(), RecvFlags::empty())? == Received::End {
                return Ok(None);
            }
        }
    }
}

/// What was read ahead is dropped.
impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> OwnedFd {
        channel.socket
    }
}

impl Channel {
    /// Takes what came along with the last frame.
    pub(crate) fn take_along(&mut self, along: Along) -> Vec<Attachment> {
        self.reader.take_along(along)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Sends a frame's head and payload, and waits while the other side's buffer is full.
pub(crate) fn send_all(socket: BorrowedFd<'_>, head: &[u8], payload: &[u8]) -> io::Result<()> {
    send_all_with(socket, head, payload, &[])
}

/// The same with descriptors that go along.
pub(crate) fn send_all_with(
    socket: BorrowedFd<'_>,
    head: &[u8],
    payload: &[u8],
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut sent = 0;
    while sent < head.len() + payload.len() {
        sent += send_some_with(socket, head, payload, sent, files, SendFlags::empty())?;
    }
    Ok(())
}

/// Sends what is left of a frame of which `sent` bytes are gone; says how many more went.
pub(crate) fn send_some(
    socket: BorrowedFd<'_>,
    head: &[u8],
    payload: &[u8],
    sent: usize,
    flags: SendFlags,
) -> rustix::io::Result<usize> {
    send_some_with(socket, head, payload, sent, &[], flags)
}

/// The same where descriptors go along, with the first byte.
pub(crate) fn send_some_with(
    socket: BorrowedFd<'_>,
    head: &[u8],
    payload: &[u8],
    sent: usize,
    files: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> rustix::io::Result<usize> {
    let of_payload = sent.saturating_sub(head.len());
    let of_head = sent - of_payload;
    let parts = [IoSlice::new(&head[of_head..]), IoSlice::new(&payload[of_payload..])];
    let send = |control: &mut SendAncillaryBuffer<'_, '_, '_>| {
        rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(socket, &parts, control, flags | SendFlags::NOSIGNAL)
        })
    };
    if files.is_empty() || sent > 0 {
        return send(&mut SendAncillaryBuffer::default());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_OF_FRAME))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(rustix::io::Errno::INVAL);
    }
    send(&mut control)
}
