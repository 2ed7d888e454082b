//! The memory that a worker shares with its manager: work in, results out, and nothing that is finished is
//! lost when the worker dies.
//!
//! ```text
//!   word   0  claims      chunks offered and claimed             both       `claims`
//!   word  16  withdrawn   a claimed chunk that nobody wants      manager
//!   word  17  poked       how often the worker was poked         manager
//!   word  18  spins       whether it pays to wait awake          manager
//!   word  32  taken       results copied out                     manager    `results`
//!   word  48  started     the number of the call begun last      worker
//!   word  49  published   results that count                     worker     `results`
//!   word  50  expires     when the call has taken too long       worker
//!   word  64  announced   results that the manager is told of    worker     `results`
//!   word  80  worker's alarm                                     both       `alarm`
//!   word  96  manager's alarm                                    both       `alarm`
//!   inward    the ring of requests                               manager    `requests`
//!   outward   the ring of results                                worker     `results`
//! ```
//!
//! Words that one side writes often stand 128 bytes from those that the other one writes, since that is what
//! CPUs pass between each other at a time.
//!
//! A worker that finds nothing to do, or no room for a result, sleeps on its alarm (futex(2)). The manager has
//! other things to wait for as well, so it asks by its alarm for a message over the socket.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

use rustix::thread::futex;
use rustix::time::{ClockId, Timespec};

use super::alarm::{self, News};
use super::claims::{self, Offers};
use super::requests::{self, Found, Request};
use super::spin::{self, Spin};
use super::{Malformed, records, results};
use crate::sys::mapping::{INWARD, MakerSide, OUTWARD, OpenerSide, Words};

const CLAIMS: usize = 0;
const WITHDRAWN: usize = 16;
const POKED: usize = 17;
const SPINS: usize = 18;
const TAKEN: usize = 32;
const STARTED: usize = 48;
const PUBLISHED: usize = 49;
const EXPIRES: usize = 50;
const ANNOUNCED: usize = 64;
const WORKER: usize = 80;
const MANAGER: usize = 96;

/// What `expires` is while no call is timed.
const NEVER: u64 = 0;

/// The manager's side.
pub(crate) struct ManagerSide {
    memory: MakerSide,
    requests: requests::Writer,
    offers: Offers,
    results: results::Reader,
    /// Requests that were written and not offered yet.
    written: u32,
    /// How many requests are done.
    done: u64,
    /// How often the worker was poked.
    poked: u64,
}

impl ManagerSide {
    /// Makes the memory, and the descriptor by which the worker opens it.
    pub(crate) fn create() -> io::Result<(ManagerSide, OwnedFd)> {
        let (memory, file) = MakerSide::create()?;
        alarm::prepare(memory.flag(WORKER));
        alarm::prepare(memory.flag(MANAGER));
        // Relaxed, as nobody else has the memory yet.
        memory.word(SPINS).store(spin::pays().into(), Ordering::Relaxed);
        let side = ManagerSide {
            memory,
            requests: requests::Writer::new(INWARD),
            offers: Offers::default(),
            results: results::Reader::new(OUTWARD),
            written: 0,
            done: 0,
            poked: 0,
        };
        Ok((side, file))
    }

    /// Whether a request can be written for a function of this name: with all else that work consists of, and without
    /// arguments.
    pub(crate) fn takes_function(name: &str) -> bool {
        const REST: usize = 64;
        requests::Writer::new(INWARD).takes(name.len() + REST)
    }

