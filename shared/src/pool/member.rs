//! One worker as the manager sees it: the process, its channel, and the chunks under way there.
//!
//! Nothing here blocks. What comes from the worker is checked before it is believed: a worker that says
//! anything else than the next outcomes of its current chunk is killed.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use rustix::process::Signal;

use super::job::{Chunk, Job};
use crate::child::Child;
use crate::family;
use crate::ipc::Malformed;
use crate::ipc::channel::send_some;
use crate::ipc::frame::{self, Frame, FrameReader, Received};
use crate::ipc::message::{EntryRef, FromChild, Refusal, Role, Ticket, ToChild};
use crate::ipc::outcome::{self, Failure};
use crate::ipc::results::{ManagerSide, Remains, SLOTS};
use crate::start::{self, Order, Started};
use crate::status::ExitStatus;

/// What every worker of a pool is told first.
pub(super) struct Greeting {
    /// The initializer and its encoded argument.
    pub(super) initializer: Option<(EntryRef, Arc<Vec<u8>>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not said yet that it is ready.
    Starting,
    Ready,
    /// It was told that nothing more will come, and ends.
    Leaving,
}

/// What a worker said that concerns others.
pub(super) enum News {
    /// The worker will never work, nor will any other.
    Refused(Refusal),
    /// Calls of this job were given up.
    GivenUp(Arc<Job>),
}

/// A worker and all that is between it and the manager.
pub(super) struct Member {
    child: Arc<Child>,
    socket: OwnedFd,
    memory: ManagerSide,
    stage: Stage,
    reader: FrameReader,
    /// Whether anything that comes from the worker still counts.
    listening: bool,
    outbox: VecDeque<Outgoing>,
    /// The chunks that the worker has, in the order in which it will do them.
    under_way: VecDeque<UnderWay>,
    /// Chunks sent after the current one and taken back again. The worker has them in its channel still.
    taken_back: usize,
    /// The number of the last ticket.
    tickets: u64,
    /// How many outcomes have come.
    received: u64,
    /// How many calls it was given in all.
    given: usize,
}

struct UnderWay {
    chunk: Chunk,
    ticket: Ticket,
    /// The worker was asked to stop with it.
    withdrawn: bool,
}

/// A frame on its way to the worker.
struct Outgoing {
    head: Vec<u8>,
    payload: Arc<Vec<u8>>,
    /// Where in `payload` the frame's own bytes begin.
    start: usize,
    sent: usize,
}

impl Member {
    /// Starts a worker. It says by itself when it is ready.
    pub(super) fn start(greeting: &Greeting) -> io::Result<Member> {
        let (memory, file) = ManagerSide::create()?;
        let (initializer, argument) = greeting.initializer.clone().unzip();
        let order = Order {
            birth: family::own().name_child("PoolWorker", None),
            role: Role::Worker { initializer },
            payload: argument.as_ref().map_or(&[], |argument| argument.as_slice()),
            files: vec![file],
            variables: Vec::new(),
        };
        let Started { child, socket, unsent } = start::start(order)?;
        let mut member = Member {
            child,
            socket,
            memory,
            stage: Stage::Starting,
            reader: FrameReader::default(),
            listening: true,
            outbox: VecDeque::new(),
            under_way: VecDeque::with_capacity(SLOTS),
            taken_back: 0,
            tickets: 0,
            received: 0,
            given: 0,
        };
        if !unsent.is_empty() {
            member.outbox.push_back(Outgoing { head: unsent, payload: Arc::default(), start: 0, sent: 0 });
        }
        Ok(member)
    }

