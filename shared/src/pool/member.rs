//! One worker as the manager sees it: the process, its channel, and what is under way there.
//!
//! Nothing here blocks. What comes from the worker is checked before it is believed: a worker that says
//! anything else than what is its turn to say is killed. One that announces a long message and sends no more of it
//! is as slow as any other worker: nobody waits for the message, and its call has not ended.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags};
use rustix::process::Signal;

use super::job::{Calls, Job};
use super::under_way::UnderWay;
use crate::child::Child;
use crate::entry::Argument;
use crate::family;
use crate::ipc::Malformed;
use crate::ipc::channel::send_some_with;
use crate::ipc::frame::{self, Frame, FrameReader, Payload, Received};
use crate::ipc::message::{EntryRef, FromChild, Refusal, Role, ToChild};
use crate::ipc::outcome::{self, Failure, Reason};
use crate::start::{self, Order, StartMethod, Started, World};
use crate::status::ExitStatus;

/// How every worker of a pool is started, and what it is told first.
pub(super) struct Greeting {
    pub(super) method: StartMethod,
    /// How long it may take until it is ready.
    pub(super) timeout: Duration,
    /// The initializer and its argument.
    pub(super) initializer: Option<(EntryRef, Arc<Argument>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not said yet that it is ready.
    Starting,
    /// It has not said so in time, and was killed.
    Late,
    Ready,
    /// It was told that nothing more will come before it has said that it is ready, which it still has to be in time.
    Dismissed,
    /// It was told that nothing more will come, and ends.
    Leaving,
    /// It has closed its channel.
    Mute,
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
    stage: Stage,
    /// When it has to be ready; `None` if it may take any time.
    ready_by: Option<Instant>,
    reader: FrameReader,
    /// Whether anything that comes over the channel still counts.
    listening: bool,
    /// Why a result that it was sending could not be taken in.
    no_room: Option<Reason>,
    outbox: VecDeque<Outgoing>,
    under_way: UnderWay,
    /// How many calls it was given in all.
    given: usize,
    /// Since when it may have outcomes that it does not tell of by itself, as far as somebody has waited for them.
    silent_since: Option<Instant>,
}

/// A frame on its way to the worker.
struct Outgoing {
    head: Vec<u8>,
    payload: Payload,
    sent: usize,
}

impl Member {
    /// Starts a worker. It says by itself when it is ready.
    pub(super) fn start(greeting: &Greeting) -> io::Result<Member> {
        let (under_way, file) = UnderWay::new()?;
        let (initializer, argument) = greeting.initializer.clone().unzip();
        let mut files = vec![file];
        if let Some(argument) = &argument {
            files.extend(argument.files()?);
        }
        let order = Order {
            method: greeting.method,
            birth: family::own().name_child("PoolWorker", None),
            role: Role::Worker { initializer },
            payload: argument.as_ref().map_or(&[], |argument| &argument.bytes),
            files,
            world: World::default(),
        };
        let ready_by = Instant::now().checked_add(greeting.timeout);
        Ok(Member::new(start::start(order)?, ready_by, under_way))
    }

    /// A worker that was started.
    fn new(started: Started, ready_by: Option<Instant>, under_way: UnderWay) -> Member {
        let Started { child, socket, unsent } = started;
        let mut member = Member {
            child,
            socket,
            stage: Stage::Starting,
            ready_by,
            reader: FrameReader::default(),
            listening: true,
            no_room: None,
            outbox: VecDeque::new(),
            under_way,
            given: 0,
            silent_since: None,
        };
        if !unsent.is_empty() {
            member.outbox.push_back(Outgoing { head: unsent, payload: Vec::new().into(), sent: 0 });
        }
        member
    }

    /// The channel, to be waited for.
    pub(super) fn channel(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether anything that comes over the channel still counts. A closed channel has always something to
    /// say; now only the end of the process does.
    pub(super) fn is_listened_to(&self) -> bool {
        self.listening
    }

    /// Whether something waits for room in the channel.
    pub(super) fn has_mail(&self) -> bool {
        !self.outbox.is_empty()
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    pub(super) fn is_starting(&self) -> bool {
        self.stage == Stage::Starting
    }

    /// Whether it has not said that it is ready, and still may.
    pub(super) fn is_expected(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Dismissed)
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Dismissed | Stage::Leaving | Stage::Mute | Stage::Late)
    }

