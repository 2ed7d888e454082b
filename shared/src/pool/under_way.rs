//! The calls that one worker has, and the memory through which it gets them and gives their outcomes.
//!
//! Nothing here blocks, and nothing here is a process. What comes from the worker is checked before it is
//! believed: [`Malformed`] means that the worker says anything else than the next outcomes of its calls, and
//! that nothing more of it is to be believed.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::process::Signal;

use super::job::{Calls, Job};
use crate::ipc::frame::Payload;
use crate::ipc::memory::ManagerSide;
use crate::ipc::message::Work;
use crate::ipc::outcome::{self, Failure, Item};
use crate::ipc::requests::{self, Request};
use crate::ipc::{Malformed, codec};
use crate::status::ExitStatus;

/// What a worker has to do.
pub(super) struct UnderWay {
    memory: ManagerSide,
    /// The calls that are not done, in the order in which the worker makes them.
    rows: VecDeque<Calls>,
    /// The same calls by the chunks in which the worker gets them.
    chunks: VecDeque<Chunk>,
    /// The work of the last request, if the worker will know it.
    work: Option<Work>,
    /// The numbers of the requests that the worker was asked to stop with, as far as they are not done. It may
    /// have stopped with one long before its word of that is read.
    withdrawn: Vec<u64>,
    /// The next outcome comes over the channel; these come after it.
    elsewhere: Option<Vec<u8>>,
    /// How many outcomes have come.
    received: u64,
    /// Whether the worker was asked to tell of its outcomes, and has not.
    was_asked: bool,
    /// Outcomes were nonsense, so nothing is known of those after them.
    is_broken: bool,
}

struct Chunk {
    /// How many calls of it are not done.
    calls: usize,
    /// How much its arguments take.
    bytes: usize,
    /// How often the worker may ask for its arguments, which are not in the shared memory.
    asks: u8,
}

impl UnderWay {
    /// Nothing to do yet; and the descriptor by which the worker opens the memory.
    pub(super) fn new() -> io::Result<(UnderWay, OwnedFd)> {
        let (memory, file) = ManagerSide::create()?;
        let under_way = UnderWay {
            memory,
            rows: VecDeque::new(),
            chunks: VecDeque::new(),
            work: None,
            withdrawn: Vec::new(),
            elsewhere: None,
            received: 0,
            was_asked: false,
            is_broken: false,
        };
        Ok((under_way, file))
    }

    /// How many chunks are not done.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Hands over chunks from the front of these calls: as many as there is room for, and no more than
    /// `most`. Gives how many calls that were.
    pub(super) fn give(&mut self, calls: &mut Calls, most: usize) -> usize {
        let mut name = Vec::new();
        if self.work.as_ref() != Some(&calls.job.work) {
            codec::encode(&calls.job.work, &mut name).expect("a name is plain data");
        }
        let (mut given, mut bytes) = (0, 0);
        for _ in 0..most {
            let Some((count, place)) = calls.chunk_after(given, bytes) else { break };
            let elsewhere = calls.has_attached() || !self.memory.takes(name.len() + place.len());
            let (kind, arguments) = if elsewhere {
                (requests::Kind::CallsElsewhere, &[] as &[u8])
            } else {
                (requests::Kind::Calls, &calls.arguments()[place.clone()])
            };
            if !self.memory.push(&Request { kind, function: &name, arguments }) {
                break;
            }
            name.clear();
            self.chunks.push_back(Chunk {
                calls: count,
                bytes: place.len(),
                asks: if elsewhere { 2 } else { 0 },
            });
            given += count;
            bytes += place.len();
        }
        if given > 0 {
            self.work = Some(calls.job.work.clone());
            self.memory.offer();
            let row = calls.split_front(given, bytes);
            let rest = match self.rows.back_mut() {
                Some(last) => last.append(row),
                None => Some(row),
            };
            self.rows.extend(rest);
        }
        given
    }

    /// Tells the worker, which has nothing to do, to leave.
    pub(super) fn dismiss(&mut self) {
        let request = Request { kind: requests::Kind::Leave, function: &[], arguments: &[] };
        let has_room = self.memory.push(&request);
        debug_assert!(has_room, "a ring without requests has room for one");
        self.memory.offer();
    }

