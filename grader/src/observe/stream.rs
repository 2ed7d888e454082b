//! The grader's ends of a run's standard streams; none of them ever blocks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::line::LineAssembler;
use crate::model::{Line, Stream};

/// How many bytes are read from a stream at once: what a pipe holds by default, see pipe(7).
const CHUNK: usize = 64 * 1024;

/// Standard input: what is still to be written to it.
#[derive(Debug)]
pub(super) struct Input<'a> {
    /// None when all was written, which is the reader's end of file.
    pipe: Option<OwnedFd>,
    rest: &'a [u8],
    /// The reader's end, which the grader keeps open too: writing to a pipe that nobody reads would raise SIGPIPE.
    far_end: OwnedFd,
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a [u8]) -> io::Result<Input<'a>> {
        let (far_end, pipe) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        if text.len() > CHUNK {
            // A pipe that cannot grow (fcntl(2) on F_SETPIPE_SZ) is filled more often, and as right.
            let _ = rustix::pipe::fcntl_setpipe_size(&pipe, text.len());
        }
        Ok(Input { pipe: Some(pipe).filter(|_| !text.is_empty()), rest: text, far_end })
    }

    /// The end that the submission gets.
    pub(super) fn far_end(&self) -> BorrowedFd<'_> {
        self.far_end.as_fd()
    }

    /// What to wait for, as long as there is something to write.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// How many bytes are still to be written.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Writes as much as there is room for.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        match rustix::io::write(pipe, self.rest) {
            Ok(count) => self.rest = self.rest.get(count..).unwrap_or_default(),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if self.rest.is_empty() {
            self.pipe = None;
        }
        Ok(())
    }
}

/// Standard output or error: its lines so far.
#[derive(Debug)]
pub(super) struct Output {
    /// None at the end of the stream.
    pipe: Option<OwnedFd>,
    assembler: LineAssembler,
}

/// What reading an output came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There was nothing to read.
    Nothing,
    /// There was something.
    Some,
    /// There was more than there is room for.
    TooMuch,
}

impl Output {
    /// The stream, and the end that the submission gets.
    pub(super) fn new(stream: Stream) -> io::Result<(Output, OwnedFd)> {
        let (pipe, far_end) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok((Output { pipe: Some(pipe), assembler: LineAssembler::new(stream, None) }, far_end))
    }

    /// What to wait for, until the stream's end.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Whether every writer has closed the stream.
    pub(super) fn at_end(&self) -> bool {
        self.pipe.is_none()
    }

    /// Reads what is there, for at most `room` bytes of lines, from which it takes what it used.
    pub(super) fn read(&mut self, room: &mut u64, at: Duration, lines: &mut Vec<Line>) -> io::Result<Read> {
        let Some(pipe) = &self.pipe else { return Ok(Read::Nothing) };
        let mut chunk = [0; CHUNK];
        let count = match rustix::io::read(pipe, &mut chunk) {
            Ok(0) => {
                self.pipe = None;
                return Ok(Read::Nothing);
            }
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Read::Nothing),
            Err(errno) => return Err(errno.into()),
        };
        let kept = count.min(usize::try_from(*room).unwrap_or(usize::MAX));
        *room -= kept as u64;
        self.assembler.push(&chunk[..kept], at, lines);
        Ok(if kept < count { Read::TooMuch } else { Read::Some })
    }

    /// The last line, if it had no newline.
    pub(super) fn finish(self) -> Option<Line> {
        self.assembler.finish()
    }
}
