//! A pool of worker processes: what a caller sees of it.
//!
//! A call goes down through [`submission`] (values to rows of bytes, in the caller's thread) to the [`crew`],
//! which gives chunks to its [`member`]s; each of them is a process that runs the loop in [`worker`]. It comes
//! back through [`outcomes`] (bytes to values, in the caller's thread again). Who drives the crew, and who
//! sleeps on what meanwhile, stands in [`manager`].
//!
//! | what there is | in this process | in the worker |
//! | --- | --- | --- |
//! | a memory for each worker | the crew writes requests and copies outcomes out ([`under_way`]); it reads the rest when the worker is dead | the loop claims requests, and publishes an outcome as soon as it is made |
//! | a socket pair for each worker | the crew reads and writes one end, and never blocks on it | the loop sends a message to a driver that sleeps, and what is too long for the memory |
//! | a pidfd for each worker | the manager waits for it, and reaps when it says that the worker has ended | |
//! | two sets of these descriptors ([`watch`]) | the driver waits for the sockets, the manager for the pidfds | |
//! | two eventfds | callers wake the manager by one, and anyone the driver by the other | |
//! | a queue for each job | the crew puts outcomes in, the caller takes them out | |

mod builder;
mod callbacks;
mod crew;
mod deliveries;
mod handle;
mod imap;
mod initialised;
mod job;
mod manager;
mod member;
mod outcomes;
mod star;
mod submission;
mod terms;
mod under_way;
mod watch;
pub(crate) mod worker;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use builder::PoolBuilder;
pub use handle::{MapHandle, TaskHandle};
pub use imap::Imap;
pub use initialised::Initialised;
pub use star::StarFn;
pub use terms::Terms;

use crate::error::Error;
use crate::sys::kept;
use manager::Shared;

/// A number of worker processes that make calls for this one. The counterpart of Python's `Pool`.
///
/// Workers are started once and take one call after the other, so a call costs microseconds where a process
/// costs a millisecond. A worker that dies fails only the call that it was at, and is replaced as soon as there
/// is work for another one.
///
/// Dropping a pool terminates it, as leaving Python's `with Pool()` does: calls that are not done are lost.
/// To finish them, [`close`](Pool::close) it and [`join`](Pool::join) it. A pool can be shared by several
/// threads; calls are served first come, first served. In a copy of this process that was made by fork(2), a pool
/// and all that comes of it give [`Error::Copied`], and dropping them there does nothing.
///
/// # Examples
///
/// ```
/// use multiprocessing::Pool;
///
/// fn main() -> Result<(), multiprocessing::Error> {
///     multiprocessing::init();
///     let pool = Pool::new(2)?;
///     let squares = pool.map(|x: u64| x * x, 1..=5)?;
///     assert_eq!(squares, [1, 4, 9, 16, 25]);
///     Ok(())
/// }
/// ```
pub struct Pool {
    shared: Arc<Shared>,
    /// The manager's thread, until someone has waited for its end.
    manager: Mutex<Option<JoinHandle<()>>>,
    /// Others are likely to need the memory in which [`SharedBytes`](crate::SharedBytes) were.
    _keeps: kept::Use,
}