    /// Whether a request with so many bytes can be written at all.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        self.requests.takes(bytes)
    }

    /// Writes a request, to be offered with others; `false` if there is no room now.
    pub(crate) fn push(&mut self, request: &Request<'_>) -> bool {
        let pushed = self.requests.push(request, |at, bytes| self.memory.write(at, bytes));
        self.written += u32::from(pushed);
        pushed
    }

    /// Offers all that was written, and wakes the worker if it sleeps.
    pub(crate) fn offer(&mut self) {
        let written = std::mem::take(&mut self.written);
        if written > 0 {
            self.offers.offer(self.memory.word(CLAIMS), written);
            self.wake(News::Any);
        }
    }

    /// How many offers are not claimed.
    pub(crate) fn unclaimed(&self) -> Result<usize, Malformed> {
        Ok(self.offers.unclaimed(self.memory.word(CLAIMS), self.offered())? as usize)
    }

    /// Takes back up to so many offers, the last ones; gives how many it got.
    pub(crate) fn take_back(&mut self, most: usize) -> Result<usize, Malformed> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let count = self.offers.take_back(self.memory.word(CLAIMS), most, self.offered())? as usize;
        self.requests.took_back(count);
        Ok(count)
    }

    /// How many offers are not done. All that was written was offered.
    fn offered(&self) -> u32 {
        debug_assert_eq!(self.written, 0, "requests that were not offered");
        self.requests.open() as u32
    }

    /// The oldest request is done.
    pub(crate) fn done(&mut self) {
        self.requests.done();
        self.done += 1;
    }

    /// The number of the oldest request that is not done, from 1.
    pub(crate) fn current(&self) -> u64 {
        self.done + 1
    }

    /// Asks the worker to stop with the request of this number. Relaxed, since the poke orders it.
    pub(crate) fn withdraw(&mut self, number: u64) {
        self.memory.word(WITHDRAWN).store(number, Ordering::Relaxed);
        self.poke();
    }

    /// Has the worker tell of its results between two calls, and look whether its request is withdrawn.
    /// Release: partner of [`Pokes::have_come`].
    pub(crate) fn poke(&mut self) {
        self.poked += 1;
        self.memory.word(POKED).store(self.poked, Ordering::Release);
    }

    /// Whether there are results that the worker has told of.
    pub(crate) fn has_news(&self) -> bool {
        self.results.has_news(self.memory.word(ANNOUNCED))
    }

    /// Appends the results that the worker has told of. As untrusted as anything that a worker sends.
    pub(crate) fn take(&mut self, row: &mut Vec<u8>) -> Result<(), Malformed> {
        self.take_until(ANNOUNCED, row)?;
        self.wake(News::Room);
        Ok(())
    }

    /// Appends all results that a worker has left that is dead.
    pub(crate) fn take_rest(&mut self, row: &mut Vec<u8>) -> Result<(), Malformed> {
        self.take_until(PUBLISHED, row)
    }

    fn take_until(&mut self, until: usize, row: &mut Vec<u8>) -> Result<(), Malformed> {
        let (until, taken) = (self.memory.word(until), self.memory.word(TAKEN));
        self.results.take(until, taken, |place| self.memory.copy(place, row))
    }

    /// The number of the call that was begun last, from 1. Exact only when the worker is dead. Acquire:
    /// partner of [`Outbox::begin`].
    pub(crate) fn started(&self) -> u64 {
        self.memory.word(STARTED).load(Ordering::Acquire)
    }

    /// Whether the time of the call that was begun last is over. Acquire: partner of [`Outbox::begin_timed`].
    pub(crate) fn has_expired(&self) -> bool {
        let expires = self.memory.word(EXPIRES).load(Ordering::Acquire);
        expires != NEVER && now() >= expires
    }

    /// Asks the worker for a message when it has news. Then one has to look for news once more.
    pub(crate) fn set_alarm(&self) {
        alarm::set(self.memory.flag(MANAGER), News::Any);
    }

    /// Asks the worker for no message.
    pub(crate) fn clear_alarm(&self) {
        alarm::clear(self.memory.flag(MANAGER));
    }

    fn wake(&self, news: News) {
        let flag = self.memory.flag(WORKER);
        if alarm::goes_off(flag, news) {
            let _ = futex::wake(flag, futex::Flags::empty(), 1);
        }
    }
}

/// Opens the worker's side: where requests come in and where results go out.
pub(crate) fn open(file: OwnedFd) -> io::Result<(Inbox, Outbox)> {
    let memory = Rc::new(OpenerSide::open(file)?);
    let spins = memory.words()[SPINS].load(Ordering::Relaxed) != 0;
    let inbox = Inbox {
        memory: Rc::clone(&memory),
        requests: requests::Reader::default(),
        claimed: 0,
        poked: Cell::new(0),
        spin: Spin::new(spins),
    };
    Ok((inbox, Outbox { memory, results: results::Writer::new(OUTWARD), spin: Spin::new(spins) }))
}

