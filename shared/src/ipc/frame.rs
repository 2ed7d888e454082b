//! Frames: how a message and its payload stand in a stream of bytes.
//!
//! ```text
//!   0        8
//!   +--------+---------------------+------------------+
//!   | length | message, encoded     | payload, as it is |
//!   +--------+---------------------+------------------+
//!    u64 LE   `length` bytes together
//! ```

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::attachments::{Attachment, MOST_OF_FRAME};
use super::message::Along;
use super::{Malformed, codec};
use crate::sys::sealed::Sealed;

const LENGTH: usize = size_of::<u64>();

/// Most heads are no longer.
const HEAD: usize = 128;

/// One read takes in so much at most; a frame that is longer gets a buffer of its own.
const BUFFER: usize = 128 << 10;

/// The first read for a frame takes in so much: most frames are no longer.
const PIECE: usize = 4 << 10;

/// A frame longer than this is nothing that this library sends: the largest record is 4 GiB.
const LONGEST: u64 = (1 << 32) + (1 << 20);

/// The bytes that go before a payload of this length: the frame's own length and the message.
pub(crate) fn head<M: Serialize>(message: &M, payload: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(&[0; LENGTH]);
    codec::encode(message, &mut head).expect("a message is plain data");
    let length = (head.len() - LENGTH + payload) as u64;
    head[..LENGTH].copy_from_slice(&length.to_le_bytes());
    head
}

/// One whole frame as received, without its length.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// The message, and where the payload begins.
    pub(crate) fn message<M: DeserializeOwned>(&self) -> Result<(M, &[u8]), Malformed> {
        codec::take_first(&self.0).map_err(|_| Malformed)
    }

    /// The payload, which are the last so many bytes, with the memory that came along. `None` if it was in memory
    /// of its own, and that is not there.
    pub(crate) fn into_payload(
        self,
        length: usize,
        along: Along,
        mut attached: Vec<Attachment>,
    ) -> Option<Payload> {
        if along.in_memory {
            let row = (attached.len() > along.attached).then(|| attached.pop())??.sealed()?;
            return Some(Payload { place: 0..row.len(), bytes: Bytes::Memory(row), attached });
        }
        let start = self.0.len().saturating_sub(length);
        let place = start..self.0.len();
        Some(Payload { place, bytes: Bytes::Heap(Arc::new(self.0)), attached })
    }
}

/// Bytes in the memory in which they arrived, beside others perhaps.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: Bytes,
    place: Range<usize>,
    /// What came along with them.
    attached: Vec<Attachment>,
}

#[derive(Debug)]
enum Bytes {
    Heap(Arc<Vec<u8>>),
    Memory(Arc<Sealed>),
}

/// A payload from this length on crosses in memory of its own.
const LONG_PAYLOAD: usize = 1 << 20;

/// Puts a payload of two parts into memory of its own, if it is long and there is memory and a descriptor.
pub(crate) fn pack(parts: [&[u8]; 2]) -> Option<Attachment> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let packed = (length >= LONG_PAYLOAD).then(|| Sealed::copy(&parts).ok()).flatten();
    packed.map(Arc::new).map(Attachment::Sealed)
}

impl Payload {
    /// Some of the bytes, which others use as well.
    pub(crate) fn part(bytes: &Arc<Vec<u8>>, place: Range<usize>) -> Payload {
        Payload { bytes: Bytes::Heap(Arc::clone(bytes)), place, attached: Vec::new() }
    }

    /// The same with memory that goes along.
    pub(crate) fn part_with(bytes: &Arc<Vec<u8>>, place: Range<usize>, attached: &[Attachment]) -> Payload {
        Payload { attached: attached.to_vec(), ..Payload::part(bytes, place) }
    }

    /// Moves the bytes into memory of their own, if they are long; says what goes along then.
    pub(crate) fn pack(&mut self) -> Along {
        let attached = self.attached.len();
        let packed = pack([self.bytes(), &[]]);
        let in_memory = packed.is_some();
        if let Some(packed) = packed {
            *self = Payload { attached: std::mem::take(&mut self.attached), ..Vec::new().into() };
            self.attached.push(packed);
        }
        Along { attached, in_memory }
    }

    /// What goes along with the bytes as they are.
    pub(crate) fn along(&self) -> Along {
        Along { attached: self.attached.len(), in_memory: false }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Heap(bytes) => &bytes[self.place.clone()],
            Bytes::Memory(bytes) => &bytes[self.place.clone()],
        }
    }

    pub(crate) fn attached(&self) -> &[Attachment] {
        &self.attached
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload { place: 0..bytes.len(), bytes: Bytes::Heap(Arc::new(bytes)), attached: Vec::new() }
    }
}

