//! Who drives a pool: the callers that wait for it, and a thread for when nobody does.
//!
//! The [`Crew`] belongs to whoever has the lock, and whoever waits for results drives it: a caller looks after
//! the workers itself, awake for a moment ([`Spin`]) and then asleep in one poll(2) for all of them. So a
//! result needs no hop over another thread. Of the callers that sleep one is *the driver*; the others wait for
//! their outcomes, and one of them is told when the driver leaves, or steps back to read a long value.
//!
//! The manager is a thread that does what callers cannot wait for, or should not: it sees workers end, by their
//! pidfds, and starts new ones; and it watches the channels when there is work and no caller drives, after an
//! `apply_async` say. While it watches it is the driver. With no work at all it sleeps, and so does everyone.
//!
//! | who | sleeps on | is woken by |
//! | --- | --- | --- |
//! | the driver, a caller | the channels, the nudge | a worker, by the alarm; whoever else has taken outcomes or messages |
//! | another caller | its job's queue | who delivers; the driver that leaves or steps back; the manager before it starts a worker |
//! | the manager | the pidfds, the kick; the channels while it watches | a worker's end; whoever needs it, or has taken messages |
//!
//! The lock is never held while anyone sleeps or runs a user's code, and no worker can reach it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::Instant;

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::callbacks::Callbacks;
use super::crew::{Crew, FAILED_STARTS, Fault};
use super::deliveries::Delivery;
use super::job::{Calls, Job};
use super::member::{Greeting, Member};
use super::watch::Watch;
use crate::error::Error;
use crate::ipc::message::Refusal;
use crate::ipc::ready;
use crate::ipc::spin::{self, Spin};
use crate::sys::origin::Origin;

/// What all who use a pool share.
pub(super) struct Shared {
    /// The process whose pool it is.
    origin: Origin,
    state: Mutex<State>,
    watch: Arc<Watch>,
    /// Wakes the manager.
    kick: Bell,
    /// Wakes the driver that is a caller.
    nudge: Bell,
    spin: Spin,
    /// Jobs of which more chunks may come.
    pub(super) open_jobs: AtomicUsize,
    pub(super) closed: AtomicBool,
    pub(super) fault: Arc<OnceLock<Fault>>,
    pub(super) processes: usize,
    pub(super) max_calls: Option<usize>,
    /// The path of the initializer's function, for its errors.
    initializer: &'static str,
    pub(super) callbacks: Callbacks,
}

struct State {
    /// `None` when the pool has come to its end.
    crew: Option<Crew>,
    /// The caller that is to look after the workers.
    driver: Option<Driver>,
    /// Whether the driver sleeps, or is about to.
    driver_sleeps: bool,
    /// Whether the manager is to look after the workers.
    manager_watches: bool,
    /// Whether the manager wakes by itself when a worker has to be ready.
    manager_waits_for_ready: bool,
    /// The callers that wait for their outcomes alone, by their jobs.
    waiting: VecDeque<Arc<Job>>,
}

impl State {
    fn is_driven_by(&self, job: &Arc<Job>) -> bool {
        self.driver.as_ref().is_some_and(|driver| Arc::ptr_eq(&driver.job, job))
    }

    /// Whether workers may wait for arguments, and nobody is there who would hear them ask.
    fn is_unheard(&self) -> bool {
        self.driver.is_none()
            && !self.manager_watches
            && self.crew.as_ref().is_some_and(Crew::may_want_arguments)
    }
}

struct Driver {
    job: Arc<Job>,
    /// Its thread, once it has taken over. What it deserialises may itself use the pool.
    thread: Option<ThreadId>,
}

/// A descriptor that becomes readable when it is rung (eventfd(2)).
struct Bell {
    descriptor: OwnedFd,
    /// Whether it was rung and not answered yet, so that one system call serves many.
    rung: AtomicBool,
}

impl Bell {
    fn new() -> io::Result<Bell> {
        let descriptor = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Bell { descriptor, rung: AtomicBool::new(false) })
    }

    /// AcqRel: partner of the swap in [`answer`](Bell::answer). Whichever of the two comes second sees what
    /// stands before the first one.
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // The counter cannot overflow: it is emptied each time.
            let _ = rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes());
        }
    }

    /// Before one looks for what it was rung for. First the descriptor, then the word: who rings in between
    /// is seen by the look. AcqRel: partner of the swap in [`ring`](Bell::ring).
    fn answer(&self) {
        let _ = rustix::io::read(&self.descriptor, &mut [0; size_of::<u64>()]);
        self.rung.swap(false, Ordering::AcqRel);
    }
}