/// Where requests come in.
pub(crate) struct Inbox {
    memory: Rc<OpenerSide>,
    requests: requests::Reader,
    /// How many requests were claimed; the number of the current one.
    claimed: u64,
    /// How often this worker was poked and has heeded it.
    poked: Cell<u64>,
    spin: Spin,
}

impl Inbox {
    /// Takes on the next request, if there is one.
    pub(crate) fn claim(&mut self) -> Result<Option<Found>, Malformed> {
        if !claims::claim(&self.memory.words()[CLAIMS]) {
            return Ok(None);
        }
        self.claimed += 1;
        self.requests.next(INWARD, |range| self.memory.read(range)).map(Some)
    }

    /// Bytes of the current request.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.memory.read(range)
    }

    /// Waits for a request to claim, or hardly longer than this. It may return before there is one.
    ///
    /// Awake for a moment and then asleep; before the first request asleep at once, since others are being
    /// started then, who need the CPU.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) {
        let (claims, flag) = (&self.memory.words()[CLAIMS], self.memory.flag(WORKER));
        let is_there = || claims::waiting(claims) > 0;
        if self.claimed > 0 && self.spin.wait(is_there) {
            return;
        }
        alarm::sleep_once(flag, News::Any, is_there, || sleep_if_set(flag, News::Any, timeout));
    }

    /// What tells of pokes.
    #[inline(always)]
    pub(crate) fn pokes(&self) -> Pokes<'_> {
        Pokes { word: &self.memory.words()[POKED], heeded: self.poked.get() }
    }

    /// Whether there was a poke that is for something. If so, only later ones count from now on.
    ///
    /// First the poke, then what it may be for: one that comes in between is seen the next time. SeqCst: partner
    /// of the fence in [`alarm::set`]. Whoever pokes, and sleeps unless it was told of results by then, either
    /// sees those or has its poke seen here. Acquire, as in [`Pokes::have_come`].
    pub(crate) fn heed(&self, is_for_something: impl FnOnce() -> bool) -> bool {
        fence(Ordering::SeqCst);
        let poked = self.memory.words()[POKED].load(Ordering::Acquire);
        let heeds = self.poked.get() != poked && is_for_something();
        if heeds {
            self.poked.set(poked);
        }
        heeds
    }

    /// Whether nobody wants the rest of the current request. Where that is said later, there is a poke.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.memory.words()[WITHDRAWN].load(Ordering::Relaxed) == self.claimed
    }
}

/// Where it is seen that the manager pokes.
pub(crate) struct Pokes<'a> {
    word: &'a AtomicU64,
    heeded: u64,
}

impl Pokes<'_> {
    /// Whether there are some that were not heeded when this was asked for. Acquire: partner of
    /// [`ManagerSide::poke`].
    #[inline(always)]
    pub(crate) fn have_come(&self) -> bool {
        self.word.load(Ordering::Acquire) != self.heeded
    }
}

/// Where results go out.
pub(crate) struct Outbox {
    memory: Rc<OpenerSide>,
    results: results::Writer,
    spin: Spin,
}

impl Outbox {
    /// Notes that the call with this number is begun. Release: partner of [`ManagerSide::started`].
    pub(crate) fn begin(&self, number: u64) {
        begin(self.memory.words(), number);
    }

    /// Notes that the call that is begun may take so long. Release: partner of [`ManagerSide::has_expired`].
    pub(crate) fn begin_timed(&self, timeout: Duration) {
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        self.memory.words()[EXPIRES].store(now().saturating_add(timeout), Ordering::Release);
    }

    /// Notes that the call has ended in time. Release, as in [`begin_timed`](Outbox::begin_timed).
    pub(crate) fn end_timed(&self) {
        self.memory.words()[EXPIRES].store(NEVER, Ordering::Release);
    }