    /// How many chunks behind the first one the worker has not begun.
    pub(super) fn waiting(&self) -> Result<usize, Malformed> {
        Ok(self.memory.unclaimed()?.min(self.chunks.len().saturating_sub(1)))
    }

    /// Takes back up to so many chunks that the worker has not begun, the last ones; gives them in order.
    pub(super) fn take_back(&mut self, most: usize) -> Result<Vec<Calls>, Malformed> {
        let count = self.memory.take_back(most)?;
        let mut taken: Vec<Calls> = Vec::new();
        for chunk in self.chunks.drain(self.chunks.len() - count..).rev() {
            let row = self.rows.back_mut().ok_or(Malformed)?;
            let mut calls = row.split_back(chunk.calls, chunk.bytes);
            if row.left() == 0 {
                self.rows.pop_back();
            }
            let rest = taken.pop().and_then(|later| calls.append(later));
            taken.extend(rest);
            taken.push(calls);
        }
        taken.reverse();
        self.work = self.rows.back().map(|row| row.job.work.clone());
        Ok(taken)
    }

    /// Sees to it that calls of this job that nobody wants any more are not begun. Gives what was taken back
    /// for that and is wanted.
    pub(super) fn give_up(&mut self, job: &Arc<Job>) -> Result<Vec<Calls>, Malformed> {
        let is_unwanted = |row: &Calls| Arc::ptr_eq(&row.job, job) && !row.is_wanted();
        if !self.rows.iter().any(is_unwanted) {
            return Ok(Vec::new());
        }
        let mut taken = self.take_back(usize::MAX)?;
        taken.retain(Calls::is_wanted);
        let last = self.memory.current() + self.chunks.len() as u64 - 1;
        if self.rows.back().is_some_and(is_unwanted) && !self.withdrawn.contains(&last) {
            self.withdrawn.push(last);
            self.memory.withdraw(last);
        }
        Ok(taken)
    }

    /// Whether the worker may be at a call of this job, and can be at no other job's: to be asked when the job was
    /// given up, as then all is taken back that the worker has not claimed.
    pub(super) fn is_at(&self, job: &Arc<Job>) -> bool {
        self.rows.back().is_some_and(|row| Arc::ptr_eq(&row.job, job))
    }

    /// Whether the worker has told of outcomes.
    pub(super) fn has_news(&self) -> bool {
        !self.is_broken && self.elsewhere.is_none() && self.memory.has_news()
    }

    /// Whether the worker may have outcomes that it will not tell of by itself for a while.
    pub(super) fn may_hold_back(&self) -> bool {
        let has_several = self.chunks.len() > 1 || self.chunks.front().is_some_and(|chunk| chunk.calls > 1);
        has_several && !self.was_asked
    }

    /// Asks the worker to tell of its outcomes between two calls, unless it was asked before.
    pub(super) fn ask(&mut self) {
        if self.may_hold_back() {
            self.ask_ahead();
        }
    }

    /// The same before it is given what it may hold back outcomes for.
    pub(super) fn ask_ahead(&mut self) {
        if !self.was_asked {
            self.was_asked = true;
            self.memory.poke();
        }
    }

    /// Asks the worker for a message when it has news. Then one has to look for news once more.
    pub(super) fn set_alarm(&self) {
        self.memory.set_alarm();
    }

    /// Asks the worker for no message.
    pub(super) fn clear_alarm(&self) {
        self.memory.clear_alarm();
    }

    /// Delivers the outcomes that the worker has told of; notes the jobs that were given up for a failure.
    pub(super) fn receive(&mut self, given_up: &mut Vec<Arc<Job>>) -> Result<(), Malformed> {
        if !self.has_news() {
            return Ok(());
        }
        self.was_asked = false;
        let mut row = Vec::new();
        let taken = self.memory.take(&mut row);
        self.read_all(taken, row, given_up)
    }

    /// Delivers a row of outcomes if it was taken whole.
    fn read_all(
        &mut self,
        taken: Result<(), Malformed>,
        row: Vec<u8>,
        given_up: &mut Vec<Arc<Job>>,
    ) -> Result<(), Malformed> {
        let result = taken.and_then(|()| self.read(row, given_up));
        self.is_broken |= result.is_err();
        result
    }