impl Shared {
    /// Starts the workers of a pool.
    pub(super) fn start(
        greeting: Greeting,
        processes: usize,
        max_calls: Option<usize>,
        initializer: &'static str,
    ) -> io::Result<Shared> {
        let watch = Arc::new(Watch::new()?);
        let fault = Arc::new(OnceLock::new());
        let (kick, nudge) = (Bell::new()?, Bell::new()?);
        let crew = Crew::start(greeting, Arc::clone(&watch), Arc::clone(&fault), processes, max_calls)?;
        Ok(Shared {
            origin: Origin::here(),
            state: Mutex::new(State {
                crew: Some(crew),
                driver: None,
                driver_sleeps: false,
                manager_watches: false,
                manager_waits_for_ready: false,
                waiting: VecDeque::new(),
            }),
            watch,
            kick,
            nudge,
            spin: Spin::new(spin::pays()),
            open_jobs: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            fault,
            processes,
            max_calls,
            initializer,
            callbacks: Callbacks::default(),
        })
    }

    /// Whether this is the process that has made the pool. In a copy of it by fork there is no manager, the lock
    /// may be held by a thread that is not there, and the workers serve another process: nothing may be touched.
    pub(super) fn is_ours(&self) -> bool {
        self.origin.is_here()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives work to the pool. If that has come to its end, the calls report their loss.
    ///
    /// Whoever does not wait for the outcomes has to [`watch`](Shared::watch) as well. So has whoever will only wait for
    /// them later, if the answer is yes: a worker may wait for arguments, and nobody hears it ask.
    pub(super) fn submit(&self, calls: Calls) -> bool {
        if !self.is_ours() {
            drop(calls);
            return false;
        }
        let mut state = self.lock();
        match &mut state.crew {
            Some(crew) => crew.queue(calls),
            None => {
                drop(state);
                drop(calls);
                return false;
            }
        }
        self.turn(&mut state);
        state.is_unheard()
    }

    /// Sees to it that calls of this job that nobody wants any more are not begun.
    pub(super) fn give_up(&self, job: &Arc<Job>) {
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        if let Some(crew) = &mut state.crew {
            crew.give_up(job);
        }
        self.turn(&mut state);
        self.find_driver(&mut state);
    }

    /// Does as [`give_up`](Shared::give_up) does, and kills the workers that are at such a call.
    pub(super) fn kill(&self, job: &Arc<Job>) {
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        if let Some(crew) = &mut state.crew {
            crew.give_up(job);
            crew.kill_at(job);
        }
        self.turn(&mut state);
        self.find_driver(&mut state);
    }

    /// Sees to it that somebody looks after the workers while nobody waits.
    pub(super) fn watch(&self) {
        if self.is_ours() {
            self.find_driver(&mut self.lock());
        }
    }

    /// Takes no more work. If there is none, the workers are told to leave, and the manager sees them end.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        match &mut state.crew {
            Some(crew) if self.takes_no_more() && !crew.has_work() && !crew.is_empty() => crew.dismiss_all(),
            _ => self.kick.ring(),
        }
    }

    /// Ends the pool at once. The manager does it.
    pub(super) fn terminate(&self) {
        if self.is_ours() {
            let _ = self.fault.set(Fault::Terminated);
            self.kick.ring();
        }
    }

    /// Has the manager look at everything anew.
    pub(super) fn wake(&self) {
        if self.is_ours() {
            self.kick.ring();
        }
    }

    /// Looks at what the workers have done, and gives them more. Does not wait.
    fn turn(&self, state: &mut State) {
        let is_unheard = state.is_unheard();
        let Some(crew) = &mut state.crew else { return };
        // That one is ready, or wants arguments, it says over its channel.
        let served = (is_unheard || crew.is_starting()) && crew.serve();
        if crew.ready_by().is_none() && std::mem::take(&mut state.manager_waits_for_ready) {
            // It has no more reason to: a program at rest would look as if time could still move it.
            self.kick.ring();
        }
        let any = crew.look();
        crew.dispatch();
        // Whoever sleeps on the channels counted on what is not there any more.
        if served && state.manager_watches {
            self.kick.ring();
        }
        if (served || any) && state.driver_sleeps {
            self.nudge.ring();
        }
        if self.fault.get().is_some() || crew.missing() > 0 || self.closed.load(Ordering::SeqCst) {
            self.kick.ring();
        }
    }

    /// Waits for what comes next of this job; `None` if that is not before the deadline.
    ///
    /// The caller may be the driver afterwards, until it comes again or [`leave`](Shared::leave)s.
    pub(super) fn receive(&self, job: &Arc<Job>, deadline: Option<Instant>) -> Option<Delivery> {
        if !self.is_ours() {
            return Some(Delivery::Lost);
        }
        let next = || job.deliveries.take();
        let take = || std::iter::from_fn(next).find(|delivery| !matches!(delivery, Delivery::Drive));
        let mut taken = None;
        let mut look = || {
            if let Ok(mut state) = self.state.try_lock() {
                self.turn(&mut state);
            }
            taken = take();
            taken.is_some()
        };
        let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if look() || !is_late() && self.spin.wait(look) {
            return taken;
        }
        loop {
            let mut state = self.lock();
            self.turn(&mut state);
            if let Some(delivery) = take() {
                return Some(delivery);
            }
            if is_late() {
                return None;
            }
            if self.may_drive(&mut state, job) {
                self.drive(state, deadline);
                continue;
            }
            if !state.waiting.iter().any(|other| Arc::ptr_eq(other, job)) {
                state.waiting.push_back(Arc::clone(job));
            }
            drop(state);
            match job.deliveries.wait(deadline) {
                Some(Delivery::Drive) | None => {}
                Some(delivery) => return Some(delivery),
            }
        }
    }

    /// Whether this caller is the driver, or becomes it now.
    fn may_drive(&self, state: &mut State, job: &Arc<Job>) -> bool {
        if state.crew.is_none() {
            return false;
        }
        let thread = Some(std::thread::current().id());
        if let Some(driver) = &mut state.driver {
            if Arc::ptr_eq(&driver.job, job) {
                driver.thread = thread;
            }
            return driver.thread == thread;
        }
        if state.manager_watches {
            return false;
        }
        state.waiting.retain(|other| !Arc::ptr_eq(other, job));
        state.driver = Some(Driver { job: Arc::clone(job), thread });
        true
    }

    /// Sleeps until a worker has something to say, or anyone else has.
    fn drive<'a>(&'a self, mut state: MutexGuard<'a, State>, deadline: Option<Instant>) {
        let Some(crew) = &mut state.crew else { return };
        crew.set_alarms();
        if !crew.has_news() {
            let ask_by = crew.deadline();
            let deadline = [deadline, ask_by].into_iter().flatten().min();
            state.driver_sleeps = true;
            drop(state);
            let mut descriptors = [
                PollFd::from_borrowed_fd(self.watch.channels(), PollFlags::IN),
                PollFd::new(&self.nudge.descriptor, PollFlags::IN),
            ];
            let is_late = !ready::wait(&mut descriptors, deadline);
            if !descriptors[1].revents().is_empty() {
                self.nudge.answer();
            }
            state = self.lock();
            state.driver_sleeps = false;
            // Woken again and again, it may never be late.
            let asks = is_late || ask_by.is_some_and(|ask_by| ask_by <= Instant::now());
            if let Some(crew) = state.crew.as_mut().filter(|_| asks) {
                crew.ask();
            }
        }
        let Some(crew) = &mut state.crew else { return };
        crew.clear_alarms();
        crew.serve();
    }

    /// This caller waits no more. If it was the driver, or has [stepped back](Shared::step_back) and nobody drives
    /// by now, there is another one.
    pub(super) fn leave(&self, job: &Arc<Job>, stepped_back: bool) {
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        state.waiting.retain(|other| !Arc::ptr_eq(other, job));
        let is_missed = if state.is_driven_by(job) {
            state.driver = None;
            true
        } else {
            stepped_back && state.driver.is_none() && !state.manager_watches
        };
        if is_missed && !appoint_driver(&mut state) {
            self.find_driver(&mut state);
        }
    }

    /// This caller has something else to do for a while, and comes back, or [`leave`](Shared::leave)s. If it was the
    /// driver, another one is who waits, or who comes meanwhile. The manager is not woken: it would remain the one
    /// who looks after the workers.
    pub(super) fn step_back(&self, job: &Arc<Job>) {
        if !self.is_ours() {
            return;
        }
        let mut state = self.lock();
        state.waiting.retain(|other| !Arc::ptr_eq(other, job));
        if state.is_driven_by(job) {
            appoint_driver(&mut state);
        }
    }

    /// Wakes the manager if nobody looks after workers that have work.
    fn find_driver(&self, state: &mut State) {
        let is_busy = state.crew.as_ref().is_some_and(Crew::is_busy);
        if is_busy && state.driver.is_none() && !state.manager_watches {
            self.kick.ring();
        }
    }

    /// Whether the pool is closed and all that was submitted has been sent.
    fn takes_no_more(&self) -> bool {
        self.closed.load(Ordering::SeqCst) && self.open_jobs.load(Ordering::SeqCst) == 0
    }

    /// What to tell those whose work will not be done.
    pub(super) fn error(&self) -> Error {
        if !self.is_ours() {
            return Error::Copied { name: "Pool".to_owned() };
        }
        match self.fault.get() {
            None => Error::PoolClosed,
            Some(Fault::Terminated) => Error::PoolTerminated,
            // An `io::Error` cannot be copied for everyone who waits.
            Some(Fault::NotStarted(error)) => Error::Start {
                source: error.raw_os_error().map_or_else(
                    || io::Error::new(error.kind(), error.to_string()),
                    io::Error::from_raw_os_error,
                ),
            },
            Some(Fault::NotReady(timeout)) => {
                Error::StartTimedOut { attempts: FAILED_STARTS, timeout: *timeout }
            }
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

/// Has one of the callers that wait be the driver; `false` if there is none.
fn appoint_driver(state: &mut State) -> bool {
    state.driver = state.waiting.pop_front().map(|job| Driver { job, thread: None });
    state.driver.as_ref().inspect(|next| next.job.deliver_turn()).is_some()
}

/// The manager's thread: works until the pool is terminated, broken, or closed and done.
///
/// Then all is dropped: workers that are left are killed and reaped, and calls that are left report their
/// loss.
pub(super) fn run(shared: &Shared) {
    let _end = End(shared);
    let mut is_late = false;
    while let Some((watches, deadline)) = manage(shared, is_late) {
        let mut descriptors = vec![
            PollFd::new(&shared.kick.descriptor, PollFlags::IN),
            PollFd::from_borrowed_fd(shared.watch.ends(), PollFlags::IN),
        ];
        if watches {
            descriptors.push(PollFd::from_borrowed_fd(shared.watch.channels(), PollFlags::IN));
        }
        is_late = !ready::wait(&mut descriptors, deadline);
    }
}

/// Dissolves the crew when dropped, whatever the manager's thread ends by.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let crew = self.0.lock().crew.take();
        drop(crew);
        self.0.nudge.ring();
    }
}

