//! The terms on which a pool makes calls, and all the ways to ask for calls.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pool;
use super::handle::{MapHandle, TaskHandle};
use super::imap::Imap;
use super::outcomes::{Next, Order, Outcomes};
use super::star::StarFn;
use super::submission::{ChunkSize, Submission, Then};
use crate::entry;
use crate::error::Error;
use crate::ipc::memory::ManagerSide;
use crate::ipc::message::Work;

/// Room is made for so many results at once.
const ROOM_AT_ONCE: usize = 1 << 24;

/// `imap` takes in arguments for so many chunks for each worker before their results are asked for: two under
/// way there, and as many again whose results wait.
const WINDOW_CHUNKS: usize = 4;

/// A pool, and how it is to make calls: [in chunks of so many](Terms::chunks_of), [within so much
/// time](Terms::timeout), and [once more](Terms::retries) if their worker dies. What calls there are is as in
/// [`Pool`].
///
/// ```
/// # multiprocessing::init();
/// let pool = multiprocessing::Pool::new(2)?;
/// let patient = pool.chunks_of(10).timeout(std::time::Duration::from_secs(60)).retries(1);
/// assert_eq!(patient.map(|x: u64| x / 2, 0..100)?.len(), 100);
/// assert_eq!(patient.apply(|x: u64| x / 2, 7)?, 3);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "terms alone do nothing"]
pub struct Terms<'a> {
    pool: &'a Pool,
    /// How many calls make a chunk; `None` leaves it to the pool.
    calls: Option<usize>,
    /// How long a call may take.
    timeout: Option<Duration>,
    /// How often a call is made again whose worker has died.
    retries: u32,
}

/// What becomes of a job at its first failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtFailure {
    Stop,
    GoOn,
}

impl<'a> Terms<'a> {
    /// Those of a pool where nothing else is said.
    pub(super) fn of(pool: &'a Pool) -> Terms<'a> {
        Terms { pool, calls: None, timeout: None, retries: 0 }
    }

    /// As [`Pool::chunks_of`].
    ///
    /// # Panics
    ///
    /// If `calls` is 0.
    pub fn chunks_of(self, calls: usize) -> Terms<'a> {
        assert!(calls > 0, "a chunk needs at least one call");
        Terms { calls: Some(calls), ..self }
    }

