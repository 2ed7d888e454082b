//! The workers of a pool and the calls that wait for them.
//!
//! Nothing here waits or blocks. Whoever has the lock on the crew may drive it: look at what the workers have
//! done, and give them more.
//!
//! Chunks go out first come, first served: one to each idle worker, then more to each, so that none has to
//! wait for its manager. When the queue is empty and a worker idle, it gets chunks that wait behind another
//! one elsewhere. So a call never waits behind a slow one while there is a worker free for it.
//!
//! A worker that ends is missed only when there is work: then it is replaced. One that is not ready in time is
//! killed. Several in a row that end before they are ready mean that no worker can be had, and the pool gives up.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::job::{Calls, Job};
use super::member::{Greeting, Member, News};
use super::watch::{Id, Watch};
use crate::ipc::message::Refusal;
use crate::status::ExitStatus;

/// After so many workers in a row that ended before they were ready, the pool gives up.
pub(super) const FAILED_STARTS: u32 = 3;

/// How many chunks a worker has at most. So many small ones take longer than a wake-up does; large ones are
/// bounded by the memory that they are in.
const DEPTH: usize = 256;

/// So long outcomes may wait for others in a worker's memory while somebody waits for them.
const PATIENCE: Duration = Duration::from_millis(5);

/// Why a pool has come to its end before its work had.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Terminated,
    Refused(Refusal),
    NotStarted(Arc<io::Error>),
    WorkersDie(ExitStatus),
    /// They take longer than this until they are ready.
    NotReady(Duration),
}

/// The workers and the queue.
pub(super) struct Crew {
    greeting: Arc<Greeting>,
    watch: Arc<Watch>,
    fault: Arc<OnceLock<Fault>>,
    processes: usize,
    max_calls: Option<usize>,
    members: Vec<(Id, Member)>,
    /// The next worker's.
    id: Id,
    queue: VecDeque<Calls>,
    /// How many workers in a row have ended before they were ready.
    failed_starts: u32,
    sleeper: Sleeper,
}

/// Whether somebody sleeps who counts on a message from each worker that has outcomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleeper {
    Nobody,
    /// Somebody who will [`ask`](Crew::ask) for outcomes.
    Timed,
    /// Somebody who will not, since each worker tells of its outcomes by itself.
    Untimed,
}

impl Crew {
    /// A crew of as many workers as asked for, all of them just started.
    pub(super) fn start(
        greeting: Greeting,
        watch: Arc<Watch>,
        fault: Arc<OnceLock<Fault>>,
        processes: usize,
        max_calls: Option<usize>,
    ) -> io::Result<Crew> {
        let mut crew = Crew {
            greeting: Arc::new(greeting),
            watch,
            fault,
            processes,
            max_calls,
            members: Vec::new(),
            id: 0,
            queue: VecDeque::new(),
            failed_starts: 0,
            sleeper: Sleeper::Nobody,
        };
        (0..processes).try_for_each(|_| Member::start(&crew.greeting).and_then(|member| crew.add(member)))?;
        Ok(crew)
    }

    /// How its workers are started.
    pub(super) fn greeting(&self) -> Arc<Greeting> {
        Arc::clone(&self.greeting)
    }

    fn add(&mut self, member: Member) -> io::Result<()> {
        self.watch.add(self.id, &member)?;
        self.members.push((self.id, member));
        let (id, member) = &self.members[self.members.len() - 1];
        if member.has_mail() {
            self.watch.wait_for_room(*id, member, true);
        }
        self.id += 1;
        Ok(())
    }

    /// Adds calls at the end of the queue.
    pub(super) fn queue(&mut self, calls: Calls) {
        self.queue.push_back(calls);
    }

