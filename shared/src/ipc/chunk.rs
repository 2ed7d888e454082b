//! One chunk as a worker takes it on: argument after argument, and where each outcome goes.

use std::io;
use std::time::Duration;

use serde::Serialize;

use super::memory::Inbox;
use super::outcome::Failure;
use super::output::Output;
use super::records::{self, Run};

/// The calls of one chunk that are not made yet.
pub(crate) struct Chunk<'a> {
    inbox: &'a Inbox,
    output: &'a mut Output,
    arguments: &'a [u8],
    /// Whether no call was begun yet.
    is_new: bool,
}

impl<'a> Chunk<'a> {
    /// The calls with these arguments, each of which may take so long.
    pub(crate) fn new(
        inbox: &'a Inbox,
        output: &'a mut Output,
        arguments: &'a [u8],
        timeout: Option<Duration>,
    ) -> Chunk<'a> {
        output.allow(timeout);
        Chunk { inbox, output, arguments, is_new: true }
    }

    /// The next arguments; `None` at the end of the chunk.
    pub(crate) fn next_arguments(&mut self) -> io::Result<Option<Run<'a>>> {
        let run = records::take_run(&mut self.arguments).map_err(|_| io::ErrorKind::InvalidData)?;
        if run.is_none() {
            self.output.tell(false)?;
        }
        Ok(run)
    }

    /// Begins the next call; `false` if it is not to be made, nor any other. For each call that is begun there
    /// has to be one result or failure.
    #[inline(always)]
    pub(crate) fn begin(&mut self) -> io::Result<bool> {
        if (self.is_new || self.inbox.is_poked()) && !self.attend()? {
            return Ok(false);
        }
        self.output.begin();
        Ok(true)
    }

    /// Does what there is to do between two calls; `false` if there is to be no next one.
    #[inline(never)]
    fn attend(&mut self) -> io::Result<bool> {
        self.is_new = false;
        if self.inbox.is_withdrawn() {
            self.output.stop()?;
            return Ok(false);
        }
        // A poke that comes too early for anything to tell is heeded later.
        if self.output.has_something_to_tell() && self.inbox.heed() {
            self.output.tell(true)?;
        }
        Ok(true)
    }

    /// The call that was begun has this result. If it panics, it has none.
    #[inline(always)]
    pub(crate) fn give<R: Serialize>(&mut self, result: R) -> io::Result<()> {
        self.output.give(result)
    }

    /// The call that was begun has no result, and this is why.
    pub(crate) fn fail(&mut self, failure: &Failure) -> io::Result<()> {
        self.output.fail(failure)
    }
}