    /// When it has to be ready, if it is not.
    pub(super) fn ready_by(&self) -> Option<Instant> {
        self.ready_by.filter(|_| self.is_expected())
    }

    /// Kills the worker if it has to be ready by now, and is not.
    pub(super) fn end_if_late(&mut self) {
        if self.ready_by().is_some_and(|ready_by| ready_by <= Instant::now()) {
            self.stage = Stage::Late;
            self.kill();
        }
    }

    /// Whether it was killed since it was not ready in time.
    pub(super) fn is_late(&self) -> bool {
        self.stage == Stage::Late
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.chunks() == 0
    }

    /// How many chunks wait behind the one that it is at.
    pub(super) fn waiting(&mut self) -> usize {
        let waiting = self.under_way.waiting();
        self.believe(waiting).unwrap_or(0)
    }

    /// How many calls it was given in all.
    pub(super) fn given(&self) -> usize {
        self.given
    }

    /// How many chunks it may be given, if so many are to be under way at most.
    pub(super) fn room(&self, depth: usize) -> usize {
        if self.stage == Stage::Ready { depth.saturating_sub(self.under_way.chunks()) } else { 0 }
    }

    /// Gives it chunks from the front of these calls, as many as there is room for and `most` at most. `false`
    /// if there was no room.
    pub(super) fn give(&mut self, calls: &mut Calls, most: usize) -> bool {
        let given = self.under_way.give(calls, most);
        self.given += given;
        given > 0
    }

    /// Takes back up to so many of the chunks that wait behind another one; gives them in order.
    pub(super) fn take_back(&mut self, most: usize) -> Vec<Calls> {
        let taken = self.under_way.take_back(most);
        self.took_back(taken)
    }

    /// Sees to it that calls of this job that nobody wants any more are not begun. Gives others that were
    /// taken back for that.
    pub(super) fn give_up(&mut self, job: &Arc<Job>) -> Vec<Calls> {
        let taken = self.under_way.give_up(job);
        self.took_back(taken)
    }

    /// Kills the worker if it is at a call of this job, which was given up before.
    pub(super) fn kill_at(&mut self, job: &Arc<Job>) {
        if self.under_way.is_at(job) {
            self.kill();
        }
    }

    fn took_back(&mut self, taken: Result<Vec<Calls>, Malformed>) -> Vec<Calls> {
        let taken = self.believe(taken).unwrap_or_default();
        self.given -= taken.iter().map(Calls::left).sum::<usize>();
        taken
    }

    /// Tells the worker, which is idle, that nothing more will come. It ends by itself.
    pub(super) fn dismiss(&mut self) {
        self.stage = if self.is_starting() { Stage::Dismissed } else { Stage::Leaving };
        self.under_way.dismiss();
    }

    /// Queues arguments, and sends as much as there is room for.
    fn post(&mut self, mut arguments: Payload, in_memory: bool) {
        let along = if in_memory { arguments.pack() } else { arguments.along() };
        let head = frame::head(&ToChild::Arguments(along), arguments.bytes().len());
        self.outbox.push_back(Outgoing { head, payload: arguments, sent: 0 });
        self.send();
    }

    /// Sends as much as there is room for.
    pub(super) fn send(&mut self) {
        while let Some(out) = self.outbox.front_mut() {
            let payload = out.payload.bytes();
            let files: Vec<BorrowedFd<'_>> =
                out.payload.attached().iter().map(|memory| memory.as_fd()).collect();
            let socket = self.socket.as_fd();
            match send_some_with(socket, &out.head, payload, out.sent, &files, SendFlags::DONTWAIT) {
                Ok(count) => out.sent += count,
                Err(rustix::io::Errno::AGAIN) => return,
                // The worker is ending; its pidfd will say so.
                Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => return self.outbox.clear(),
                // It cannot be sent, for want of room for more descriptors on their way say, and the worker would wait
                // for ever.
                Err(_) => {
                    self.outbox.clear();
                    return self.kill();
                }
            }
            if out.sent == out.head.len() + payload.len() {
                self.outbox.pop_front();
            }
        }
    }

