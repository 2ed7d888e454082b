//! The way back from a worker to its manager: outcomes, and when the manager hears of them.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::attachments::Outgoing;
use super::channel::Channel;
use super::frame::{self, Payload};
use super::memory::Outbox;
use super::message::{Along, FromChild, ToChild};
use super::outcome::{self, Failure, Reason};
use super::records::Run;
use super::streak::Streak;
use super::{channel, records};
use crate::sys::timer::KillTimer;

/// The way back to the manager.
pub(crate) struct Output {
    channel: Channel,
    outbox: Outbox,
    /// Kills this process when a call takes too long, in case it never comes to an end by itself. Made for the
    /// first call that may.
    timer: Option<KillTimer>,
    /// How many calls were made in all; the number of the last one.
    calls: u64,
    /// How long a call may take.
    timeout: Option<Duration>,
    /// The result of the current call, and what goes along with it.
    result: Vec<u8>,
    outgoing: Outgoing,
}

impl Output {
    pub(crate) fn new(channel: Channel, outbox: Outbox) -> Output {
        Output {
            channel,
            outbox,
            timer: None,
            calls: 0,
            timeout: None,
            result: Vec::new(),
            outgoing: Outgoing::default(),
        }
    }

    /// Whether it keeps memory in which long results have crossed.
    pub(crate) fn keeps_memory(&self) -> bool {
        !self.outgoing.kept.is_empty()
    }

    /// Gives that back if it was not used for so long.
    pub(crate) fn give_back_after(&mut self, time: Duration) {
        self.outgoing.kept.give_back_after(time);
    }

    /// Sends a message to the manager.
    pub(crate) fn send(&self, message: &FromChild) -> io::Result<()> {
        self.channel.send(message, &[])
    }

    /// Each call may take so long from now on. This process does not survive one that takes longer.
    pub(super) fn allow(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if timeout.is_some() && self.timer.is_none() {
            // Where the system has none left, it has to be this call's fault, or another worker would try.
            self.outbox.begin(self.calls + 1);
            self.timer = Some(KillTimer::new()?);
        }
        self.timeout = timeout;
        Ok(())
    }

    /// Has the time of the next call run, if it has one.
    pub(super) fn start_timer(&mut self) {
        let (Some(timeout), Some(timer)) = (self.timeout, &self.timer) else { return };
        // First the notes: when the timer ends, it is this call whose time is over.
        self.outbox.begin(self.calls + 1);
        self.outbox.begin_timed(timeout);
        timer.start(timeout);
    }

    /// The calls with these arguments, one after the other.
    #[inline(always)]
    pub(super) fn streak<'s, 'a>(&'s mut self, arguments: &'s mut Run<'a>) -> Streak<'s, 'a> {
        let mut outbox = self.outbox.at_hand();
        if self.timeout.is_some() {
            // Each of them is to be seen to.
            outbox.close();
        }
        Streak::new(arguments, &mut self.calls, outbox, &mut self.result, &mut self.outgoing)
    }

    /// The call is over, in time.
    fn end(&mut self) {
        if let (Some(_), Some(timer)) = (self.timeout, &self.timer) {
            timer.stop();
            self.outbox.end_timed();
        }
    }

    /// The last call of a streak came to this, which takes more than a few moves.
    pub(super) fn settle(&mut self, made: Result<(), Box<Failure>>) -> io::Result<()> {
        if let Err(failure) = made {
            return self.fail(&failure);
        }
        self.end();
        if !self.outgoing.is_empty() || !self.make_room(self.result.len())? {
            return self.send_result();
        }
        self.outbox.publish_result(&self.result);
        if self.outbox.has_many() { self.tell(true) } else { Ok(()) }
    }