    /// Delivers an outcome that came over the channel, and those after it.
    pub(super) fn receive_elsewhere(
        &mut self,
        outcome: Payload,
        given_up: &mut Vec<Arc<Job>>,
    ) -> Result<(), Malformed> {
        let result = self.read_elsewhere(outcome, given_up);
        // Those after it are not its call's.
        self.is_broken |= result.is_err();
        result
    }

    fn read_elsewhere(&mut self, outcome: Payload, given_up: &mut Vec<Arc<Job>>) -> Result<(), Malformed> {
        let later = self.elsewhere.take().ok_or(Malformed)?;
        let failure = outcome::only(outcome.bytes())?.is_err().then_some(0);
        if self.rows.is_empty() {
            return Err(Malformed);
        }
        self.deliver(1, failure, outcome, given_up)?;
        self.read(later, given_up)
    }

    /// Whether the worker may ask for the arguments of the chunk that it is at.
    pub(super) fn may_want_arguments(&self) -> bool {
        self.chunks.front().is_some_and(|chunk| chunk.asks > 0)
    }

    /// The arguments that the worker has asked for.
    pub(super) fn asked_arguments(&mut self) -> Result<Payload, Malformed> {
        let (Some(row), Some(chunk)) = (self.rows.front(), self.chunks.front_mut()) else {
            return Err(Malformed);
        };
        chunk.asks = chunk.asks.checked_sub(1).ok_or(Malformed)?;
        Ok(row.payload(chunk.calls))
    }

    /// Delivers a row of outcomes.
    fn read(&mut self, row: Vec<u8>, given_up: &mut Vec<Arc<Job>>) -> Result<(), Malformed> {
        let row = Arc::new(row);
        let mut rest = row.as_slice();
        let mut start = 0;
        let (mut count, mut failure) = (0, None);
        let mut left = self.left();
        loop {
            let before = row.len() - rest.len();
            let item = outcome::take_first(&mut rest)?;
            let calls = match &item {
                Some(Item::Results(run)) => run.count(),
                Some(Item::Failure(_)) => 1,
                None | Some(Item::Stopped | Item::Elsewhere) => 0,
            };
            if calls > 0 {
                if matches!(item, Some(Item::Failure(_))) && failure.is_none() {
                    failure = Some(count);
                }
                count += calls;
                if count < left {
                    continue;
                }
            }
            // A run is of one chunk. Where it is not, there are more outcomes than calls.
            let end = if calls > 0 { row.len() - rest.len() } else { before };
            if count > 0 {
                self.deliver(count, failure, Payload::part(&row, start..end), given_up)?;
            }
            start = row.len() - rest.len();
            (count, failure) = (0, None);
            match item {
                None => return Ok(()),
                Some(Item::Results(_) | Item::Failure(_)) => {}
                Some(Item::Stopped) => self.stopped()?,
                Some(Item::Elsewhere) => {
                    self.elsewhere = Some(rest.to_vec());
                    return Ok(());
                }
            }
            left = self.left();
        }
    }

    /// How many calls the first row has.
    fn left(&self) -> usize {
        self.rows.front().map_or(0, Calls::left)
    }

    /// Delivers outcomes of the first row's next calls.
    fn deliver(
        &mut self,
        count: usize,
        failure: Option<usize>,
        outcomes: Payload,
        given_up: &mut Vec<Arc<Job>>,
    ) -> Result<(), Malformed> {
        let row = self.rows.front_mut().filter(|row| count <= row.left()).ok_or(Malformed)?;
        if failure.is_some_and(|failure| row.job.note_failure(row.next() + failure)) {
            given_up.push(Arc::clone(&row.job));
        }
        row.deliver(count, outcomes);
        self.received += count as u64;
        self.finish(count)
    }

