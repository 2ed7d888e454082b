//! What a worker of a pool does: chunk after chunk, until it is told to leave.
//!
//! It knows nothing of pools and jobs. It claims a chunk in the memory that it shares with its manager, calls
//! the function with one argument after the other, and publishes each outcome there as it is made. The manager
//! is told of outcomes many at a time: when a chunk is done, when there are many, when some time has passed,
//! and at once after a failure, so that the rest of a job can be called off. If it sleeps, it gets a message
//! when the worker has nothing left to do, and for the other reasons but the first.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{ClockId, Timespec};

use crate::entry::Callee;
use crate::ipc::channel::Channel;
use crate::ipc::frame::Frame;
use crate::ipc::memory::{self, Inbox, Outbox};
use crate::ipc::message::{EntryRef, FromChild, Refusal, ToChild, Work};
use crate::ipc::requests::Kind;
use crate::ipc::{codec, outcome, records};
use crate::panics;
use crate::status::UNUSABLE;
use crate::sys::signals;
use crate::sys::timer::KillTimer;

/// So many bytes of outcomes are worth telling.
const MANY: usize = 32 << 10;

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
    let (inbox, outbox) = memory::open(memory)?;
    if let Some(initializer) = initializer
        && let Err(refusal) = initialise(&initializer, argument)
    {
        channel.send(&FromChild::Refused(refusal), &[])?;
        return Ok(UNUSABLE);
    }
    let timer = KillTimer::new()?;
    channel.send(&FromChild::Ready, &[])?;
    let output = Output { channel, outbox, timer, calls: 0, outcome: Vec::new(), told: now() };
    Worker { inbox, output, work: None }.work()
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
    inbox: Inbox,
    output: Output,
    /// What was to be done with the last chunk.
    work: Option<(Callee, Option<Duration>)>,
}

impl Worker {
    fn work(&mut self) -> io::Result<i32> {
        loop {
            let Some(request) = self.inbox.claim().map_err(|_| nonsense())? else {
                self.output.tell(true)?;
                self.inbox.wait();
                continue;
            };
            if !request.function.is_empty() {
                let work: Work = codec::decode(self.inbox.bytes(request.function)).map_err(|_| nonsense())?;
                match Callee::find(&work.function) {
                    Ok(callee) => self.work = Some((callee, work.timeout)),
                    Err(reason) => {
                        let refusal = Refusal::WrongProgram(reason);
                        self.output.channel.send(&FromChild::Refused(refusal), &[])?;
                        return Ok(UNUSABLE);
                    }
                }
            }
            let work = || self.work.ok_or_else(nonsense);
            match request.kind {
                Kind::Calls => {
                    let arguments = self.inbox.bytes(request.arguments);
                    self.output.chunk(work()?, &self.inbox, arguments)?;
                }
                Kind::CallsElsewhere => {
                    let frame = self.output.ask_for_arguments()?;
                    let (ToChild::Arguments, arguments) = frame.message().map_err(|_| nonsense())? else {
                        return Err(nonsense());
                    };
                    self.output.chunk(work()?, &self.inbox, arguments)?;
                }
                Kind::Leave => {
                    self.output.tell(true)?;
                    return Ok(0);
                }
                Kind::Skip => return Err(nonsense()),
            }
        }
    }
}

/// The way back to the manager.
struct Output {
    channel: Channel,
    outbox: Outbox,
    /// Kills this process when a call takes too long, in case it never comes to an end by itself.
    timer: KillTimer,
    /// How many calls were made in all; the number of the last one.
    calls: u64,
    /// The outcome of the current call.
    outcome: Vec<u8>,
    /// When the manager was told of outcomes last.
    told: Timespec,
}

impl Output {
    /// Makes the calls of one chunk.
    fn chunk(
        &mut self,
        (callee, timeout): (Callee, Option<Duration>),
        inbox: &Inbox,
        mut arguments: &[u8],
    ) -> io::Result<()> {
        while let Some(argument) = records::take_first(&mut arguments).map_err(|_| nonsense())? {
            if inbox.is_withdrawn() {
                self.outbox.begin(self.calls);
                self.publish(&outcome::STOPPED_RECORD)?;
                break;
            }
            self.calls += 1;
            self.outbox.begin(self.calls);
            self.outcome.clear();
            match timeout {
                None => callee.call(argument, &mut self.outcome),
                Some(timeout) => self.call_within(timeout, callee, argument),
            }
            let outcome = std::mem::take(&mut self.outcome);
            self.publish(&outcome)?;
            let at_once = outcome::is_failure(&outcome) || self.outbox.unannounced() >= MANY;
            self.outcome = outcome;
            if at_once || now() != self.told {
                self.tell(true)?;
            }
        }
        self.tell(false)
    }

    /// Makes a call that this process does not survive if it takes too long.
    fn call_within(&mut self, timeout: Duration, callee: Callee, argument: &[u8]) {
        // First the note: when the timer ends, the time that is noted is over.
        self.outbox.begin_timed(timeout);
        self.timer.start(timeout);
        callee.call(argument, &mut self.outcome);
        self.timer.stop();
        self.outbox.end_timed();
    }

    /// Makes sure that an outcome outlives this process.
    fn publish(&mut self, outcome: &[u8]) -> io::Result<()> {
        if self.outbox.takes(outcome.len()) {
            self.make_room(outcome.len())?;
            self.outbox.publish(outcome);
            return Ok(());
        }
        self.make_room(outcome::ELSEWHERE_RECORD.len())?;
        self.outbox.publish(&outcome::ELSEWHERE_RECORD);
        self.tell(false)?;
        self.channel.send(&FromChild::Outcome, outcome)
    }

    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        if !self.outbox.has_room(bytes) {
            self.tell(true)?;
            self.outbox.wait_for_room(bytes);
        }
        Ok(())
    }

    /// Lets the manager know what was published, and wakes it if it is to be woken. What the calls have
    /// printed goes out before their results do.
    fn tell(&mut self, and_wake: bool) -> io::Result<()> {
        if self.outbox.unannounced() > 0 {
            // Standard output may be closed: that is for the function to notice, and no fault of the pool.
            let _ = io::stdout().flush();
            self.outbox.announce();
        }
        if and_wake {
            self.told = now();
            if self.outbox.manager_sleeps() {
                self.channel.send(&FromChild::News, &[])?;
            }
        }
        Ok(())
    }

    /// Gets the arguments of the current chunk, which are too long for the shared memory.
    fn ask_for_arguments(&mut self) -> io::Result<Frame> {
        self.tell(false)?;
        // If this process cannot take them in, no other one can: it has to be that call's fault.
        self.outbox.begin(self.calls + 1);
        self.channel.send(&FromChild::SendArguments, &[])?;
        self.channel.receive()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
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