    /// As [`Pool::timeout`].
    pub fn timeout(self, timeout: Duration) -> Terms<'a> {
        Terms { timeout: Some(timeout), ..self }
    }

    /// As [`Pool::retries`].
    pub fn retries(self, retries: u32) -> Terms<'a> {
        Terms { retries, ..self }
    }

    /// As [`Pool::apply`].
    ///
    /// # Errors
    ///
    /// As [`Pool::apply`].
    pub fn apply<F, A, R>(self, f: F, arg: A) -> Result<R, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.start(f, [arg], Then::Waits).map(TaskHandle::new)?.get()
    }

    /// As [`Pool::apply_async`].
    ///
    /// # Errors
    ///
    /// As [`Pool::apply_async`].
    pub fn apply_async<F, A, R>(self, f: F, arg: A) -> Result<TaskHandle<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.map_async(f, [arg]).map(TaskHandle::new)
    }

    /// As [`Pool::map`].
    ///
    /// # Errors
    ///
    /// As [`Pool::map`].
    pub fn map<F, A, R, I>(self, f: F, items: I) -> Result<Vec<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.start(f, items, Then::Waits)?.get()
    }

    /// As [`Pool::map_each`].
    ///
    /// # Errors
    ///
    /// As [`Pool::map_each`].
    pub fn map_each<F, A, R, I>(self, f: F, items: I) -> Result<Vec<Result<R, Error>>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let (count, mut outcomes) = self.submit(f, items, AtFailure::GoOn, Then::Waits, |_, _| {})?;
        let mut results = Vec::with_capacity(count);
        while results.len() < count {
            match outcomes.next(count, None) {
                Next::Outcome(result) => results.push(result),
                Next::Lost(error) => return Err(error),
                Next::Late => {}
            }
        }
        Ok(results)
    }

    /// As [`Pool::map_async`].
    ///
    /// # Errors
    ///
    /// As [`Pool::map_async`].
    pub fn map_async<F, A, R, I>(self, f: F, items: I) -> Result<MapHandle<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.start(f, items, Then::GoesOn)
    }

    /// As [`Pool::starmap`].
    ///
    /// # Errors
    ///
    /// As [`Pool::map`].
    pub fn starmap<F, A, I>(self, f: F, items: I) -> Result<Vec<F::Output>, Error>
    where
        F: StarFn<A> + Copy + 'static,
        A: Serialize + DeserializeOwned,
        F::Output: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        // A closure that captures a function without data has no data itself.
        self.map(move |arguments: A| f.call_star(arguments), items)
    }

    /// As [`Pool::starmap_async`].
    ///
    /// # Errors
    ///
    /// As [`Pool::map_async`].
    pub fn starmap_async<F, A, I>(self, f: F, items: I) -> Result<MapHandle<F::Output>, Error>
    where
        F: StarFn<A> + Copy + 'static,
        A: Serialize + DeserializeOwned,
        F::Output: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.map_async(move |arguments: A| f.call_star(arguments), items)
    }

    /// As [`Pool::imap`].
    pub fn imap<F, A, R, I>(self, f: F, items: I) -> Imap<'a, I::IntoIter, R>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.iterate(f, items, Order::AsSubmitted)
    }

    /// As [`Pool::imap_unordered`].
    pub fn imap_unordered<F, A, R, I>(self, f: F, items: I) -> Imap<'a, I::IntoIter, R>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.iterate(f, items, Order::AsCompleted)
    }

    fn start<F, A, R, I>(self, f: F, items: I, then: Then) -> Result<MapHandle<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let mut values = Vec::new();
        let ready = |outcomes: &mut Outcomes<R>, count: usize| {
            if values.capacity() == 0 {
                // Without room for all at once they may have it one after the other, or the first one be an error.
                let _ = values.try_reserve(count.min(ROOM_AT_ONCE));
            }
            outcomes.take_ready(&mut values);
        };
        let (count, outcomes) = self.submit(f, items, AtFailure::Stop, then, ready)?;
        Ok(MapHandle::new(outcomes, std::any::type_name::<F>(), count, values))
    }

    /// Submits a call for each item; gives how many there are and where their outcomes come. Whenever calls
    /// have left, `ready` is called with that place and the number of calls.
    fn submit<F, A, R, I>(
        self,
        f: F,
        items: I,
        at_failure: AtFailure,
        then: Then,
        ready: impl FnMut(&mut Outcomes<R>, usize),
    ) -> Result<(usize, Outcomes<R>), Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        // The size of a chunk depends on how many items there are.
        let items = items.into_iter();
        match items.size_hint() {
            (count, Some(most)) if count == most => self.submit_all(f, items, count, at_failure, then, ready),
            _ => {
                let items: Vec<A> = items.collect();
                let count = items.len();
                self.submit_all(f, items, count, at_failure, then, ready)
            }
        }
    }

    /// The same where the number of items is known, though it may turn out to be another one.
    fn submit_all<F, A, R>(
        self,
        f: F,
        items: impl IntoIterator<Item = A>,
        count: usize,
        at_failure: AtFailure,
        then: Then,
        mut ready: impl FnMut(&mut Outcomes<R>, usize),
    ) -> Result<(usize, Outcomes<R>), Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let size = match self.calls {
            Some(calls) => ChunkSize::exactly(calls, &self.pool.shared),
            None => ChunkSize::for_calls(count, &self.pool.shared),
        };
        let (mut submission, mut outcomes) = self.open(f, at_failure, size, Order::AsSubmitted, then)?;
        let mut added = 0;
        for item in items {
            added += 1;
            if !submission.add(&item) {
                break;
            }
            if submission.has_sent() {
                ready(&mut outcomes, count);
                if added < count {
                    submission.let_go_on();
                }
            }
        }
        submission.send();
        Ok((added, outcomes))
    }

    fn iterate<F, A, R, I>(self, f: F, items: I, order: Order) -> Imap<'a, I::IntoIter, R>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        let calls = self.calls.unwrap_or(1);
        let size = ChunkSize::exactly(calls, &self.pool.shared).one_by_one();
        let window = calls.saturating_mul(self.pool.processes()).saturating_mul(WINDOW_CHUNKS);
        match self.open(f, AtFailure::GoOn, size, order, Then::GoesOn) {
            Ok((submission, outcomes)) => Imap::new(items.into_iter(), submission, outcomes, window),
            Err(error) => Imap::failed(error),
        }
    }

    fn open<F, A, R>(
        self,
        f: F,
        at_failure: AtFailure,
        size: ChunkSize,
        order: Order,
        then: Then,
    ) -> Result<(Submission<A>, Outcomes<R>), Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let path = std::any::type_name::<F>();
        let function = entry::name::<F, A, R>(f).ok_or_else(|| Error::not_in_program(path))?;
        if !ManagerSide::takes_function(&function.name) {
            return Err(Error::name_too_long(path));
        }
        let stops = at_failure == AtFailure::Stop;
        let work = Work { function, timeout: self.timeout };
        let (submission, receiving) =
            Submission::open(&self.pool.shared, work, stops, self.retries, size, then)?;
        Ok((submission, Outcomes::new(receiving, path, order)))
    }
}