    /// The call that was begun has no result, and this is why.
    #[cold]
    pub(super) fn fail(&mut self, failure: &Failure) -> io::Result<()> {
        self.end();
        self.outgoing.take();
        let mut items = Vec::new();
        outcome::append_failure(&mut items, failure);
        if self.make_room(items.len())? {
            self.outbox.publish(&items);
        } else {
            self.send_outcome(&[], &items)?;
        }
        // So that the rest of a job can be called off.
        self.tell(true)
    }

    /// The chunk was withdrawn, and its calls are not begun any more.
    #[cold]
    pub(super) fn stop(&mut self) -> io::Result<()> {
        self.outbox.begin(self.calls);
        let item = outcome::stopped();
        self.make_room(item.len())?;
        self.outbox.publish(&item);
        self.tell(false)
    }

    /// Waits for room for so many bytes; `false` if there never will be.
    fn make_room(&mut self, bytes: usize) -> io::Result<bool> {
        if !self.outbox.takes(bytes) {
            return Ok(false);
        }
        if !self.outbox.has_room(bytes) {
            self.tell(true)?;
            self.outbox.wait_for_room(bytes);
        }
        Ok(true)
    }

    /// Sends a result that is too long for the shared memory.
    #[cold]
    fn send_result(&mut self) -> io::Result<()> {
        let Ok(length) = u32::try_from(self.result.len()) else {
            return self.fail(&Failure::ResultNotEncoded(Reason::TooLarge));
        };
        let result = std::mem::take(&mut self.result);
        let sent = self.send_outcome(&records::head(length, 1), &result);
        self.result = result;
        sent
    }

    /// Sends an outcome of two parts that is too long for the shared memory.
    fn send_outcome(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let item = outcome::elsewhere();
        self.make_room(item.len())?;
        self.outbox.publish(&item);
        self.tell(false)?;
        let mut attached = self.outgoing.take();
        let packed = frame::pack([first, second]);
        let along = Along { attached: attached.len(), in_memory: packed.is_some() };
        let (first, second) = if along.in_memory { (&[] as &[u8], &[] as &[u8]) } else { (first, second) };
        attached.extend(packed);
        let mut head = frame::head(&FromChild::Outcome(along), first.len() + second.len());
        head.extend_from_slice(first);
        let files: Vec<BorrowedFd<'_>> = attached.iter().map(AsFd::as_fd).collect();
        channel::send_all_with(self.channel.as_fd(), &head, second, &files)
    }

    /// Whether there are outcomes that the manager has not taken, so that it may want to be woken for them.
    pub(super) fn has_something_to_tell(&self) -> bool {
        self.outbox.has_untaken()
    }

    /// Lets the manager know what was published, and wakes it if it is to be woken. What the calls have
    /// printed goes out before their results do.
    pub(crate) fn tell(&mut self, and_wake: bool) -> io::Result<()> {
        if self.outbox.has_unannounced() {
            // Standard output may be closed: that is for the function to notice, and no fault of the pool.
            let _ = io::stdout().flush();
            self.outbox.announce();
        }
        if and_wake && self.outbox.manager_sleeps() {
            self.send(&FromChild::News)?;
        }
        Ok(())
    }

    /// Gets the arguments of the current chunk, which are too long for the shared memory.
    pub(crate) fn ask_for_arguments(&mut self) -> io::Result<Payload> {
        self.tell(false)?;
        // If this process cannot take them in, no other one can: it has to be that call's fault.
        self.outbox.begin(self.calls + 1);
        for in_memory in [true, false] {
            self.send(&FromChild::SendArguments { in_memory })?;
            let frame = self.channel.receive()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let nonsense = |_| io::Error::from(io::ErrorKind::InvalidData);
            let (message, arguments) = frame.message().map_err(nonsense)?;
            let ToChild::Arguments(along) = message else { return Err(io::ErrorKind::InvalidData.into()) };
            let (length, attached) = (arguments.len(), self.channel.take_along(along));
            if let Some(arguments) = frame.into_payload(length, along, attached) {
                return Ok(arguments);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }
}
