//! Frames with descriptors, on a socket where each side waits for the other's answer.
//!
//! The descriptors go with a letter's first byte. At most one letter is under way in each direction, so the
//! receiver never reads into a next one; other bytes may follow.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::Serialize;

use super::channel::send_some;
use super::frame::{self, Frame, FrameReader};

/// As many descriptors as a letter may have (SCM_MAX_FD, unix(7)).
pub(crate) const FILES: usize = 253;

/// Most letters come in one piece of this size.
const PIECE: usize = 4 << 10;

/// A frame and the descriptors that came with it.
pub(crate) struct Letter {
    pub(crate) frame: Frame,
    pub(crate) files: Vec<OwnedFd>,
    /// What came behind it, and is no letter.
    pub(crate) rest: Vec<u8>,
}

/// Sends a letter, and waits until all of it is on its way.
pub(crate) fn send<M: Serialize>(
    socket: BorrowedFd<'_>,
    message: &M,
    payload: &[u8],
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let head = frame::head(message, payload.len());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors for one letter"));
    }
    let parts = [IoSlice::new(&head), IoSlice::new(payload)];
    let mut sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL)
    })?;
    while sent < head.len() + payload.len() {
        sent += send_some(socket, &head, payload, sent, SendFlags::empty())?;
    }
    Ok(())
}

/// Receives a letter; `None` when the other side has closed its end without one. Bytes that are no frame are an
/// error.
///
/// Descriptors for which this process has no room are lost, so the message has to say how many there were.
pub(crate) fn receive(socket: BorrowedFd<'_>, flags: RecvFlags) -> io::Result<Option<Letter>> {
    let mut reader = FrameReader::default();
    let mut files = Vec::new();
    let mut piece = [0; PIECE];
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::io::retry_on_intr(|| {
            let flags = flags | RecvFlags::CMSG_CLOEXEC;
            rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut piece)], &mut control, flags)
        });
        let received = match received {
            Ok(received) => received,
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                files.extend(rights);
            }
        }
        if received.bytes == 0 {
            return Ok(None);
        }
        reader.feed(&piece[..received.bytes]);
        match reader.next() {
            Ok(Some(frame)) => return Ok(Some(Letter { frame, files, rest: reader.into_rest() })),
            Ok(None) => {}
            Err(super::Malformed) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsFd;

    use rustix::net::{AddressFamily, SocketFlags, SocketType};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn a_letter_brings_its_bytes_and_its_files_however_long_it_is() {
        for size in [0, 1, PIECE, 10 * PIECE + 3, 100 * PIECE] {
            let (ours, theirs) = pair();
            let payload: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"here").unwrap();
            let letter = std::thread::scope(|scope| {
                scope.spawn(|| {
                    send(theirs.as_fd(), &7_u32, &payload, &[file.as_fd(), theirs.as_fd()]).unwrap()
                });
                receive(ours.as_fd(), RecvFlags::empty()).unwrap().unwrap()
            });
            assert_eq!(letter.frame.message::<u32>(), Ok((7, payload.as_slice())));
            let [mut first, _] = <[OwnedFd; 2]>::try_from(letter.files).unwrap().map(std::fs::File::from);
            first.rewind().unwrap();
            let mut text = String::new();
            first.read_to_string(&mut text).unwrap();
            assert_eq!(text, "here");
        }
    }

    #[test]
    fn bytes_behind_a_letter_are_kept() {
        for size in [0, 3 * PIECE, 60 * PIECE] {
            let (ours, theirs) = pair();
            let mut rest = std::thread::scope(|scope| {
                scope.spawn(|| {
                    send(theirs.as_fd(), &7_u32, &vec![1; size], &[theirs.as_fd()]).unwrap();
                    rustix::net::send(&theirs, b"behind", SendFlags::empty()).unwrap();
                });
                receive(ours.as_fd(), RecvFlags::empty()).unwrap().unwrap().rest
            });
            let before = rest.len();
            rest.resize(6, 0);
            if before < rest.len() {
                rustix::net::recv(&ours, &mut rest[before..], RecvFlags::WAITALL).unwrap();
            }
            assert_eq!(rest, b"behind");
        }
    }

    #[test]
    fn a_closed_end_is_no_letter_and_nonsense_is_an_error() {
        let (ours, theirs) = pair();
        rustix::net::send(&theirs, &[0xff; 20], SendFlags::empty()).unwrap();
        assert_eq!(
            receive(ours.as_fd(), RecvFlags::empty()).err().unwrap().kind(),
            io::ErrorKind::InvalidData
        );
        drop(theirs);
        assert!(receive(ours.as_fd(), RecvFlags::empty()).unwrap().is_none());
    }
}