    /// Whether the worker has told of outcomes in the shared memory.
    pub(super) fn has_news(&self) -> bool {
        self.under_way.has_news()
    }

    /// Whether the worker may have outcomes that it will not tell of by itself for a while.
    pub(super) fn is_silent(&self) -> bool {
        self.under_way.may_hold_back() || self.is_mute() && !self.is_idle()
    }

    /// Since when it has been silent while somebody waits for it, which somebody does from now on; `None` if it is not
    /// silent.
    pub(super) fn silent_since(&mut self) -> Option<Instant> {
        self.silent_since =
            if self.is_silent() { self.silent_since.or_else(|| Some(Instant::now())) } else { None };
        self.silent_since
    }

    /// Whether the worker may ask over the channel for the arguments of the chunk that it is at.
    pub(super) fn may_want_arguments(&self) -> bool {
        self.under_way.may_want_arguments()
    }

    /// Asks the worker to tell of its outcomes between two calls.
    pub(super) fn ask(&mut self) {
        self.silent_since = None;
        self.under_way.ask();
    }

    /// Asks the worker to tell of its next outcomes before it turns to further calls.
    pub(super) fn ask_ahead(&mut self) {
        self.under_way.ask_ahead();
    }

    /// Asks the worker for a message when it has outcomes. Then one has to look for news once more.
    pub(super) fn set_alarm(&self) {
        self.under_way.set_alarm();
    }

    /// Asks the worker for no message.
    pub(super) fn clear_alarm(&self) {
        self.under_way.clear_alarm();
    }

    /// Takes note of what the worker has put in the shared memory.
    pub(super) fn look(&mut self) -> Vec<News> {
        let mut given_up = Vec::new();
        self.silent_since = None;
        let result = self.under_way.receive(&mut given_up);
        self.believe(result);
        given_up.into_iter().map(News::GivenUp).collect()
    }

    /// Reads once from the channel, and takes note of what the worker says there.
    pub(super) fn receive(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        if self.read(&mut news) == Received::End {
            match self.stage {
                Stage::Ready => self.stage = Stage::Mute,
                // It is ending, or never could say that it is ready.
                Stage::Starting | Stage::Dismissed => self.kill(),
                Stage::Late | Stage::Leaving | Stage::Mute => {}
            }
        }
        news
    }

    /// Whether the worker has closed its channel, so that it can send no message. What it has begun it may
    /// finish, and then it has to go.
    pub(super) fn is_mute(&self) -> bool {
        self.stage == Stage::Mute
    }

    /// Ends a mute worker that has nothing left to do.
    pub(super) fn end_if_mute(&self) {
        if self.is_mute() && self.is_idle() {
            self.kill();
        }
    }

    /// Reads all that is left in the channel of a worker that has ended.
    pub(super) fn receive_rest(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        while self.read(&mut news) == Received::Bytes {}
        news
    }

    fn read(&mut self, news: &mut Vec<News>) -> Received {
        if !self.listening {
            return Received::Nothing;
        }
        let received = self.reader.receive(self.socket.as_fd(), RecvFlags::DONTWAIT);
        let received = received.unwrap_or_else(|error| {
            // There is no memory for what it sends, and it would wait for ever to send the rest.
            self.no_room = Some(Reason::NoRoom(error.to_string()));
            self.kill();
            Received::End
        });
        let understood = self.understand_all(news);
        self.believe(understood);
        self.listening &= received != Received::End;
        received
    }

    fn understand_all(&mut self, news: &mut Vec<News>) -> Result<(), Malformed> {
        while let Some(frame) = self.reader.next()? {
            // What the worker says after it published outcomes is understood after them.
            let mut given_up = Vec::new();
            self.under_way.receive(&mut given_up)?;
            self.understand(frame, &mut given_up, news)?;
            news.extend(given_up.into_iter().map(News::GivenUp));
        }
        Ok(())
    }

