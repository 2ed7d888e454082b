//! The manager: the one thread that owns a pool's workers and its queue.
//!
//! Callers send it chunks and wake it; it waits in one `poll` for them, for every worker's channel and for
//! every worker's end. It moves bytes only: what is in a chunk, and what comes of it, is for others to know.
//! Since everything here belongs to one thread, there is no lock that a dying worker could leave locked.
//!
//! Chunks go out first come, first served: one to each idle worker, then more to each, so that none has to
//! wait for the manager. When the queue is empty and a worker idle, it gets chunks that wait behind another
//! one elsewhere. So a call never waits behind a slow one while there is a worker free for it.
//!
//! A worker that ends is missed only when there is work: then it is replaced. Several that end before they
//! are ready mean that no worker can be had, and the pool gives up.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::callbacks::Callbacks;
use super::job::{Calls, Job};
use super::member::{Greeting, Member, News};
use crate::error::Error;
use crate::ipc::message::Refusal;
use crate::ipc::ready;
use crate::status::ExitStatus;

/// After so many workers in a row that ended before they were ready, the pool gives up.
const FAILED_STARTS: u32 = 3;

/// How many chunks a worker has at most. So many small ones take longer than a wake-up does; large ones are
/// bounded by the memory that they are in.
const DEPTH: usize = 256;

/// What a caller asks of the manager.
pub(super) enum Command {
    Do(Calls),
    /// Calls of this job are wanted no more.
    GiveUp(Arc<Job>),
    /// The same, and workers that are at such a call are to be killed.
    Kill(Arc<Job>),
    Terminate,
}

/// Why a pool has come to its end before its work had.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Terminated,
    Refused(Refusal),
    /// The error's number, since an `io::Error` cannot be copied for everyone who waits.
    NotStarted(Option<i32>),
    WorkersDie(ExitStatus),
}

/// What the manager and the callers share.
pub(super) struct Shared {
    pub(super) commands: Sender<Command>,
    /// An eventfd: what the manager waits on for commands.
    wake: OwnedFd,
    /// Whether the manager has been woken and not looked yet, so that one wake-up serves many commands.
    woken: AtomicBool,
    /// Jobs of which more chunks may come.
    pub(super) open_jobs: AtomicUsize,
    pub(super) closed: AtomicBool,
    pub(super) fault: OnceLock<Fault>,
    pub(super) processes: usize,
    pub(super) max_calls: Option<usize>,
    /// The path of the initializer's function, for its errors.
    pub(super) initializer: &'static str,
    pub(super) callbacks: Callbacks,
}

impl Shared {
    pub(super) fn new(
        commands: Sender<Command>,
        processes: usize,
        max_calls: Option<usize>,
        initializer: &'static str,
    ) -> io::Result<Shared> {
        Ok(Shared {
            commands,
            wake: rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            woken: AtomicBool::new(false),
            open_jobs: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            fault: OnceLock::new(),
            processes,
            max_calls,
            initializer,
            callbacks: Callbacks::default(),
        })
    }

    /// Sends a command. If the manager has ended, the command is dropped, and a chunk in it reports its loss.
    pub(super) fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.wake();
        }
    }

    /// Has the manager look at its commands. AcqRel: partner of the swap in [`Manager::take_commands`].
    /// Whichever of the two comes second sees what stands before the first one.
    pub(super) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            // The counter cannot overflow: the manager empties it each time.
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    /// Whether the pool is closed and all that was submitted has been sent.
    fn takes_no_more(&self) -> bool {
        self.closed.load(Ordering::SeqCst) && self.open_jobs.load(Ordering::SeqCst) == 0
    }

    /// What to tell those whose work will not be done.
    pub(super) fn error(&self) -> Error {
        match self.fault.get() {
            None => Error::PoolClosed,
            Some(Fault::Terminated) => Error::PoolTerminated,
            Some(Fault::NotStarted(code)) => Error::Start {
                source: code
                    .map_or_else(|| io::Error::other("a worker did not start"), io::Error::from_raw_os_error),
            },
            Some(Fault::WorkersDie(status)) => Error::WorkersDie { attempts: FAILED_STARTS, status: *status },
            Some(Fault::Refused(Refusal::WrongProgram(reason))) => {
                Error::WrongProgram { function: "a pool's function".to_owned(), reason: reason.clone() }
            }
            Some(Fault::Refused(Refusal::Initializer(failure))) => {
                Error::Initializer { source: Box::new(Error::of(failure.clone(), self.initializer)) }
            }
        }
    }
}

