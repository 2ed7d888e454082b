//! What a worker of a pool does: chunk after chunk, until its channel ends.
//!
//! It knows nothing of pools and jobs. It takes a chunk, calls the function with one argument after the
//! other, and publishes each outcome in the shared memory as it is made. Outcomes go out over the channel in
//! batches: when the chunk is done, when there are many, when some time has passed, and at once after a
//! failure, so that the rest of a job can be called off.

use std::io::{self, Write};
use std::os::fd::OwnedFd;

use rustix::time::{ClockId, Timespec};

use crate::entry::Callee;
use crate::ipc::channel::Channel;
use crate::ipc::message::{EntryRef, FromChild, Refusal, Ticket, ToChild};
use crate::ipc::results::WorkerSide;
use crate::ipc::{outcome, records};
use crate::panics;
use crate::status::UNUSABLE;
use crate::sys::signals;

/// Serves the manager at the other end of the channel; gives the code to leave with.
pub(crate) fn run(
    channel: Channel,
    memory: OwnedFd,
    initializer: Option<EntryRef>,
    argument: &[u8],
) -> io::Result<i32> {
    // Ctrl-C goes to every process of the terminal. It is for the caller to answer; this process ends with
    // its parent.
    signals::ignore_interrupt();
    panics::install_hook(true);
    let results = WorkerSide::open(memory)?;
    if let Some(initializer) = initializer
        && let Err(refusal) = initialise(&initializer, argument)
    {
        channel.send(&FromChild::Refused(refusal), &[])?;
        return Ok(UNUSABLE);
    }
    channel.send(&FromChild::Ready, &[])?;
    let mut worker = Worker { channel, results, done: 0, sent: 0, outcome: Vec::new(), flushed: now() };
    while let Some(frame) = worker.channel.receive()? {
        let (ToChild::Call { function, ticket }, arguments) = frame.message().map_err(|_| nonsense())? else {
            return Err(nonsense());
        };
        match Callee::find(&function) {
            Ok(callee) => worker.chunk(callee, ticket, arguments)?,
            Err(reason) => {
                worker.channel.send(&FromChild::Refused(Refusal::WrongProgram(reason)), &[])?;
                return Ok(UNUSABLE);
            }
        }
    }
    Ok(0)
}

/// Calls the initializer, whose result is of no interest.
fn initialise(initializer: &EntryRef, mut argument: &[u8]) -> Result<(), Refusal> {
    let callee = Callee::find(initializer).map_err(Refusal::WrongProgram)?;
    let argument = records::take_first(&mut argument).ok().flatten().unwrap_or_default();
    let mut buffer = Vec::new();
    callee.call(argument, &mut buffer);
    match outcome::take_first(&mut buffer.as_slice()) {
        Ok(Some(Err(failure))) => Err(Refusal::Initializer(failure)),
        _ => Ok(()),
    }
}

struct Worker {
    channel: Channel,
    results: WorkerSide,
    /// How many calls were made in all; the number of the last one.
    done: u64,
    /// How many outcomes were sent. The others stand in `results`.
    sent: u64,
    /// The outcome of the current call.
    outcome: Vec<u8>,
    /// When outcomes were sent last.
    flushed: Timespec,
}

impl Worker {
    /// Makes the calls of one chunk, unless the manager has taken it back meanwhile.
    fn chunk(&mut self, callee: Callee, ticket: Ticket, mut arguments: &[u8]) -> io::Result<()> {
        if !self.results.claim(ticket) {
            return Ok(());
        }
        while let Some(argument) = records::take_first(&mut arguments).map_err(|_| nonsense())? {
            if self.results.is_withdrawn(ticket) {
                self.flush()?;
                return self.channel.send(&FromChild::Stopped, &[]);
            }
            self.results.begin(self.done + 1);
            self.outcome.clear();
            callee.call(argument, &mut self.outcome);
            self.publish()?;
            if outcome::is_failure(&self.outcome) || self.results.is_half_full() || now() != self.flushed {
                self.flush()?;
            }
        }
        self.flush()
    }

    /// Makes sure that the outcome of the call just made outlives this process.
    fn publish(&mut self) -> io::Result<()> {
        if self.results.publish(&self.outcome) {
            self.done += 1;
            return Ok(());
        }
        self.flush()?;
        self.done += 1;
        if self.results.publish(&self.outcome) {
            return Ok(());
        }
        // It is larger than the shared memory altogether, so it goes straight over the channel.
        self.channel.send(&FromChild::Outcomes { first: self.sent }, &self.outcome)?;
        self.sent = self.done;
        self.results.begin_batch(self.sent);
        self.outcome = Vec::new();
        Ok(())
    }

    /// Sends the batch. What the calls have printed goes out before their results do.
    fn flush(&mut self) -> io::Result<()> {
        self.flushed = now();
        if self.sent == self.done {
            return Ok(());
        }
        // Standard output may be closed: that is for the function to notice, and no fault of the pool.
        let _ = io::stdout().flush();
        self.channel.send(&FromChild::Outcomes { first: self.sent }, self.results.batch())?;
        self.sent = self.done;
        self.results.begin_batch(self.sent);
        Ok(())
    }
}

/// The time, as cheaply as it can be had: it moves in steps of 1 to 10 ms (CLOCK_MONOTONIC_COARSE,
/// clock_gettime(2)), which is about how long an outcome may wait for others.
fn now() -> Timespec {
    rustix::time::clock_gettime(ClockId::MonotonicCoarse)
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the parent sent what means nothing")
}