/// What a read came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Bytes,
    /// Nothing there at the moment; only where the read does not block.
    Nothing,
    /// The other side has closed its end.
    End,
}

/// Puts frames together from what a socket gives, in pieces of any size.
#[derive(Default)]
pub(crate) struct FrameReader {
    /// Bytes received; the first `taken` are done with.
    buffer: Vec<u8>,
    taken: usize,
    /// A long frame on its way, and how long it will be.
    long: Option<(Vec<u8>, usize)>,
    /// What came along with frames that were not taken yet, and with the last one that was.
    attached: Attached,
}

impl FrameReader {
    /// Reads once from the socket. An end in the middle of a frame is an end like any other: the frame never
    /// comes.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>, flags: RecvFlags) -> io::Result<Received> {
        if self.long.is_none() {
            self.buffer.drain(..std::mem::take(&mut self.taken));
        }
        let (bytes, more) = match &mut self.long {
            Some((frame, length)) => {
                let more = (*length - frame.len()).min(2 * BUFFER);
                (frame, more)
            }
            None => {
                let length =
                    self.buffer.first_chunk::<LENGTH>().map_or(0, |length| u64::from_le_bytes(*length));
                let missing =
                    (length as usize).saturating_sub(self.buffer.len() - LENGTH.min(self.buffer.len()));
                (&mut self.buffer, missing.clamp(PIECE, BUFFER))
            }
        };
        let result = receive_into(bytes, more, socket, flags, &mut self.attached);
        match result {
            Ok(0) | Err(rustix::io::Errno::CONNRESET) => Ok(Received::End),
            Ok(_) => Ok(Received::Bytes),
            Err(rustix::io::Errno::AGAIN) => Ok(Received::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in bytes that were received otherwise.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if let Some((frame, length)) = &mut self.long {
            let (missing, rest) = bytes.split_at(bytes.len().min(*length - frame.len()));
            frame.extend_from_slice(missing);
            bytes = rest;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the memory that came along with the frame that was taken last, which was so much: less if there was
    /// no room for all of it, or if some is not what it should be.
    pub(crate) fn take_along(&mut self, along: Along) -> Vec<Attachment> {
        let count = along.attached.saturating_add(usize::from(along.in_memory));
        if count > 0 && std::mem::take(&mut self.attached.is_short) {
            // Better none than another one's.
            self.attached.files.clear();
        }
        let count = count.min(self.attached.files.len());
        Attachment::open_all(self.attached.files.drain(..count))
    }

    /// What has come of frames that were not taken.
    pub(crate) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.taken);
        self.buffer
    }

    /// How much memory it has taken.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.buffer.capacity() + self.long.as_ref().map_or(0, |(frame, _)| frame.capacity())
    }

    /// The next frame that is there whole.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        if let Some((frame, length)) = self.long.take() {
            if frame.len() == length {
                return Ok(Some(Frame(frame)));
            }
            self.long = Some((frame, length));
            return Ok(None);
        }
        let waiting = &self.buffer[self.taken..];
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u64::from_le_bytes(*length);
        if length > LONGEST {
            return Err(Malformed);
        }
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        if let Some(frame) = rest.get(..length) {
            let frame = Frame(frame.to_vec());
            self.taken += LENGTH + length;
            return Ok(Some(frame));
        }
        if LENGTH + length > BUFFER {
            self.long = Some((rest.to_vec(), length));
            self.buffer.clear();
            self.taken = 0;
        }
        Ok(None)
    }
}

/// Reads up to so many bytes more. Memory grows with what has come, not with what was announced.
fn receive_into(
    bytes: &mut Vec<u8>,
    more: usize,
    socket: BorrowedFd<'_>,
    flags: RecvFlags,
    attached: &mut Attached,
) -> rustix::io::Result<usize> {
    let before = bytes.len();
    bytes.try_reserve(more).map_err(|_| rustix::io::Errno::NOMEM)?;
    bytes.resize(before + more, 0);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_OF_FRAME))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        let mut parts = [IoSliceMut::new(&mut bytes[before..])];
        rustix::net::recvmsg(socket, &mut parts, &mut control, flags | RecvFlags::CMSG_CLOEXEC)
    });
    bytes.truncate(before + received.as_ref().map_or(0, |received| received.bytes));
    let received = received?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            // One read may bring the end of a frame and the beginning of the next one, each with its own. What is sent
            // beyond that is closed.
            attached.files.extend(files.take((2 * MOST_OF_FRAME).saturating_sub(attached.files.len())));
        }
    }
    attached.is_short |= received.flags.contains(ReturnFlags::CTRUNC);
    Ok(received.bytes)
}

