//! Lines and who wrote them.
//!
//! Writes to a stream are let through one at a time, and the pipe is emptied behind each: so every byte that comes out
//! belongs to whoever was writing, by whatever call it got in.
//! Bytes that come out while nobody writes are nobody's: then something wrote that the tracer did not see, and what was
//! seen is not the whole truth.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::line::LineAssembler;
use crate::model::{Line, Stream};

/// The capacity asked for; without privileges a pipe may hold so much at most (pipe(7), /proc/sys/fs/pipe-max-size).
const CAPACITY: usize = 1 << 20;

/// A standard stream of a run, read as it is written.
#[derive(Debug)]
pub(super) struct Journal {
    stream: Stream,
    pipe: OwnedFd,
    /// What a descriptor of this pipe is called in `/proc`, as in `pipe:[4711]`.
    name: String,
    /// One for each writer, by its index in the tree; `None` is nobody known.
    writers: BTreeMap<Option<usize>, Writer>,
    /// Whether bytes came that nobody was seen to write.
    pub(super) has_unknown: bool,
}

/// What emptying a pipe came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drained {
    /// It was empty.
    Nothing,
    /// It held something.
    Some,
    /// It held more than there is room for.
    TooMuch,
}

/// What one process has written to one stream.
#[derive(Debug)]
struct Writer {
    assembler: LineAssembler,
    /// Whether it has begun a line.
    in_line: bool,
    /// Whether others' bytes came into the line that it has begun.
    torn: bool,
}

impl Journal {
    /// The stream, and the end that the submission gets.
    pub(super) fn new(stream: Stream) -> io::Result<(Journal, OwnedFd)> {
        let (pipe, far_end) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        // A smaller pipe is emptied more often, and as right.
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, CAPACITY);
        let name = format!("pipe:[{}]", rustix::fs::fstat(&pipe)?.st_ino);
        Ok((Journal { stream, pipe, name, writers: BTreeMap::new(), has_unknown: false }, far_end))
    }

    pub(super) fn is(&self, descriptor: &str) -> bool {
        self.name == descriptor
    }

    /// Takes what is in the pipe as written by `writer`, for at most `room` bytes, from which it takes what it used.
    pub(super) fn drain(
        &mut self,
        writer: Option<usize>,
        room: &mut u64,
        at: Duration,
        lines: &mut Vec<Line>,
    ) -> io::Result<Drained> {
        let mut total = 0;
        let mut chunk = [0; 1 << 16];
        loop {
            let count = match rustix::io::read(self.pipe.as_fd(), &mut chunk) {
                Ok(0) | Err(Errno::AGAIN) => {
                    return Ok(if total == 0 { Drained::Nothing } else { Drained::Some });
                }
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            total += count;
            let kept = count.min(usize::try_from(*room).unwrap_or(usize::MAX));
            *room -= kept as u64;
            self.take(writer, &chunk[..kept], at, lines);
            if kept < count {
                return Ok(Drained::TooMuch);
            }
        }
    }

    fn take(&mut self, writer: Option<usize>, bytes: &[u8], at: Duration, lines: &mut Vec<Line>) {
        self.has_unknown |= writer.is_none() && !bytes.is_empty();
        // Whoever has begun a line gets it torn, and so does whoever now writes into it.
        let mut into_another = false;
        for (_, other) in self.writers.iter_mut().filter(|(index, other)| **index != writer && other.in_line)
        {
            other.torn = true;
            into_another = true;
        }
        let number = writer.and_then(|index| u32::try_from(index).ok());
        let stream = self.stream;
        let own = self.writers.entry(writer).or_insert_with(|| Writer {
            assembler: LineAssembler::new(stream, number),
            in_line: false,
            torn: false,
        });
        own.torn |= into_another;
        let first_new = lines.len();
        own.assembler.push(bytes, at, lines);
        if let Some(line) = lines.get_mut(first_new) {
            line.torn = own.torn;
        }
        if let Some(last) = bytes.last() {
            own.in_line = *last != b'\n';
        }
        if lines.len() > first_new {
            own.torn = own.in_line && into_another;
        }
    }

    /// The last lines, of those writers whose last one had no newline.
    pub(super) fn finish(self) -> impl Iterator<Item = Line> {
        self.writers.into_values().filter_map(|writer| {
            let mut line = writer.assembler.finish()?;
            line.torn = writer.torn;
            Some(line)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of pieces, each written by the process with this index.
    fn lines(pieces: &[(usize, &str)]) -> Vec<(u32, String, bool)> {
        let (mut journal, far_end) = Journal::new(Stream::Stdout).expect("a pipe");
        let mut lines = Vec::new();
        let mut room = 1_000;
        for (writer, text) in pieces {
            rustix::io::write(&far_end, text.as_bytes()).expect("room in the pipe");
            journal.drain(Some(*writer), &mut room, Duration::ZERO, &mut lines).expect("bytes");
        }
        lines.extend(journal.finish());
        lines.into_iter().map(|line| (line.writer.expect("a writer"), line.text, line.torn)).collect()
    }

    fn line(writer: u32, text: &str, torn: bool) -> (u32, String, bool) {
        (writer, text.to_owned(), torn)
    }

    #[test]
    fn lines_of_two_processes_are_put_together_apart() {
        let seen = lines(&[(1, "Proc"), (2, "Process 2: 2\n"), (1, "ess 1: 1\n")]);
        assert_eq!(seen, [line(2, "Process 2: 2", true), line(1, "Process 1: 1", true)]);
    }

    #[test]
    fn a_line_in_several_writes_of_one_process_is_whole() {
        assert_eq!(
            lines(&[(1, "a"), (1, "b\nc"), (1, "d\n"), (2, "e")]),
            [line(1, "ab", false), line(1, "cd", false), line(2, "e", false)]
        );
    }

    #[test]
    fn only_the_line_that_was_open_is_torn() {
        assert_eq!(
            lines(&[(1, "a"), (2, "x\ny\n"), (1, "b\nc\n")]),
            [line(2, "x", true), line(2, "y", false), line(1, "ab", true), line(1, "c", false)]
        );
    }

    #[test]
    fn bytes_of_nobody_are_noticed() {
        let (mut journal, far_end) = Journal::new(Stream::Stderr).expect("a pipe");
        rustix::io::write(&far_end, b"?\n").expect("room in the pipe");
        let mut lines = Vec::new();
        let drained = journal.drain(None, &mut 10, Duration::ZERO, &mut lines).expect("bytes");
        assert_eq!((drained, lines.len(), journal.has_unknown), (Drained::Some, 1, true));
    }

    #[test]
    fn as_much_as_there_is_room_for_is_not_too_much() {
        let (mut journal, far_end) = Journal::new(Stream::Stdout).expect("a pipe");
        let (mut lines, mut room) = (Vec::new(), 4);
        let mut drain = |text: &[u8]| {
            rustix::io::write(&far_end, text).expect("room in the pipe");
            journal.drain(Some(0), &mut room, Duration::ZERO, &mut lines).expect("bytes")
        };
        assert_eq!(
            (drain(b"abc\n"), drain(b""), drain(b"d")),
            (Drained::Some, Drained::Nothing, Drained::TooMuch)
        );
    }
}