    /// The channel and what to wait for on it.
    pub(super) fn channel(&self) -> (BorrowedFd<'_>, PollFlags) {
        if !self.listening {
            // A closed channel has always something to say, asked or not. Now only the end of the process
            // counts.
            return (self.child.ended(), PollFlags::empty());
        }
        let writing = if self.outbox.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        (self.socket.as_fd(), PollFlags::IN | writing)
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    pub(super) fn is_starting(&self) -> bool {
        self.stage == Stage::Starting
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.stage == Stage::Leaving
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// How many chunks wait behind the one that it is at.
    pub(super) fn waiting(&self) -> usize {
        self.under_way.len().saturating_sub(1)
    }

    /// How many calls it was given in all.
    pub(super) fn given(&self) -> usize {
        self.given
    }

    /// Whether it may be sent one more chunk, if so many are to be under way at most.
    ///
    /// Chunks that were taken back count until the worker has come past them, so that a slow worker's channel
    /// does not fill up with chunks that others have done.
    pub(super) fn has_room(&self, depth: usize) -> bool {
        self.stage == Stage::Ready && self.under_way.len() + self.taken_back < depth.min(SLOTS)
    }

    /// Sends a chunk.
    pub(super) fn give(&mut self, chunk: Chunk) {
        let taken = self.under_way.back().map(|other| other.ticket.slot);
        self.tickets += 1;
        let slot = taken.map_or(0, |slot| (slot + 1) % SLOTS);
        let ticket = Ticket { slot, number: self.tickets };
        self.memory.offer(ticket);
        self.given += chunk.left();
        let (arguments, start) = chunk.arguments();
        let call = ToChild::Call { function: chunk.job.function.clone(), ticket };
        self.under_way.push_back(UnderWay { chunk, ticket, withdrawn: false });
        self.post(&call, arguments, start);
    }

    /// Takes back a chunk that waits behind another one, if the worker has not come to it yet.
    pub(super) fn take_back(&mut self) -> Option<Chunk> {
        let waiting = self.under_way.get(1)?;
        if !self.memory.revoke(waiting.ticket) {
            return None;
        }
        self.taken_back += 1;
        let chunk = self.under_way.pop_back()?.chunk;
        self.given -= chunk.left();
        Some(chunk)
    }

    /// Sees to it that calls of this job that nobody wants any more are not begun.
    pub(super) fn give_up(&mut self, job: &Arc<Job>) {
        let unwanted =
            |under_way: &UnderWay| Arc::ptr_eq(&under_way.chunk.job, job) && !under_way.chunk.is_wanted();
        for index in (0..self.under_way.len()).rev() {
            let under_way = &mut self.under_way[index];
            if !unwanted(under_way) || under_way.withdrawn {
                continue;
            }
            if self.memory.revoke(under_way.ticket) {
                self.under_way.remove(index);
                self.taken_back += 1;
            } else {
                under_way.withdrawn = true;
                self.memory.withdraw(under_way.ticket);
            }
        }
        self.forget_taken_back();
    }

    /// Once the worker is at nothing, it is reading, and comes past what was taken back at once.
    fn forget_taken_back(&mut self) {
        if self.under_way.is_empty() {
            self.taken_back = 0;
        }
    }

    /// Tells the worker that nothing more will come. It ends by itself.
    pub(super) fn dismiss(&mut self) {
        self.stage = Stage::Leaving;
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
    }

    /// Queues a frame, and sends as much as there is room for.
    fn post(&mut self, message: &ToChild, payload: Arc<Vec<u8>>, start: usize) {
        let head = frame::head(message, payload.len() - start);
        self.outbox.push_back(Outgoing { head, payload, start, sent: 0 });
        self.send();
    }

    /// Sends as much as there is room for.
    pub(super) fn send(&mut self) {
        while let Some(out) = self.outbox.front_mut() {
            let payload = &out.payload[out.start..];
            match send_some(self.socket.as_fd(), &out.head, payload, out.sent, SendFlags::DONTWAIT) {
                Ok(count) => out.sent += count,
                Err(rustix::io::Errno::AGAIN) => return,
                // The worker is ending; its pidfd will say so.
                Err(_) => return self.outbox.clear(),
            }
            if out.sent == out.head.len() + payload.len() {
                self.outbox.pop_front();
            }
        }
    }

    /// Reads once from the channel, and takes note of what the worker says.
    pub(super) fn receive(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        if self.read(&mut news) == Ok(Received::End) && self.stage != Stage::Leaving {
            // It can neither be given work nor give results, so it is of no use, whether it is ending or not.
            self.kill();
        }
        news
    }

    /// Reads all that is left in the channel of a worker that has ended.
    pub(super) fn receive_rest(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        while self.listening && self.read(&mut news) == Ok(Received::Bytes) {}
        news
    }

    fn read(&mut self, news: &mut Vec<News>) -> Result<Received, Malformed> {
        if !self.listening {
            return Ok(Received::Nothing);
        }
        let received = self.reader.receive(self.socket.as_fd(), RecvFlags::DONTWAIT).unwrap_or(Received::End);
        let result = self.understand_all(news).map(|()| received);
        match result {
            Ok(Received::Bytes | Received::Nothing) => {}
            Ok(Received::End) => self.listening = false,
            Err(Malformed) => {
                self.listening = false;
                self.kill();
            }
        }
        result
    }

    fn understand_all(&mut self, news: &mut Vec<News>) -> Result<(), Malformed> {
        while let Some(frame) = self.reader.next()? {
            news.extend(self.understand(frame)?);
        }
        Ok(())
    }

    fn understand(&mut self, frame: Frame) -> Result<Option<News>, Malformed> {
        let (message, payload) = frame.message()?;
        match message {
            FromChild::Ready if self.stage == Stage::Starting => {
                self.stage = Stage::Ready;
                Ok(None)
            }
            // It was dismissed before it could say so.
            FromChild::Ready if self.stage == Stage::Leaving && self.received == 0 => Ok(None),
            FromChild::Refused(refusal) => Ok(Some(News::Refused(refusal))),
            FromChild::Outcomes { first } if first == self.received => {
                let (count, failure) = survey(payload)?;
                let length = payload.len();
                self.deliver(count, failure, frame.into_payload(length))
            }
            FromChild::Stopped if self.under_way.front().is_some_and(|current| current.withdrawn) => {
                self.under_way.pop_front();
                self.taken_back = 0;
                Ok(None)
            }
            FromChild::Ready | FromChild::Answer | FromChild::Outcomes { .. } | FromChild::Stopped => {
                Err(Malformed)
            }
        }
    }

    /// Hands on outcomes of the current chunk.
    fn deliver(
        &mut self,
        count: usize,
        failure: Option<usize>,
        outcomes: frame::Payload,
    ) -> Result<Option<News>, Malformed> {
        let current = self.under_way.front_mut().ok_or(Malformed)?;
        if count == 0 || count > current.chunk.left() {
            return Err(Malformed);
        }
        let job = Arc::clone(&current.chunk.job);
        let given_up = failure.is_some_and(|failure| job.note_failure(current.chunk.next() + failure));
        current.chunk.deliver(count, outcomes);
        self.received += count as u64;
        if current.chunk.left() == 0 {
            self.under_way.pop_front();
            self.taken_back = 0;
        }
        Ok(given_up.then_some(News::GivenUp(job)))
    }

    /// Settles the affairs of a worker that has ended: what it has done, what it died of, and the chunks to
    /// be done by others, in order.
    pub(super) fn bury(mut self, status: ExitStatus) -> Vec<Chunk> {
        let remains = self.memory.remains();
        let started = remains.started;
        self.recover(remains);
        if started > self.received
            && let Some(current) = self.under_way.front_mut()
        {
            current.chunk.deliver_failure(&Failure::Died(status));
        }
        self.under_way.drain(..).map(|under_way| under_way.chunk).filter(Chunk::is_wanted).collect()
    }

    /// Delivers the outcomes that the worker had made and not sent. Nonsense is passed over.
    fn recover(&mut self, remains: Remains) {
        let mut rest = remains.outcomes.as_slice();
        let Some(known) = self.received.checked_sub(remains.first) else { return };
        for _ in 0..known {
            if !matches!(outcome::take_first(&mut rest), Ok(Some(_))) {
                return;
            }
        }
        let Ok((count, failure)) = survey(rest) else { return };
        if count > 0 {
            // More of them than there are calls is nonsense too.
            let _ = self.deliver(count, failure, rest.to_vec().into());
        }
    }

    fn kill(&self) {
        self.child.signal(Signal::KILL);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
        self.child.wait();
    }
}

/// How many outcomes there are, and which is the first failure among them.
fn survey(mut outcomes: &[u8]) -> Result<(usize, Option<usize>), Malformed> {
    let mut count = 0;
    let mut failure = None;
    while let Some(outcome) = outcome::take_first(&mut outcomes)? {
        if outcome.is_err() && failure.is_none() {
            failure = Some(count);
        }
        count += 1;
    }
    Ok((count, failure))
}