/// Descriptors that came along.
#[derive(Default)]
struct Attached {
    files: VecDeque<OwnedFd>,
    /// Whether there was no room for some of them.
    is_short: bool,
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

    use super::*;

    /// Sends the bytes in pieces of this size, reads as they come, and gives all frames.
    fn through_a_socket(bytes: &[u8], piece: usize) -> Result<Vec<Frame>, Malformed> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .unwrap();
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        for piece in bytes.chunks(piece) {
            assert_eq!(rustix::net::send(&theirs, piece, SendFlags::empty()), Ok(piece.len()));
            while reader.receive(ours.as_fd(), RecvFlags::DONTWAIT).unwrap() == Received::Bytes {
                while let Some(frame) = reader.next()? {
                    frames.push(frame);
                }
            }
        }
        drop(theirs);
        assert_eq!(reader.receive(ours.as_fd(), RecvFlags::empty()).unwrap(), Received::End);
        Ok(frames)
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_the_bytes_are_cut(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            piece in 1_usize..5000,
        ) {
            let mut bytes = Vec::new();
            for payload in &payloads {
                bytes.extend(head(&7_u32, payload.len()));
                bytes.extend(payload);
            }
            let frames = through_a_socket(&bytes, piece).unwrap();
            prop_assert_eq!(frames.len(), payloads.len());
            for (frame, payload) in frames.iter().zip(&payloads) {
                prop_assert_eq!(frame.message::<u32>(), Ok((7, payload.as_slice())));
            }
        }

        #[test]
        fn any_bytes_are_frames_or_malformed(bytes: Vec<u8>, piece in 1_usize..100) {
            if let Ok(frames) = through_a_socket(&bytes, piece) {
                let used: usize = frames.iter().map(|frame| LENGTH + frame.0.len()).sum();
                prop_assert!(used <= bytes.len());
            }
        }
    }

    #[test]
    fn frames_around_the_size_of_the_buffer_come_out_whole() {
        for size in [BUFFER - 20, BUFFER - LENGTH - 1, BUFFER - LENGTH, BUFFER, 3 * BUFFER + 1] {
            let payload: Vec<u8> = (0..size).map(|index| index as u8).collect();
            let mut bytes = head(&7_u32, size);
            bytes.extend(&payload);
            bytes.extend(head(&8_u32, 0));
            let frames = through_a_socket(&bytes, 50_000).unwrap();
            assert_eq!(frames.len(), 2, "{size}");
            assert!(frames[0].message::<u32>() == Ok((7, payload.as_slice())));
            assert_eq!(frames[1].message::<u32>(), Ok((8, [].as_slice())));
        }
    }

    #[test]
    fn each_frame_has_its_own_descriptors_however_many_those_before_it_have() {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .unwrap();
        let memory = Attachment::Sealed(Arc::new(Sealed::copy(&[b"some"]).unwrap()));
        let counts = [MOST_OF_FRAME, MOST_OF_FRAME, 1, 0, 3];
        // So long that the rest is read together with the next one's beginning.
        let payload = vec![0; PIECE + 1];
        for count in counts {
            let files = vec![memory.as_fd(); count];
            let head = head(&7_u32, payload.len());
            crate::ipc::channel::send_all_with(theirs.as_fd(), &head, &payload, &files).unwrap();
        }
        let mut reader = FrameReader::default();
        for count in counts {
            while reader.next().unwrap().is_none() {
                assert_eq!(reader.receive(ours.as_fd(), RecvFlags::DONTWAIT).unwrap(), Received::Bytes);
            }
            let along = Along { attached: count, in_memory: false };
            assert_eq!(reader.take_along(along).len(), count);
        }
    }

    #[test]
    fn an_announced_length_takes_no_memory_by_itself() {
        let mut bytes = (LONGEST - 1).to_le_bytes().to_vec();
        bytes.resize(BUFFER, 0);
        assert_eq!(through_a_socket(&bytes, 50_000), Ok(Vec::new()));
        assert_eq!(through_a_socket(&(LONGEST + 1).to_le_bytes(), 50_000), Err(Malformed));
    }
}