    fn understand(
        &mut self,
        frame: Frame,
        given_up: &mut Vec<Arc<Job>>,
        news: &mut Vec<News>,
    ) -> Result<(), Malformed> {
        let (message, payload) = frame.message()?;
        match message {
            FromChild::Ready if self.stage == Stage::Starting => self.stage = Stage::Ready,
            FromChild::Ready if self.stage == Stage::Dismissed => self.stage = Stage::Leaving,
            // It was killed before it could say so.
            FromChild::Ready if self.stage == Stage::Late => {}
            FromChild::Refused(refusal) => news.push(News::Refused(refusal)),
            FromChild::News => {}
            FromChild::Outcome(along) => {
                let length = payload.len();
                let attached = self.reader.take_along(along);
                let outcome = frame.into_payload(length, along, attached).unwrap_or_else(|| {
                    let reason = Reason::NoRoom("there is no memory or no descriptor left for it".to_owned());
                    let mut failure = Vec::new();
                    outcome::append_failure(&mut failure, &Failure::ResultNotFetched(reason));
                    failure.into()
                });
                self.under_way.receive_elsewhere(outcome, given_up)?;
            }
            FromChild::SendArguments { in_memory } => {
                let arguments = self.under_way.asked_arguments()?;
                self.post(arguments, in_memory);
            }
            FromChild::Ready | FromChild::Answer { .. } => return Err(Malformed),
        }
        Ok(())
    }

    /// The value, unless the worker said something that means nothing: then it is killed.
    fn believe<T>(&mut self, result: Result<T, Malformed>) -> Option<T> {
        if result.is_err() {
            self.listening = false;
            self.kill();
        }
        result.ok()
    }

    /// Settles the affairs of a worker that has ended: what it has done, what it died of, and the calls to be
    /// done by others, in order.
    pub(super) fn bury(&mut self, status: ExitStatus) -> (Vec<Calls>, Vec<News>) {
        let mut given_up = Vec::new();
        let cause = match &self.no_room {
            Some(reason) => Failure::ResultNotFetched(reason.clone()),
            None => Failure::Died { process: self.child.name().to_owned(), status },
        };
        let rest = self.under_way.bury(status, &cause, &mut given_up);
        (rest, given_up.into_iter().map(News::GivenUp).collect())
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};

    use super::*;
    use crate::ipc::message::{Along, Work};
    use crate::ipc::{codec, memory, records};
    use crate::pool::job::count_fates;

    const CALLS: usize = 8;

    /// This call's argument is too long for the shared memory.
    const LONG: usize = 2;

    /// What a worker does, in its turn or not.
    #[derive(Clone, Debug)]
    enum Act {
        /// It claims a chunk.
        Claim,
        /// It publishes an outcome, or that one comes over the channel, and tells of it.
        Publish { elsewhere: bool },
        /// It sends a message: one of [`MESSAGES`].
        Say { message: usize, payload: Payload },
        /// It announces a message that it does not send.
        Announce { length: u64 },
        /// It sends any bytes.
        Babble { bytes: Vec<u8> },
    }

    #[derive(Clone, Debug)]
    enum Payload {
        Outcome { length: usize },
        Bytes(Vec<u8>),
    }

    const MESSAGES: [fn() -> FromChild; 6] = [
        || FromChild::Ready,
        || FromChild::News,
        || FromChild::Outcome(Along::default()),
        || FromChild::SendArguments { in_memory: true },
        || FromChild::Answer { in_file: true },
        || FromChild::Refused(Refusal::WrongProgram("not this one".into())),
    ];

    fn act() -> impl Strategy<Value = Act> {
        let any_bytes = || prop::collection::vec(any::<u8>(), 0..60);
        let payload = prop_oneof![
            prop_oneof![0..100_usize, Just(300_000)].prop_map(|length| Payload::Outcome { length }),
            any_bytes().prop_map(Payload::Bytes),
        ];
        let length = prop_oneof![0..100_u64, Just(1 << 20), Just(u64::from(u32::MAX)), any::<u64>()];
        prop_oneof![
            3 => Just(Act::Claim),
            3 => any::<bool>().prop_map(|elsewhere| Act::Publish { elsewhere }),
            5 => (0..MESSAGES.len(), payload).prop_map(|(message, payload)| Act::Say { message, payload }),
            1 => length.prop_map(|length| Act::Announce { length }),
            1 => any_bytes().prop_map(|bytes| Act::Babble { bytes }),
        ]
    }