/// Does all that can be done without waiting; says whether the manager watches from now on, and until when.
/// `None` when the pool has come to its end.
///
/// `is_late` says that the time has come that it gave the last time.
fn manage(shared: &Shared, mut is_late: bool) -> Option<(bool, Option<Instant>)> {
    loop {
        shared.kick.answer();
        let mut state = shared.lock();
        // Asked before the work is looked at: then there cannot be any that this does not know of.
        let no_more_comes = shared.takes_no_more();
        let watches = state.driver.is_none();
        let driver_sleeps = state.driver_sleeps;
        let has_watched = std::mem::take(&mut state.manager_watches);
        let crew = state.crew.as_mut()?;
        if has_watched {
            crew.clear_alarms();
        }
        let is_overdue = has_watched && crew.deadline().is_some_and(|ask_by| ask_by <= Instant::now());
        if std::mem::take(&mut is_late) || is_overdue {
            crew.ask();
        }
        let mut any = crew.bury();
        let is_late = crew.ready_by().is_some_and(|ready_by| ready_by <= Instant::now());
        if watches || is_late {
            crew.serve();
        }
        if is_late {
            crew.end_late();
        }
        any |= crew.look();
        if no_more_comes && !crew.has_work() {
            crew.dismiss_all();
        } else {
            crew.dispatch();
        }
        if any && driver_sleeps {
            shared.nudge.ring();
        }
        let is_done = no_more_comes && !crew.has_work() && crew.is_empty();
        if is_done || shared.fault.get().is_some() {
            return None;
        }
        if crew.missing() > 0 {
            let greeting = crew.greeting();
            // To start a worker may take long, and callers go on meanwhile.
            if state.driver.is_none() {
                appoint_driver(&mut state);
            }
            drop(state);
            let started = Member::start(&greeting);
            shared.lock().crew.as_mut()?.take_on(started);
            continue;
        }
        let watches = watches && crew.is_busy();
        if watches {
            crew.set_alarms();
            if crew.has_news() {
                crew.clear_alarms();
                continue;
            }
        }
        let ready_by = crew.ready_by();
        let deadline = [crew.deadline().filter(|_| watches), ready_by].into_iter().flatten().min();
        state.manager_watches = watches;
        state.manager_waits_for_ready = ready_by.is_some();
        return Some((watches, deadline));
    }
}