    /// Whether there are calls that are not done.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.members().any(|member| !member.is_idle())
    }

    /// Whether somebody has to hear what the workers say.
    pub(super) fn is_busy(&self) -> bool {
        self.has_work() || self.members().any(|member| member.is_expected() || member.has_mail())
    }

    /// Whether there are workers that are not ready yet.
    pub(super) fn is_starting(&self) -> bool {
        self.members().any(Member::is_starting)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().map(|(_, member)| member)
    }

    /// Whether workers have told of outcomes that nobody has looked at.
    pub(super) fn has_news(&self) -> bool {
        self.members().any(Member::has_news)
    }

    /// When to [`ask`](Crew::ask) for news at the latest; `None` if whoever has some says so by itself. What others say
    /// meanwhile does not put it off.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let since = self.members.iter_mut().filter_map(|(_, member)| member.silent_since()).min();
        since.map(|since| since + PATIENCE)
    }

    /// Whether workers may wait for arguments that they ask for over their channels.
    pub(super) fn may_want_arguments(&self) -> bool {
        self.members().any(Member::may_want_arguments)
    }

    /// Asks the workers for what they would tell later.
    pub(super) fn ask(&mut self) {
        self.members.iter_mut().for_each(|(_, member)| member.ask());
    }

    /// When the next worker has to be ready that is not yet.
    pub(super) fn ready_by(&self) -> Option<Instant> {
        self.members().filter_map(Member::ready_by).min()
    }

    /// Kills the workers that have to be ready by now, and are not. What they say was heard before.
    pub(super) fn end_late(&mut self) {
        self.members.iter_mut().for_each(|(_, member)| member.end_if_late());
    }

    /// Asks workers for a message when they have outcomes, those too that get work from now on. Then one has to
    /// look for news once more.
    pub(super) fn set_alarms(&mut self) {
        self.sleeper = if self.members().any(Member::is_silent) { Sleeper::Timed } else { Sleeper::Untimed };
        self.members().filter(|member| !member.is_idle()).for_each(Member::set_alarm);
    }

    /// Asks for no message.
    pub(super) fn clear_alarms(&mut self) {
        self.sleeper = Sleeper::Nobody;
        self.members().filter(|member| !member.is_idle()).for_each(Member::clear_alarm);
    }

    /// Tells all workers, who are idle, that nothing more will come.
    pub(super) fn dismiss_all(&mut self) {
        let members = self.members.iter_mut().map(|(_, member)| member);
        members.filter(|member| !member.is_leaving()).for_each(Member::dismiss);
    }

    fn fail(&self, fault: Fault) {
        // The first fault is the one that counts.
        let _ = self.fault.set(fault);
    }

    /// Sees to it that calls of this job that nobody wants any more are not begun.
    pub(super) fn give_up(&mut self, job: &Arc<Job>) {
        self.queue.retain(Calls::is_wanted);
        for index in 0..self.members.len() {
            let taken = self.members[index].1.give_up(job);
            self.put_first(taken);
        }
    }

    /// Kills the workers that are at a call of this job, which was given up before.
    pub(super) fn kill_at(&mut self, job: &Arc<Job>) {
        self.members.iter_mut().for_each(|(_, member)| member.kill_at(job));
    }

    /// Takes note of what the workers have put in their memories; says whether there was anything.
    pub(super) fn look(&mut self) -> bool {
        let mut any = false;
        for index in 0..self.members.len() {
            if self.members[index].1.has_news() {
                any = true;
                let news = self.members[index].1.look();
                self.members[index].1.end_if_mute();
                self.heed(news);
            }
        }
        any
    }

    /// Sends and receives what there is on the channels now; says whether there was anything.
    pub(super) fn serve(&mut self) -> bool {
        let served = self.watch.served();
        for &id in &served {
            let Some(index) = self.members.iter().position(|(other, _)| *other == id) else { continue };
            let (_, member) = &mut self.members[index];
            let (was_starting, had_mail) = (member.is_starting(), member.has_mail());
            member.send();
            let news = member.receive();
            if was_starting && !member.is_starting() {
                self.failed_starts = 0;
            }
            if !member.is_listened_to() {
                self.watch.ignore(member);
                if member.is_mute() {
                    let taken = member.take_back(usize::MAX);
                    member.end_if_mute();
                    self.put_first(taken);
                }
            } else if member.has_mail() != had_mail {
                self.watch.wait_for_room(id, member, !had_mail);
            }
            self.heed(news);
        }
        !served.is_empty()
    }

    fn heed(&mut self, news: Vec<News>) {
        for item in news {
            match item {
                News::Refused(refusal) => self.fail(Fault::Refused(refusal)),
                News::GivenUp(job) => self.give_up(&job),
            }
        }
    }

    /// Settles the affairs of all workers that have ended; says whether there were any.
    pub(super) fn bury(&mut self) -> bool {
        let ended = self.watch.ended();
        for id in &ended {
            if let Some(index) = self.members.iter().position(|(other, _)| other == id) {
                let (_, member) = self.members.remove(index);
                self.watch.remove(&member);
                self.bury_one(member);
            }
        }
        !ended.is_empty()
    }

    fn bury_one(&mut self, mut member: Member) {
        let was_starting = member.is_starting();
        let news = member.receive_rest();
        self.heed(news);
        let status = member.child().wait();
        if member.is_starting() || member.is_late() {
            self.failed_starts += 1;
            if self.failed_starts >= FAILED_STARTS {
                self.fail(if member.is_late() {
                    Fault::NotReady(self.greeting.timeout)
                } else {
                    Fault::WorkersDie(status)
                });
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
    pub(super) fn dispatch(&mut self) {
        self.give_out();
        self.even_out();
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
        let (_, member) = &mut self.members[index];
        let mut room = member.room(depth);
        while room > 0
            && let Some(calls) = self.queue.front_mut()
        {
            if let Some(max) = self.max_calls {
                if calls.chunk_after(0, 0).is_some_and(|(count, _)| member.given() + count > max) {
                    if member.is_idle() {
                        member.dismiss();
                    }
                    return;
                }
                room = 1;
            }
            // Before it has work: then it finds the alarm set, and that it was asked, when it has done it.
            if self.sleeper != Sleeper::Nobody && member.is_idle() {
                member.set_alarm();
            }
            if self.sleeper == Sleeper::Untimed {
                member.ask_ahead();
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
            if self.members[index].1.room(1) == 0 {
                continue;
            }
            let waiting = self.members.iter_mut().map(|(_, member)| member.waiting());
            let most = waiting.enumerate().max_by_key(|(_, waiting)| *waiting);
            let Some((busiest, waiting @ 1..)) = most else { return };
            let taken = self.members[busiest].1.take_back(waiting.div_ceil(2));
            self.put_first(taken);
            self.give_to(index, DEPTH);
        }
    }

    /// How many workers there should be more, in place of those that have ended: no more than there is work
    /// for.
    ///
    /// A chunk that waits behind another one is work for a new worker too: it may be what the other one waits
    /// for.
    pub(super) fn missing(&mut self) -> usize {
        let missing = self.processes.saturating_sub(self.members.len());
        if missing == 0 {
            return 0;
        }
        let queued: usize = self.queue.iter().take(self.processes).map(Calls::chunks).sum();
        let waiting = queued + self.members.iter_mut().map(|(_, member)| member.waiting()).sum::<usize>();
        let free = self.members().filter(|member| member.is_starting() || member.room(1) > 0).count();
        missing.min(waiting.saturating_sub(free))
    }

    /// Takes on a worker that was just started in place of one that is missing.
    pub(super) fn take_on(&mut self, started: io::Result<Member>) {
        if let Err(error) = started.and_then(|member| self.add(member)) {
            self.fail(Fault::NotStarted(Arc::new(error)));
        }
    }
}