    /// The worker's side of the channel and of the memory.
    struct Worker {
        socket: OwnedFd,
        inbox: memory::Inbox,
        outbox: memory::Outbox,
        begun: u64,
        sent: usize,
    }

    impl Worker {
        fn act(&mut self, act: &Act) {
            match act {
                // It has looked wrongly where this is an error, and goes on.
                Act::Claim => drop(self.inbox.claim()),
                Act::Publish { elsewhere } => {
                    self.begun += 1;
                    self.outbox.begin(self.begun);
                    if *elsewhere {
                        self.outbox.publish(&outcome::elsewhere());
                    } else {
                        self.outbox.publish(&outcome_of(10));
                    }
                    self.outbox.announce();
                }
                Act::Say { message, payload } => {
                    let payload = match payload {
                        Payload::Outcome { length } => outcome_of(*length),
                        Payload::Bytes(bytes) => bytes.clone(),
                    };
                    self.send(&[frame::head(&MESSAGES[*message](), payload.len()), payload].concat());
                }
                Act::Announce { length } => self.send(&length.to_le_bytes()),
                Act::Babble { bytes } => self.send(bytes),
            }
        }

        /// Sends what there is room for, and forgets the rest.
        fn send(&mut self, bytes: &[u8]) {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            self.sent += rustix::net::send(&self.socket, bytes, flags).unwrap_or(0);
        }

        /// Reads all that was sent to it, and makes nothing of it.
        fn hear(&self) {
            let mut buffer = vec![0; 64 << 10];
            while rustix::net::recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT).is_ok_and(|(n, _)| n > 0)
            {
            }
        }
    }

    fn outcome_of(length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        outcome::append(&mut bytes, |buffer| {
            buffer.resize(buffer.len() + length, 7);
            Ok(())
        });
        bytes
    }

    fn calls(job: &Arc<Job>) -> Calls {
        let mut arguments = Vec::new();
        for index in 0..CALLS {
            let length = if index == LONG { 200_000 } else { index };
            records::append(&mut arguments, |buffer| codec::encode(&"x".repeat(length), buffer)).unwrap();
        }
        Calls::new(Arc::clone(job), 0, CALLS, 1, arguments, Vec::new())
    }

    proptest! {
        /// Whatever a worker says, each of its calls has one fate, nothing is waited for, and no memory is taken
        /// for what was announced and did not come.
        #[test]
        fn a_worker_may_say_anything(
            acts in prop::collection::vec((act(), any::<bool>()), 0..24),
            says_ready in prop::bool::weighted(0.8),
            hangs_up: bool,
        ) {
            let (ours, theirs) =
                rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                    .unwrap();
            let (under_way, file) = UnderWay::new().unwrap();
            let (inbox, outbox) = memory::open(file).unwrap();
            let mut worker = Worker { socket: theirs, inbox, outbox, begun: 0, sent: 0 };
            let started = Started { child: start::ended_child(), socket: ours, unsent: Vec::new() };
            let mut member = Member::new(started, None, under_way);
            let work = Work { function: EntryRef { distance: 7, name: Cow::Borrowed("f") }, timeout: None };
            let job = Arc::new(Job::new(work, false, 0));
            let mut queue = calls(&job);
            if says_ready {
                worker.act(&Act::Say { message: 0, payload: Payload::Bytes(Vec::new()) });
            }
            for (act, looks) in &acts {
                worker.act(act);
                if *looks {
                    member.look();
                    member.receive();
                    member.send();
                    let room = member.room(4);
                    if room > 0 && queue.left() > 0 {
                        member.give(&mut queue, room);
                    }
                    worker.hear();
                    prop_assert!(member.reader.memory() <= (1 << 20) + 2 * worker.sent);
                }
            }
            if hangs_up {
                drop(worker);
            }
            member.receive_rest();
            let (rest, _) = member.bury(ExitStatus::Signal(9));
            let mut fates = vec![0; CALLS];
            count_fates(&mut fates, rest.iter().chain([&queue]), &job.deliveries);
            prop_assert!(fates.iter().all(|fate| *fate == 1), "{fates:?}");
        }
    }
}