impl Pool {
    /// Starts a pool of so many workers.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn new(processes: usize) -> Result<Pool, Error> {
        Pool::builder().processes(processes).build()
    }

    /// Starts a pool of as many workers as this process may use CPUs, by [`num_cpus::get`].
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn with_default_size() -> Result<Pool, Error> {
        Pool::builder().build()
    }

    /// Sets up a pool step by step.
    ///
    /// ```
    /// # multiprocessing::init();
    /// use multiprocessing::Pool;
    ///
    /// let pool = Pool::builder().processes(2).max_tasks_per_child(100).build()?;
    /// assert_eq!(pool.apply(|x: i32| -x, 7)?, -7);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// How many workers the pool keeps.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.shared.processes
    }

    /// Makes calls so many to a chunk: they go to a worker together. The counterpart of `chunksize`.
    ///
    /// ```
    /// # multiprocessing::init();
    /// let pool = multiprocessing::Pool::new(2)?;
    /// let total: u64 = pool.chunks_of(100).map(|x: u64| x % 7, 0..1000)?.iter().sum();
    /// assert_eq!(total, 2997);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `calls` is 0.
    pub fn chunks_of(&self, calls: usize) -> Terms<'_> {
        self.terms().chunks_of(calls)
    }

    /// Makes calls that may take this long, each by itself. One that takes longer is ended by killing its worker,
    /// and gives [`Error::TimedOut`]; the worker is replaced when there is work, and no other call is harmed.
    ///
    /// The time is that of the call alone, from its argument's arrival in the function to its result: waiting for
    /// a worker does not count. It is the kernel that kills, so no function can evade it. Programs that the worker has
    /// started are not killed with it: they need a time limit of their own.
    ///
    /// ```
    /// # multiprocessing::init();
    /// use std::time::Duration;
    /// use multiprocessing::{Error, Pool};
    ///
    /// let pool = Pool::new(2)?;
    /// let dawdle = |x: u64| if x == 1 { loop { std::thread::park() } } else { x };
    /// let results = pool.timeout(Duration::from_secs(1)).map_each(dawdle, 0..3)?;
    /// assert!(matches!(results[1], Err(Error::TimedOut { .. })));
    /// assert!(matches!((&results[0], &results[2]), (Ok(0), Ok(2))));
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn timeout(&self, timeout: Duration) -> Terms<'_> {
        self.terms().timeout(timeout)
    }

    /// Makes a call again whose worker has died, up to so many times. Only for functions that may be called
    /// more than once with the same argument: what the dead worker had done by then is done.
    ///
    /// A call that panics or takes too long is not made again, since it would do the same.
    pub fn retries(&self, retries: u32) -> Terms<'_> {
        self.terms().retries(retries)
    }

    fn terms(&self) -> Terms<'_> {
        Terms::of(self)
    }

    /// Makes one call in a worker and waits for its result.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked, [`Error::Died`] if the worker ended during the call,
    /// [`Error::Serialise`] and [`Error::Deserialise`] if a value did not get across; and what is wrong with
    /// the pool itself: [`Error::PoolClosed`], [`Error::PoolTerminated`], [`Error::Initializer`],
    /// [`Error::WorkersDie`], [`Error::StartTimedOut`], [`Error::Start`] if no worker could be started in place of
    /// another one, [`Error::WrongProgram`], and [`Error::Copied`] in a copy of the process by fork.
    pub fn apply<F, A, R>(&self, f: F, arg: A) -> Result<R, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.terms().apply(f, arg)
    }

    /// Has one call made in a worker, and returns at once.
    ///
    /// # Errors
    ///
    /// [`Error::PoolClosed`] and the like at once; what is wrong with the call itself comes with its result.
    pub fn apply_async<F, A, R>(&self, f: F, arg: A) -> Result<TaskHandle<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.terms().apply_async(f, arg)
    }

    /// Calls the function with each item, in the workers, and gives the results in the order of the items.
    ///
    /// Items travel in chunks: a quarter of each worker's share at a time, as in Python, and no more than 32
    /// KiB.
    ///
    /// # Errors
    ///
    /// The error of the first item that has one, as in [`apply`](Pool::apply). Items after it that are not
    /// begun are not begun any more. For all results beside the errors there is [`map_each`](Pool::map_each).
    pub fn map<F, A, R, I>(&self, f: F, items: I) -> Result<Vec<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().map(f, items)
    }

    /// Calls the function with each item, and gives for each its result or its error.
    ///
    /// One item's failure costs no other item its result.
    ///
    /// ```
    /// # multiprocessing::init();
    /// let pool = multiprocessing::Pool::new(2)?;
    /// let results = pool.map_each(|x: u32| 100 / x, [5, 0, 20])?;
    /// assert_eq!(results.iter().flatten().collect::<Vec<_>>(), [&20, &5]);
    /// assert!(results[1].as_ref().unwrap_err().to_string().ends_with("attempt to divide by zero"));
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The outer one is the pool's: it is closed, terminated or broken, and no item is to blame.
    pub fn map_each<F, A, R, I>(&self, f: F, items: I) -> Result<Vec<Result<R, Error>>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().map_each(f, items)
    }

    /// Does as [`map`](Pool::map) does, but returns at once with a handle to the results.
    ///
    /// # Errors
    ///
    /// [`Error::PoolClosed`] and the like at once; what is wrong with a call comes with the results.
    pub fn map_async<F, A, R, I>(&self, f: F, items: I) -> Result<MapHandle<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().map_async(f, items)
    }

    /// Calls a function of two to six arguments with the members of each tuple.
    ///
    /// ```
    /// # multiprocessing::init();
    /// let pool = multiprocessing::Pool::new(2)?;
    /// assert_eq!(pool.starmap(|x: u64, n: u32| x.pow(n), [(2, 10), (3, 4)])?, [1024, 81]);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`map`](Pool::map).
    pub fn starmap<F, A, I>(&self, f: F, items: I) -> Result<Vec<F::Output>, Error>
    where
        F: StarFn<A> + Copy + 'static,
        A: Serialize + DeserializeOwned,
        F::Output: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().starmap(f, items)
    }

    /// Does as [`starmap`](Pool::starmap) does, but returns at once with a handle to the results.
    ///
    /// # Errors
    ///
    /// As [`map_async`](Pool::map_async).
    pub fn starmap_async<F, A, I>(&self, f: F, items: I) -> Result<MapHandle<F::Output>, Error>
    where
        F: StarFn<A> + Copy + 'static,
        A: Serialize + DeserializeOwned,
        F::Output: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().starmap_async(f, items)
    }

    /// Calls the function with each item, and gives the results one by one, in the order of the items.
    ///
    /// Nothing begins before the first result is asked for, and then items are taken a bounded window ahead; Python
    /// takes them all at once. Where the calls are to go on beside other work, take [`map_async`](Pool::map_async).
    /// Each item travels alone, as in Python; for small calls take [`chunks_of`](Pool::chunks_of).
    ///
    /// ```
    /// # multiprocessing::init();
    /// let pool = multiprocessing::Pool::new(2)?;
    /// let first = pool.imap(|x: u64| x * x, 1..).take(3).collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(first, [1, 4, 9]);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn imap<F, A, R, I>(&self, f: F, items: I) -> Imap<'_, I::IntoIter, R>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().imap(f, items)
    }

    /// Does as [`imap`](Pool::imap) does, but gives each result as soon as it is there.
    pub fn imap_unordered<F, A, R, I>(&self, f: F, items: I) -> Imap<'_, I::IntoIter, R>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.terms().imap_unordered(f, items)
    }

    /// Takes no more work. What was submitted is still done, and then the workers end.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Ends the pool at once: workers are killed, and whoever waits for results gets
    /// [`Error::PoolTerminated`].
    ///
    /// When it returns, no worker is left; who waited for results may go on a moment earlier. Programs that a worker
    /// has started are not killed with it.
    pub fn terminate(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.terminate();
        self.wait();
    }

    /// Waits until all work is done and all workers have ended. A pool that is open is closed first.
    ///
    /// Whoever shares a pool by an [`Arc`](std::sync::Arc) gets it back by
    /// [`Arc::into_inner`](std::sync::Arc::into_inner) when the others have dropped theirs.
    pub fn join(self) {
        self.close();
        self.wait();
    }

    /// Waits for the manager's end, and with it the workers'.
    fn wait(&self) {
        if !self.shared.is_ours() {
            return;
        }
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = manager.take() {
            // If it panicked, its workers and chunks were dropped all the same, and that was said on standard
            // error.
            let _ = thread.join();
        }
        drop(manager);
        self.shared.callbacks.finish();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.shared.is_ours() {
            return self.terminate();
        }
        // In a copy of the process by fork the pool's threads are not there. Handles to them, here and in what is
        // shared, name memory that may be another's by now, so they are never looked at again.
        let manager = self.manager.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::mem::forget(manager.take());
        std::mem::forget(Arc::clone(&self.shared));
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.shared.closed.load(Ordering::Relaxed);
        f.debug_struct("Pool")
            .field("processes", &self.processes())
            .field("closed", &closed)
            .finish_non_exhaustive()
    }
}