    /// Whether a result of this length can ever be published.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        bytes + records::HEAD <= OUTWARD / 2
    }

    /// Whether there is room for a result of this length now.
    #[inline]
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        self.results.has_room(&self.memory.words()[TAKEN], bytes + records::HEAD)
    }

    /// Waits until there is room for a result of this length. The manager has to have been told of those
    /// before.
    pub(crate) fn wait_for_room(&mut self, bytes: usize) {
        let (taken, results) = (&self.memory.words()[TAKEN], &mut self.results);
        let mut ready = || results.has_room(taken, bytes + records::HEAD);
        if self.spin.wait(&mut ready) {
            return;
        }
        let flag = self.memory.flag(WORKER);
        alarm::sleep(flag, News::Room, ready, || sleep_if_set(flag, News::Room, None));
    }

    /// The way out for many small results one after the other.
    pub(crate) fn at_hand(&mut self) -> AtHand<'_> {
        AtHand {
            words: self.memory.words(),
            memory: &self.memory,
            tail: self.results.tail(),
            results: &mut self.results,
        }
    }

    /// Makes sure that a result, for which there is room, outlives this process.
    pub(crate) fn publish_result(&mut self, result: &[u8]) {
        let write = |at, bytes: &[u8]| self.memory.write(at, bytes);
        self.results.publish_result(&self.memory.words()[PUBLISHED], result, write);
    }

    /// The same for items of a row of outcomes, for which there is room.
    pub(crate) fn publish(&mut self, items: &[u8]) {
        let write = |at, bytes: &[u8]| self.memory.write(at, bytes);
        self.results.publish(&self.memory.words()[PUBLISHED], items, write);
    }

    /// Whether the manager has not taken some results, whether it was told of them or not.
    pub(crate) fn has_untaken(&self) -> bool {
        self.results.has_untaken(&self.memory.words()[TAKEN])
    }

    /// Whether the manager was not told of some results.
    pub(crate) fn has_unannounced(&self) -> bool {
        self.results.has_unannounced()
    }

    /// Whether the manager was not told of results that are worth telling.
    pub(crate) fn has_many(&self) -> bool {
        self.results.has_many()
    }

    /// Lets the manager see what was published.
    pub(crate) fn announce(&mut self) {
        let write = |at, bytes: &[u8]| self.memory.write(at, bytes);
        self.results.announce(&self.memory.words()[ANNOUNCED], write);
    }

    /// Whether the manager sleeps, and is to be sent a message: asked after news were announced.
    #[must_use = "the manager sleeps until it gets a message"]
    pub(crate) fn manager_sleeps(&self) -> bool {
        alarm::goes_off(self.memory.flag(MANAGER), News::Any)
    }
}

/// Where results go out one after the other: what changes from one to the next stands in registers, and is put
/// back at the end.
pub(crate) struct AtHand<'a> {
    words: &'a Words,
    memory: &'a OpenerSide,
    tail: results::Tail,
    results: &'a mut results::Writer,
}

impl AtHand<'_> {
    /// Has no result published here.
    pub(crate) fn close(&mut self) {
        self.tail = self.tail.closed();
    }

    /// As [`Outbox::begin`].
    #[inline(always)]
    pub(crate) fn begin(&self, number: u64) {
        begin(self.words, number);
    }

    /// Makes sure that a result outlives this process, if that is quickly done; `false` if it was not.
    #[inline(always)]
    pub(crate) fn publish(&mut self, result: &[u8]) -> bool {
        let write = |at, bytes: &[u8]| self.memory.write(at, bytes);
        self.tail.add(&self.words[PUBLISHED], result, write)
    }
}

impl Drop for AtHand<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.results.set_tail(self.tail);
    }
}

#[inline(always)]
fn begin(words: &Words, number: u64) {
    words[STARTED].store(number, Ordering::Release);
}

/// Nanoseconds of the clock that timeouts go by. All processes have the same (CLOCK_MONOTONIC,
/// clock_gettime(2)).
fn now() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    u64::try_from(Duration::try_from(now).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps until the alarm goes off that was set for these news, or so long; not at all if it is off by now.
fn sleep_if_set(flag: &AtomicU32, news: News, timeout: Option<Duration>) {
    let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap_or_default());
    // Whatever it returns for, one looks again.
    let _ = futex::wait(flag, futex::Flags::empty(), news as u32, timeout.as_ref());
}

/// Overwrites words of the header and bytes of the results, as a worker gone wild may.
#[cfg(test)]
pub(crate) fn scribble(file: OwnedFd, words: &[(usize, u64)], bytes: &[(usize, Vec<u8>)]) {
    let memory = OpenerSide::open(file).unwrap();
    for (index, value) in words {
        memory.words()[*index].store(*value, Ordering::SeqCst);
    }
    for (at, bytes) in bytes {
        memory.write(*at, bytes);
    }
}