/// A pool's state.
pub(super) struct Manager {
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    greeting: Greeting,
    members: Vec<Member>,
    queue: VecDeque<Calls>,
    /// How many workers in a row have ended before they were ready.
    failed_starts: u32,
}

impl Manager {
    /// A manager with these workers, all of them just started.
    pub(super) fn new(
        shared: Arc<Shared>,
        commands: Receiver<Command>,
        greeting: Greeting,
        members: Vec<Member>,
    ) -> Manager {
        Manager { shared, commands, greeting, members, queue: VecDeque::new(), failed_starts: 0 }
    }

    /// Works until the pool is terminated, broken, or closed and done.
    ///
    /// Then all is dropped: workers that are left are killed and reaped, and chunks that are left report
    /// their loss.
    pub(super) fn run(mut self) {
        while self.go_on() {
            self.wait_and_listen();
        }
    }

    /// Does all that can be done without waiting; `false` when the pool has come to its end.
    fn go_on(&mut self) -> bool {
        // Asked before the commands are taken in: then no work can be in them that this does not know of.
        let no_more_comes = self.shared.takes_no_more();
        self.take_commands();
        if no_more_comes && !self.has_work() {
            self.dismiss_all();
        } else {
            self.dispatch();
        }
        let done = no_more_comes && !self.has_work() && self.members.is_empty();
        !done && self.shared.fault.get().is_none()
    }

    fn has_work(&self) -> bool {
        !self.queue.is_empty() || !self.members.iter().all(Member::is_idle)
    }

    fn dismiss_all(&mut self) {
        self.members.iter_mut().filter(|member| !member.is_leaving()).for_each(Member::dismiss);
    }

    fn fail(&self, fault: Fault) {
        // The first fault is the one that counts.
        let _ = self.shared.fault.set(fault);
    }

