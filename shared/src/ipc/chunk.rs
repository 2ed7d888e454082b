//! One chunk as a worker takes it on: argument after argument, and where each outcome goes.

use std::io;
use std::time::Duration;

use super::attachments::Outgoing;
use super::memory::Inbox;
use super::outcome::Failure;
use super::output::Output;
use super::records::{self, Run};

/// What makes a call: from its argument to its result, which is appended, and what goes along with that.
pub(crate) trait Call:
    Fn(&[u8], &mut Vec<u8>, &mut Outgoing) -> Result<(), Box<Failure>> + Copy
{
}

impl<C: Fn(&[u8], &mut Vec<u8>, &mut Outgoing) -> Result<(), Box<Failure>> + Copy> Call for C {}

/// The calls of one chunk that are not made yet.
pub(crate) struct Chunk<'a> {
    inbox: &'a Inbox,
    output: &'a mut Output,
    /// Arguments of one length.
    run: Run<'a>,
    /// The arguments behind these.
    rest: &'a [u8],
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
    ) -> io::Result<Chunk<'a>> {
        output.allow(timeout)?;
        Ok(Chunk { inbox, output, run: Run::default(), rest: arguments, is_new: true })
    }

    /// Makes the calls. The compiled code of `call` becomes a part of the loop here. If it panics, the panic goes
    /// through, and the call has to be [`fail`](Chunk::fail)ed before the others are made.
    #[inline(always)]
    pub(crate) fn make_calls(&mut self, call: impl Call) -> io::Result<()> {
        while self.prepare()? {
            if let Some(made) = self.make_streak(call) {
                self.output.settle(made)?;
            }
        }
        Ok(())
    }

    /// Makes calls as long as nothing else is to be done; gives what the last one came to if that takes a closer
    /// look.
    #[inline(always)]
    fn make_streak(&mut self, call: impl Call) -> Option<Result<(), Box<Failure>>> {
        let pokes = self.inbox.pokes();
        let mut streak = self.output.streak(&mut self.run);
        loop {
            let (argument, result, outgoing) = streak.begin()?;
            match call(argument, result, outgoing) {
                Ok(()) if streak.publish() => {}
                made => return Some(made),
            }
            if pokes.have_come() {
                return None;
            }
        }
    }

    /// Does what there is to do before the next call; `false` if there is to be none.
    #[inline(never)]
    fn prepare(&mut self) -> io::Result<bool> {
        if self.run.is_empty() {
            let run = records::take_run(&mut self.rest).map_err(|_| io::ErrorKind::InvalidData)?;
            let Some(run) = run else {
                self.output.tell(false)?;
                return Ok(false);
            };
            self.run = run;
        }
        if (self.is_new || self.inbox.pokes().have_come()) && !self.attend()? {
            return Ok(false);
        }
        self.output.start_timer();
        Ok(true)
    }

    /// Looks what the manager wants; `false` if there are to be no more calls.
    fn attend(&mut self) -> io::Result<bool> {
        self.is_new = false;
        // A poke that comes too early for anything to tell is heeded later.
        let is_asked = self.inbox.heed(|| self.output.has_something_to_tell());
        let is_withdrawn = self.inbox.is_withdrawn();
        if is_withdrawn {
            self.output.stop()?;
        }
        if is_asked {
            self.output.tell(true)?;
        }
        Ok(!is_withdrawn)
    }

    /// The call that was begun has no result, and this is why.
    pub(crate) fn fail(&mut self, failure: &Failure) -> io::Result<()> {
        self.output.fail(failure)
    }
}
