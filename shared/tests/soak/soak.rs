//! The steps: what is done to a pool, and the books that are kept of it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

use multiprocessing::{Builder, Error, MapHandle, Pool, StartMethod, TaskHandle, Terms, active_children};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use crate::FOREVER;
use crate::model::{Answer, Call, Deed, is_dead, is_expected, is_killed, is_not_there, perform, prepare};
use crate::random::Random;

type Outcome = Result<Answer, Error>;

const CHUNKS: [usize; 5] = [1, 1, 3, 20, 1000];

const METHODS: [StartMethod; 2] = [StartMethod::Spawn, StartMethod::ForkServer];

/// What was survived.
#[derive(Default)]
pub(crate) struct Tally {
    steps: usize,
    pools: usize,
    calls: u64,
    answers: usize,
    errors: usize,
    kills: usize,
    servers: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { steps, pools, calls, answers, errors, kills, servers } = self;
        write!(f, "{steps} steps, {pools} pools, {calls} calls: {answers} answers, ")?;
        write!(f, "{errors} errors as they had to be, {kills} workers and {servers} fork servers ")?;
        write!(f, "killed from outside; nothing lost")
    }
}

/// Calls whose outcome is still to be asked for.
enum Pending {
    Task(Call, TaskHandle<Answer>),
    Map(Vec<Call>, MapHandle<Answer>),
    Ordered(Vec<Call>, Results),
    Unordered(Vec<Call>, Results),
    /// Its outcome comes by a callback.
    Callback(Call, Receiver<Outcome>),
}

/// The results of an iterator over a pool, taken on a thread that shares the pool.
struct Results {
    /// `None` once nobody wants any more.
    receiver: Option<Receiver<Outcome>>,
    thread: Option<JoinHandle<()>>,
}

impl Results {
    fn begin(pool: Arc<Pool>, chunk: usize, calls: Vec<Call>, in_order: bool) -> Results {
        // One is taken as the one before it is asked for.
        let (sender, receiver) = mpsc::sync_channel(0);
        let (begun, has_begun) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let terms = pool.chunks_of(chunk);
            let results =
                if in_order { terms.imap(perform, calls) } else { terms.imap_unordered(perform, calls) };
            begun.send(()).unwrap();
            for outcome in results {
                if sender.send(outcome).is_err() {
                    break;
                }
            }
        });
        // The pool may be closed then, as it may not be before.
        has_begun.recv().unwrap();
        Results { receiver: Some(receiver), thread: Some(thread) }
    }

    fn next(&self) -> Option<Outcome> {
        match self.receiver.as_ref()?.recv_timeout(FOREVER) {
            Ok(outcome) => Some(outcome),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("a result never came"),
        }
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        self.receiver = None;
        // Then the thread has given up its share of the pool.
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

/// How a pool comes to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Join,
    Terminate,
    Drop,
}

pub(crate) struct Soak {
    random: Random,
    tally: Tally,
    /// Where workers note which calls they begin.
    log: tempfile::NamedTempFile,
    pool: Option<Arc<Pool>>,
    pending: Vec<Pending>,
    /// The workers that have answered.
    workers: HashSet<u32>,
    /// How many of them were killed by this test, and how many may have lost their channel to a call.
    killed: usize,
    spoilt: usize,
    /// How many outcomes say that their worker died of something other than the call's own deed.
    died: Vec<String>,
    /// The calls that may be made again, and how often.
    retries: HashMap<u64, u32>,
    /// The calls that have given an answer.
    answered: HashSet<u64>,
    /// How many descriptors there are without a pool.
    descriptors: usize,
}

impl Soak {
    pub(crate) fn new(seed: u64) -> Soak {
        // What the first pools leave open for good is there before the descriptors are counted.
        for method in METHODS {
            Pool::builder().start_method(method).processes(1).build().unwrap().join();
        }
        let mut soak = Soak {
            random: Random::new(seed),
            tally: Tally::default(),
            log: tempfile::NamedTempFile::new().unwrap(),
            pool: None,
            pending: Vec::new(),
            workers: HashSet::new(),
            killed: 0,
            spoilt: 0,
            died: Vec::new(),
            retries: HashMap::new(),
            answered: HashSet::new(),
            descriptors: descriptors(),
        };
        soak.start();
        soak
    }

    fn start(&mut self) {
        let log: PathBuf = self.log.path().to_owned();
        let method = self.random.pick(&METHODS);
        let workers = 1 + self.random.below(4);
        let mut builder = Pool::builder().start_method(method).processes(workers).initializer(prepare, log);
        if self.random.once_in(3) {
            builder = builder.max_tasks_per_child(1 + self.random.below(40));
        }
        self.pool = Some(Arc::new(builder.build().unwrap()));
        self.tally.pools += 1;
    }