    /// Takes in what the callers have sent. AcqRel: partner of the swap in [`Shared::wake`].
    fn take_commands(&mut self) {
        self.shared.woken.swap(false, Ordering::AcqRel);
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Do(calls) => self.queue.push_back(calls),
                Command::GiveUp(job) => self.give_up(&job),
                Command::Kill(job) => {
                    self.give_up(&job);
                    self.members.iter_mut().for_each(|member| member.kill_at(&job));
                }
                Command::Terminate => self.fail(Fault::Terminated),
            }
        }
    }

    fn give_up(&mut self, job: &Arc<Job>) {
        self.queue.retain(Calls::is_wanted);
        for index in 0..self.members.len() {
            let taken = self.members[index].give_up(job);
            self.put_first(taken);
        }
    }

    /// Waits until a caller, a worker's channel or a worker's end has something to say, and listens to all
    /// that do.
    fn wait_and_listen(&mut self) {
        self.members.iter().for_each(Member::set_alarm);
        if self.members.iter().any(Member::has_news) {
            return self.look();
        }
        let mut descriptors = vec![PollFd::new(&self.shared.wake, PollFlags::IN)];
        for member in &self.members {
            let (channel, interest) = member.channel();
            descriptors.push(PollFd::from_borrowed_fd(channel, interest));
            descriptors.push(PollFd::from_borrowed_fd(member.child().ended(), PollFlags::IN));
        }
        ready::wait(&mut descriptors, None);
        let events: Vec<PollFlags> = descriptors.iter().map(PollFd::revents).collect();
        if !events[0].is_empty() {
            // Only emptied: what it stands for is in the commands.
            let _ = rustix::io::read(&self.shared.wake, &mut [0; size_of::<u64>()]);
        }
        for (index, events) in events[1..].chunks_exact(2).enumerate().rev() {
            if !events[1].is_empty() {
                let member = self.members.remove(index);
                self.bury(member);
            } else if !events[0].is_empty() {
                self.serve(index, events[0]);
            }
        }
    }

    /// Takes note of what the workers have put in their memories.
    fn look(&mut self) {
        for index in 0..self.members.len() {
            let news = self.members[index].look();
            self.heed(news);
        }
    }

    /// Sends to and receives from one worker.
    fn serve(&mut self, index: usize, events: PollFlags) {
        let member = &mut self.members[index];
        if events.contains(PollFlags::OUT) {
            member.send();
        }
        let was_starting = member.is_starting();
        let news = member.receive();
        if was_starting && !member.is_starting() {
            self.failed_starts = 0;
        }
        self.heed(news);
    }

    fn heed(&mut self, news: Vec<News>) {
        for item in news {
            match item {
                News::Refused(refusal) => self.fail(Fault::Refused(refusal)),
                News::GivenUp(job) => self.give_up(&job),
            }
        }
    }

    /// Settles the affairs of a worker that has ended.
    fn bury(&mut self, mut member: Member) {
        let was_starting = member.is_starting();
        let news = member.receive_rest();
        self.heed(news);
        let status = member.child().wait();
        if member.is_starting() {
            self.failed_starts += 1;
            if self.failed_starts >= FAILED_STARTS {
                self.fail(Fault::WorkersDie(status));
            }
        } else if was_starting {
            self.failed_starts = 0;
        }
        let (rest, news) = member.bury(status);
        self.put_first(rest);
        self.heed(news);
    }

    /// Puts calls in front of all others.
    fn put_first(&mut self, calls: Vec<Calls>) {
        for calls in calls.into_iter().rev() {
            self.queue.push_front(calls);
        }
    }

    /// Brings chunks and workers together.
    fn dispatch(&mut self) {
        self.give_out();
        self.even_out();
        self.replace_missing();
    }

    /// Gives chunks to the workers: one to each, then one more, then twice as many, and so on.
    fn give_out(&mut self) {
        let mut depth = 1;
        while depth <= DEPTH {
            for index in 0..self.members.len() {
                while self.queue.front().is_some_and(|calls| !calls.is_wanted()) {
                    self.queue.pop_front();
                }
                if self.queue.is_empty() {
                    return;
                }
                self.give_to(index, depth);
            }
            depth *= 2;
        }
    }

    /// Gives the first chunks to a worker that has fewer than `depth`.
    fn give_to(&mut self, index: usize, depth: usize) {
        let member = &mut self.members[index];
        let mut room = member.room(depth);
        while room > 0
            && let Some(calls) = self.queue.front_mut()
        {
            if let Some(max) = self.shared.max_calls {
                if calls.chunk_after(0, 0).is_some_and(|(count, _)| member.given() + count > max) {
                    if member.is_idle() {
                        member.dismiss();
                    }
                    return;
                }
                room = 1;
            }
            if !member.give(calls, room) {
                return;
            }
            if self.queue.front().is_some_and(|calls| calls.left() == 0) {
                self.queue.pop_front();
            }
            room = member.room(depth);
        }
    }

    /// Gives chunks that wait behind others to workers that have none.
    fn even_out(&mut self) {
        for index in 0..self.members.len() {
            if !self.queue.is_empty() {
                return;
            }
            if self.members[index].room(1) == 0 {
                continue;
            }
            let most =
                self.members.iter_mut().map(Member::waiting).enumerate().max_by_key(|(_, waiting)| *waiting);
            let Some((busiest, waiting @ 1..)) = most else { return };
            let taken = self.members[busiest].take_back(waiting.div_ceil(2));
            self.put_first(taken);
            self.give_to(index, DEPTH);
        }
    }

    /// Starts workers in place of those that have ended, no more than there is work for.
    ///
    /// A chunk that waits behind another one is work for a new worker too: it may be what the other one waits
    /// for.
    fn replace_missing(&mut self) {
        let missing = self.shared.processes.saturating_sub(self.members.len());
        if missing == 0 {
            return;
        }
        let queued: usize = self.queue.iter().take(missing + self.members.len()).map(Calls::chunks).sum();
        let waiting = queued + self.members.iter_mut().map(Member::waiting).sum::<usize>();
        let free = self.members.iter().filter(|member| member.is_starting() || member.room(1) > 0).count();
        for _ in 0..missing.min(waiting.saturating_sub(free)) {
            match Member::start(&self.greeting) {
                Ok(member) => self.members.push(member),
                Err(error) => return self.fail(Fault::NotStarted(error.raw_os_error())),
            }
        }
    }
}