    /// Notes that the first calls are done.
    fn finish(&mut self, mut calls: usize) -> Result<(), Malformed> {
        self.drop_row_if_done();
        while calls > 0 {
            let chunk = self.chunks.front_mut().ok_or(Malformed)?;
            let done = calls.min(chunk.calls);
            chunk.calls -= done;
            calls -= done;
            if chunk.calls == 0 {
                self.chunks.pop_front();
                self.memory.done();
                self.withdrawn.retain(|number| *number >= self.memory.current());
            }
        }
        Ok(())
    }

    fn drop_row_if_done(&mut self) {
        if self.rows.front().is_some_and(|row| row.left() == 0) {
            self.rows.pop_front();
        }
    }

    /// The worker has stopped with its current chunk, which it was asked to.
    fn stopped(&mut self) -> Result<(), Malformed> {
        let (Some(row), Some(chunk)) = (self.rows.front_mut(), self.chunks.front()) else {
            return Err(Malformed);
        };
        if !self.withdrawn.contains(&self.memory.current()) {
            return Err(Malformed);
        }
        row.drop_next(chunk.calls);
        self.finish(chunk.calls)
    }

    /// Settles the affairs of a worker that has ended: delivers what it has done, and what it died of to the
    /// call that it was at; gives the rest in order. Where its outcomes are nonsense, all calls are lost that
    /// it may have begun.
    pub(super) fn bury(
        &mut self,
        status: ExitStatus,
        cause: &Failure,
        given_up: &mut Vec<Arc<Job>>,
    ) -> Vec<Calls> {
        // After an outcome that came over the channel in part, there is nothing.
        if !self.is_broken && self.elsewhere.is_none() {
            let mut row = Vec::new();
            let taken = self.memory.take_rest(&mut row);
            // Whether it turns to nonsense is noted.
            let _ = self.read_all(taken, row, given_up);
        }
        let unclaimed = self.memory.unclaimed().unwrap_or(0);
        let claimed = self.chunks.iter().take(self.chunks.len().saturating_sub(unclaimed));
        let at_most: usize = claimed.map(|chunk| chunk.calls).sum();
        let was_killed = status == ExitStatus::Signal(Signal::KILL.as_raw());
        let has_expired = was_killed && self.memory.has_expired();
        let begun = self.memory.started().wrapping_sub(self.received);
        for _ in 0..usize::try_from(begun).unwrap_or(usize::MAX).min(at_most) {
            let Some(row) = self.rows.front_mut() else { break };
            match row.job.work.timeout.filter(|_| has_expired) {
                Some(timeout) => row.deliver_failure(&Failure::TimedOut(timeout)),
                None if row.may_try_again() => break,
                None => row.deliver_failure(cause),
            }
            self.drop_row_if_done();
        }
        let rest = self.rows.drain(..).map(Calls::without_done);
        rest.filter(Calls::is_wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::ipc::message::EntryRef;
    use crate::ipc::{memory, records};
    use crate::pool::deliveries::Delivery;
    use crate::pool::job::count_fates;

    const CALLS: usize = 20;

    fn work() -> Work {
        Work { function: EntryRef { distance: 7, name: Cow::Borrowed("f") }, timeout: None }
    }

    fn row_of_arguments() -> Vec<u8> {
        let mut row = Vec::new();
        for index in 0..CALLS {
            records::append(&mut row, |buffer| codec::encode(&index, buffer)).unwrap();
        }
        row
    }

    /// A worker that claims a number of chunks of three calls, and makes so many calls.
    fn work_honestly(file: OwnedFd, claims: usize, calls: usize) {
        let (mut inbox, mut outbox) = memory::open(file).unwrap();
        let claimed = (0..claims).filter(|_| inbox.claim().unwrap().is_some()).count();
        for number in 1..=calls.min(3 * claimed).min(CALLS) {
            outbox.begin(number as u64);
            outbox.publish_result(&[1]);
        }
        outbox.announce();
    }

    #[test]
    fn a_worker_is_asked_once_for_what_it_holds_back() {
        let (mut under_way, file) = UnderWay::new().unwrap();
        let (mut inbox, mut outbox) = memory::open(file).unwrap();
        under_way.ask();
        assert!(!inbox.pokes().have_come(), "a worker without work holds nothing back");
        let job = Arc::new(Job::new(work(), false, 0));
        let mut row = Calls::new(job, 0, CALLS, CALLS, row_of_arguments(), Vec::new());
        under_way.give(&mut row, usize::MAX);
        for _ in 0..2 {
            assert!(under_way.may_hold_back());
            under_way.ask();
            assert!(!under_way.may_hold_back());
            inbox.claim().unwrap();
            assert!(inbox.pokes().have_come() && !inbox.heed(|| false) && inbox.heed(|| true));
            under_way.ask();
            assert!(!inbox.pokes().have_come(), "asked again before it has answered");
            outbox.publish_result(&[1]);
            assert!(!under_way.has_news());
            outbox.announce();
            under_way.receive(&mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn no_call_has_the_result_of_one_after_it_when_an_outcome_over_the_channel_is_nonsense() {
        let (mut under_way, file) = UnderWay::new().unwrap();
        let (mut inbox, mut outbox) = memory::open(file).unwrap();
        let job = Arc::new(Job::new(work(), false, 0));
        let mut row = Calls::new(Arc::clone(&job), 0, CALLS, CALLS, row_of_arguments(), Vec::new());
        under_way.give(&mut row, usize::MAX);
        inbox.claim().unwrap();
        outbox.begin(1);
        outbox.publish(&outcome::elsewhere());
        outbox.announce();
        under_way.receive(&mut Vec::new()).unwrap();
        outbox.begin(2);
        outbox.publish_result(&[2]);
        let nonsense = Payload::from(vec![0xff; 3]);
        assert!(under_way.receive_elsewhere(nonsense, &mut Vec::new()).is_err());
        let cause = Failure::Died { process: String::new(), status: ExitStatus::Signal(9) };
        under_way.bury(ExitStatus::Signal(9), &cause, &mut Vec::new());
        let mut failed = 0;
        while let Some(Delivery::Outcomes { outcomes, .. }) = job.deliveries.take() {
            assert!(outcome::only(outcomes.bytes()).unwrap().is_err());
            failed += 1;
        }
        assert_eq!(failed, 2);
    }

    fn words() -> impl Strategy<Value = Vec<(usize, u64)>> {
        let index = prop_oneof![Just(0), 16..19_usize, Just(32), 48..51_usize, Just(64), Just(80), Just(96)];
        let value = prop_oneof![0..200_u64, any::<u64>(), (0..9_u64).prop_map(|count| count << 32)];
        prop::collection::vec((index, value), 0..4)
    }

    proptest! {
        /// Whatever a worker writes into its memory, each call is answered once, or given back once.
        #[test]
        fn every_call_has_one_fate(
            (claims, calls) in (0..8_usize, 0..22_usize),
            words in words(),
            bytes in prop::collection::vec((0..200_usize, prop::collection::vec(0..8_u8, 0..30)), 0..3),
            gives_up: bool,
        ) {
            let (mut under_way, file) = UnderWay::new().unwrap();
            let job = Arc::new(Job::new(work(), false, 0));
            let mut row = Calls::new(Arc::clone(&job), 0, CALLS, 3, row_of_arguments(), Vec::new());
            prop_assert_eq!(under_way.give(&mut row, usize::MAX), CALLS);

            work_honestly(file.try_clone().unwrap(), claims, calls);
            let is_honest = words.is_empty() && bytes.is_empty();
            memory::scribble(file, &words, &bytes);

            let mut given_up = Vec::new();
            let received = under_way.receive(&mut given_up);
            let waiting = under_way.waiting();
            let mut back = under_way.take_back(2);
            if gives_up {
                job.give_up_from(CALLS);
                back = back.and_then(|mut back| {
                    back.extend(under_way.give_up(&job)?);
                    Ok(back)
                });
            }
            if is_honest {
                prop_assert!(received.is_ok() && waiting.is_ok() && back.is_ok());
            }
            let cause = Failure::Died { process: String::new(), status: ExitStatus::Signal(9) };
            let rest = under_way.bury(ExitStatus::Signal(9), &cause, &mut given_up);

            let mut fates = [0; CALLS];
            count_fates(&mut fates, rest.iter().chain(back.iter().flatten()), &job.deliveries);
            prop_assert!(fates.iter().all(|fate| *fate == 1), "{fates:?}");
        }
    }
}