    pub(crate) fn step(&mut self) {
        self.tally.steps += 1;
        match self.random.below(100) {
            0..25 => self.map_each(),
            25..33 => self.map(),
            33..50 => self.begin_task(),
            50..60 => self.begin_map(),
            60..72 => self.begin_imap(),
            72..80 => self.kill_worker(),
            80..82 => self.kill_server(),
            82..94 => self.take_one(),
            94..97 => self.give_up_one(),
            97 => self.map_stuck(),
            _ => {
                let end = self.random.pick(&[End::Join, End::Terminate, End::Drop]);
                self.end(end);
                self.start();
            }
        }
    }

    /// Ends the last pool, and tells what was survived.
    pub(crate) fn finish(mut self) -> Tally {
        self.end(End::Join);
        self.tally
    }

    /// Terms by which each call may be made so often again.
    fn terms(&mut self, retries: u32) -> Terms<'_> {
        let chunk = self.random.pick(&CHUNKS);
        let pool = self.pool.as_ref().unwrap();
        pool.chunks_of(chunk).retries(retries)
    }

    fn call(&mut self, bad_once_in: usize, retries: u32) -> Call {
        self.tally.calls += 1;
        let deed = Deed::any(&mut self.random, bad_once_in);
        if retries > 0 {
            self.retries.insert(self.tally.calls, retries);
        }
        self.spoilt += usize::from(matches!(deed, Deed::CloseAll));
        Call { number: self.tally.calls, retries, deed }
    }

    fn calls(&mut self, retries: u32) -> Vec<Call> {
        let bad_once_in = self.random.pick(&[0, 0, 50, 10, 2]);
        let count = self.random.pick(&[0, 1, 2, 10, 60]);
        (0..count).map(|_| self.call(bad_once_in, retries)).collect()
    }

    fn map_each(&mut self) {
        let retries = self.random.pick(&[0, 0, 1, 3]);
        let calls = self.calls(retries);
        let outcomes = self.terms(retries).map_each(perform, calls.clone()).unwrap();
        assert_eq!(outcomes.len(), calls.len());
        calls.iter().zip(&outcomes).for_each(|(call, outcome)| self.check(call, outcome));
    }

    /// Calls that never end, and are ended.
    fn map_stuck(&mut self) {
        let mut calls = vec![self.call(0, 0), self.call(0, 0)];
        calls.iter_mut().for_each(|call| call.deed = Deed::Stay);
        let outcomes =
            self.terms(0).timeout(Duration::from_millis(2)).map_each(perform, calls.clone()).unwrap();
        calls.iter().zip(&outcomes).for_each(|(call, outcome)| self.check(call, outcome));
    }

    fn map(&mut self) {
        let calls = self.calls(0);
        let outcome = self.pool.as_ref().unwrap().map(perform, calls.clone());
        self.check_map(&calls, outcome);
    }

    fn begin_task(&mut self) {
        for _ in 0..=self.random.below(8) {
            let call = self.call(10, 0);
            let handle = self.pool.as_ref().unwrap().apply_async(perform, call.clone()).unwrap();
            if self.random.once_in(4) {
                let (sender, receiver) = mpsc::channel();
                // If nobody wants it any more, there is nobody to tell.
                handle.on_done(move |outcome| drop(sender.send(outcome))).unwrap();
                self.pending.push(Pending::Callback(call, receiver));
            } else {
                self.pending.push(Pending::Task(call, handle));
            }
        }
    }

    fn begin_map(&mut self) {
        let retries = self.random.pick(&[0, 0, 2]);
        let calls = self.calls(retries);
        let handle = self.terms(retries).map_async(perform, calls.clone()).unwrap();
        self.pending.push(Pending::Map(calls, handle));
    }

    fn begin_imap(&mut self) {
        let calls = self.calls(0);
        let in_order = self.random.once_in(2);
        let chunk = self.random.pick(&CHUNKS);
        let pool = Arc::clone(self.pool.as_ref().unwrap());
        let results = Results::begin(pool, chunk, calls.clone(), in_order);
        let pending = if in_order { Pending::Ordered } else { Pending::Unordered };
        self.pending.push(pending(calls, results));
    }

    /// Kills a worker that has answered before, whatever it is at now.
    fn kill_worker(&mut self) {
        let mut workers: Vec<u32> = self.workers.iter().copied().collect();
        workers.sort_unstable();
        if workers.is_empty() {
            return;
        }
        let worker = self.random.pick(&workers);
        self.workers.remove(&worker);
        let pid = Pid::from_raw(worker as i32).unwrap();
        // The handle is taken first: then the parent that is read is that of the process behind the handle.
        let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
        if is_child(worker) && rustix::process::pidfd_send_signal(&handle, Signal::KILL).is_ok() {
            self.killed += 1;
            self.tally.kills += 1;
        }
    }

    /// Kills the fork server if there is one, or a worker that is so new that the library does not speak of it yet.
    fn kill_server(&mut self) {
        let known: HashSet<u32> = active_children().iter().map(|child| child.pid()).collect();
        let Some(server) = started_programs().into_iter().find(|pid| !known.contains(pid)) else { return };
        let pid = Pid::from_raw(server as i32).unwrap();
        let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
        if rustix::process::pidfd_send_signal(&handle, Signal::KILL).is_ok() {
            // Until it has ended, it may still be asked for children, and is left to be reaped after that.
            let timeout = Timespec::try_from(FOREVER).unwrap();
            assert_eq!(poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)), Ok(1));
            self.killed += 1;
            self.tally.servers += 1;
        }
    }

    fn take_pending(&mut self) -> Option<Pending> {
        let count = self.pending.len();
        (count > 0).then(|| self.pending.swap_remove(self.random.below(count)))
    }

    fn give_up_one(&mut self) {
        let how = self.random.below(3);
        match (self.take_pending(), how) {
            (Some(Pending::Task(_, handle)), 1) => handle.cancel(),
            (Some(Pending::Task(_, handle)), 2) => handle.kill(),
            (Some(Pending::Map(_, handle)), 1) => handle.cancel(),
            (Some(Pending::Map(_, handle)), 2) => handle.kill(),
            (pending, _) => drop(pending),
        }
    }

    fn take_one(&mut self) {
        match self.take_pending() {
            Some(pending) => self.take(pending, End::Join),
            None => self.map_each(),
        }
    }

    /// Asks for all outcomes. Where the pool was not joined, it may be the end of the pool that is one.
    fn take(&mut self, pending: Pending, end: End) {
        let is_lost = |error: &Error| end != End::Join && matches!(error, Error::PoolTerminated);
        match pending {
            Pending::Task(call, mut handle) => {
                let outcome = handle.get_timeout(FOREVER).unwrap();
                if !outcome.as_ref().is_err_and(is_lost) {
                    self.check(&call, &outcome);
                }
            }
            Pending::Callback(call, receiver) => {
                let outcome = receiver.recv_timeout(FOREVER).unwrap();
                if !outcome.as_ref().is_err_and(is_lost) {
                    self.check(&call, &outcome);
                }
            }
            Pending::Map(calls, mut handle) => {
                let outcome = handle.get_timeout(FOREVER).unwrap();
                if !outcome.as_ref().is_err_and(is_lost) {
                    self.check_map(&calls, outcome);
                }
            }
            Pending::Ordered(calls, results) => {
                for call in &calls {
                    let outcome = results.next().unwrap();
                    if outcome.as_ref().is_err_and(is_lost) {
                        return;
                    }
                    self.check(call, &outcome);
                }
                assert!(results.next().is_none());
            }
            Pending::Unordered(calls, results) => self.take_unordered(calls, &results, is_lost),
        }
    }

    /// An answer says which call it belongs to; of the errors there have to be as many as there are calls left
    /// that ask for one.
    fn take_unordered(&mut self, calls: Vec<Call>, results: &Results, is_lost: impl Fn(&Error) -> bool) {
        let mut open: HashMap<u64, Call> = calls.into_iter().map(|call| (call.number, call)).collect();
        let mut errors: Vec<Outcome> = Vec::new();
        while let Some(outcome) = results.next() {
            match outcome {
                Ok(answer) => {
                    let call =
                        open.remove(&answer.number).expect("an answer belongs to a call, and comes once");
                    self.check(&call, &Ok(answer));
                }
                Err(error) if is_lost(&error) => return,
                Err(error) => errors.push(Err(error)),
            }
        }
        // What fits many is matched last: outcomes of killed workers, and calls that may have any end.
        let mut open: Vec<Call> = open.into_values().collect();
        open.sort_by_key(|call| (matches!(call.deed, Deed::CloseAll), matches!(call.deed, Deed::Overflow)));
        errors.sort_by_key(is_killed);
        let mut strays = Vec::new();
        for error in errors {
            match open.iter().position(|call| is_expected(call, &error)) {
                Some(place) => self.check(&open.remove(place), &error),
                None => strays.push(error),
            }
        }
        assert!(strays.len() <= open.len(), "more outcomes than calls: {strays:?}");
        // These are of workers that died of something else, whatever their calls were.
        for (call, error) in open.drain(..strays.len()).zip(&strays) {
            self.check(&call, error);
        }
        assert!(open.is_empty(), "calls without an outcome: {open:?}");
    }

    fn check(&mut self, call: &Call, outcome: &Outcome) {
        match outcome {
            Ok(answer) => {
                self.tally.answers += 1;
                self.answered.insert(call.number);
                self.workers.insert(answer.worker);
            }
            Err(_) => self.tally.errors += 1,
        }
        if !is_expected(call, outcome) {
            let is_after_spoilt = || is_dead(outcome) || is_not_there(outcome);
            let may_be = is_killed(outcome) || (self.spoilt > 0 && is_after_spoilt());
            assert!(may_be, "step {}: {call:?} gave {outcome:?}", self.tally.steps);
            self.died.push(format!("step {}: {call:?} gave {outcome:?}", self.tally.steps));
        }
    }

    /// A map gives all answers or the error of the first call that has one.
    fn check_map(&mut self, calls: &[Call], outcome: Result<Vec<Answer>, Error>) {
        match outcome {
            Ok(answers) => {
                assert_eq!(answers.len(), calls.len());
                calls.iter().zip(answers).for_each(|(call, answer)| self.check(call, &Ok(answer)));
            }
            Err(error) => {
                let outcome = Err(error);
                let is_first = |call: &&Call| is_expected(call, &outcome) || !is_good(call);
                let first = calls.iter().find(is_first).or(calls.first());
                self.check(first.expect("a map of nothing has no error"), &outcome);
            }
        }
    }

    /// Ends the pool, asks for all that is pending, and looks at what is left.
    fn end(&mut self, end: End) {
        let pool = self.pool.take().unwrap();
        match end {
            End::Join => pool.close(),
            End::Terminate => pool.terminate(),
            End::Drop => {}
        }
        if end == End::Drop {
            drop(pool);
            self.take_all(end);
        } else {
            self.take_all(end);
            Arc::into_inner(pool).unwrap().join();
        }
        let Soak { killed, spoilt, died, .. } = self;
        assert!(died.len() <= *killed + *spoilt, "{killed} killed, {spoilt} spoilt, and died: {died:#?}");
        (*killed, *spoilt) = (0, 0);
        died.clear();
        self.workers.clear();
        self.check_log();
        // A fork server that was killed is missed, and its spares with it, when the next child is started.
        let nothing = Builder::new().start_method(StartMethod::ForkServer).spawn(|()| (), ());
        nothing.unwrap().join().unwrap();
        assert_eq!(descriptors(), self.descriptors);
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!maps.contains("memfd:multiprocessing"), "{maps}");
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // Whoever serves to start children may be alive; nobody may have ended and not be reaped.
        let ended = rustix::process::waitid(WaitId::All, options);
        assert!(matches!(ended, Ok(None) | Err(rustix::io::Errno::CHILD)), "{ended:?}");
    }

    fn take_all(&mut self, end: End) {
        for pending in std::mem::take(&mut self.pending) {
            self.take(pending, end);
        }
    }

    /// No call was begun more often than it may be, and none has an answer that was not begun.
    fn check_log(&mut self) {
        let log = std::fs::read(self.log.path()).unwrap();
        let mut begun: HashMap<u64, u32> = HashMap::new();
        for number in log.chunks_exact(8) {
            *begun.entry(u64::from_le_bytes(number.try_into().unwrap())).or_default() += 1;
        }
        for (number, times) in &begun {
            let most = 1 + self.retries.get(number).copied().unwrap_or_default();
            assert!(*times <= most, "call {number} was begun {times} times");
        }
        assert!(self.answered.iter().all(|number| begun.contains_key(number)));
        self.retries.clear();
        self.answered.clear();
        self.log.as_file().set_len(0).unwrap();
    }
}

fn is_good(call: &Call) -> bool {
    matches!(
        call.deed,
        Deed::Answer | Deed::Echo(_) | Deed::Share(_) | Deed::Dawdle | Deed::Delegate | Deed::CloseAll
    )
}

/// The children of this process that have run a program since they were made, as the fork server has and its copies
/// have not: PF_FORKNOEXEC among their flags, proc_pid_stat(5).
fn started_programs() -> Vec<u32> {
    const FORKED: u64 = 0x40;
    let names = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse().ok());
    let is_started = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may contain anything.
        let Some((_, fields)) = stat.rsplit_once(") ") else { return false };
        let field = |number: usize| fields.split(' ').nth(number).and_then(|field| field.parse::<u64>().ok());
        field(1) == Some(std::process::id().into()) && field(6).is_some_and(|flags| flags & FORKED == 0)
    };
    pids.filter(is_started).collect()
}

fn is_child(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line == format!("PPid:\t{}", std::process::id()))
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
