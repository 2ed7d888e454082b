//! What a worker of a pool does: chunk after chunk, until it is told to leave.
//!
//! It knows nothing of pools and jobs. It claims a chunk in the memory that it shares with its manager, calls
//! the function with one argument after the other, and publishes each outcome there as it is made. The manager
//! is told of outcomes many at a time: when a chunk is done, when there are many, when it asks, and at once
//! after a failure, so that the rest of a job can be called off. If it sleeps, it gets a message when the worker
//! has nothing left to do, and for the other reasons but the first.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::entry::Callee;
use crate::ipc::attachments::Attachment;
use crate::ipc::channel::Channel;
use crate::ipc::chunk::Chunk;
use crate::ipc::memory::{self, Inbox};
use crate::ipc::message::{EntryRef, FromChild, Refusal, Work};
use crate::ipc::outcome::{self, Failure};
use crate::ipc::output::Output;
use crate::ipc::requests::Kind;
use crate::ipc::{attachments, codec, records};
use crate::panics;
use crate::status::UNUSABLE;
use crate::sys::{kept, signals};

/// How long memory for long results is kept while there are none.
const KEPT: Duration = Duration::from_secs(1);

/// Serves the manager at the other end of the channel; gives the code to leave with.
pub(crate) fn run(
    channel: Channel,
    files: Vec<OwnedFd>,
    initializer: Option<EntryRef>,
    argument: &[u8],
) -> io::Result<i32> {
    // Ctrl-C goes to every process of the terminal. It is for the caller to answer; this process ends with
    // its parent.
    signals::ignore_interrupt();
    // It was blocked from the start on, so that it could not end this process before.
    signals::unblock_interrupt_on_this_thread();
    panics::install_hook(true);
    let mut files = files.into_iter();
    let (inbox, outbox) = memory::open(files.next().ok_or_else(nonsense)?)?;
    if let Some(initializer) = initializer
        && let Err(refusal) = initialise(&initializer, argument, &Attachment::open_all(files))
    {
        channel.send(&FromChild::Refused(refusal), &[])?;
        return Ok(UNUSABLE);
    }
    let output = Output::new(channel, outbox);
    output.send(&FromChild::Ready)?;
    // The process ends with it, and then the kernel takes all that it has at once.
    ManuallyDrop::new(Worker { inbox, output, work: None, keeps: None }).work()
}

/// Calls the initializer, which gives the text of its error if it has one.
fn initialise(initializer: &EntryRef, argument: &[u8], came: &[Attachment]) -> Result<(), Refusal> {
    let callee = Callee::find(initializer).map_err(Refusal::WrongProgram)?;
    let argument = records::only(argument).unwrap_or_default();
    let mut buffer = Vec::new();
    callee.call(argument, came, &mut buffer);
    let failure = match outcome::only(&buffer) {
        Ok(Ok(result)) => codec::decode::<Option<String>>(result)
            .unwrap_or_else(|error| Some(error.to_string()))
            .map(|message| Failure::Failed { message }),
        Ok(Err(failure)) => Some(failure),
        Err(_) => Some(Failure::Failed { message: "its outcome cannot be read".to_owned() }),
    };
    failure.map_or(Ok(()), |failure| Err(Refusal::Initializer(failure)))
}

struct Worker {
    inbox: Inbox,
    output: Output,
    /// What was to be done with the last chunk.
    work: Option<(Callee, Option<Duration>)>,
    /// From the first request on: many a worker has none.
    keeps: Option<kept::Use>,
}

impl Worker {
    fn work(&mut self) -> io::Result<i32> {
        loop {
            self.output.give_back_after(KEPT);
            let Some(request) = self.inbox.claim().map_err(|_| nonsense())? else {
                self.output.tell(true)?;
                self.inbox.wait(self.output.keeps_memory().then_some(KEPT));
                continue;
            };
            self.keeps.get_or_insert_with(kept::Use::new);
            if !request.function.is_empty() {
                let work: Work = codec::decode(self.inbox.bytes(request.function)).map_err(|_| nonsense())?;
                match Callee::find(&work.function) {
                    Ok(callee) => self.work = Some((callee, work.timeout)),
                    Err(reason) => {
                        self.output.send(&FromChild::Refused(Refusal::WrongProgram(reason)))?;
                        return Ok(UNUSABLE);
                    }
                }
            }
            let work = || self.work.ok_or_else(nonsense);
            let (inbox, output) = (&self.inbox, &mut self.output);
            match request.kind {
                Kind::Calls => {
                    let (callee, timeout) = work()?;
                    let arguments = inbox.bytes(request.arguments);
                    callee.call_all(Chunk::new(inbox, output, arguments, timeout)?)?;
                }
                Kind::CallsElsewhere => {
                    let (callee, timeout) = work()?;
                    let arguments = output.ask_for_arguments()?;
                    let chunk = Chunk::new(inbox, output, arguments.bytes(), timeout)?;
                    attachments::with(arguments.attached(), || callee.call_all(chunk))?;
                }
                Kind::Leave => {
                    output.tell(true)?;
                    return Ok(0);
                }
                Kind::Skip => return Err(nonsense()),
            }
        }
    }
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the parent sent what means nothing")
}
