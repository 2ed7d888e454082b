//! How a pool is to be set up.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pool;
use super::initialised::Initialised;
use super::manager::{self, Shared};
use super::member::Greeting;
use crate::entry::{self, Argument};
use crate::error::Error;
use crate::init;
use crate::ipc::message::EntryRef;
use crate::start::StartMethod;
use crate::sys::{kept, signals};

/// Sets up a pool with more than a number of workers; see [`Pool::builder`].
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing until `build` is called"]
pub struct PoolBuilder {
    method: StartMethod,
    processes: Option<usize>,
    max_tasks: Option<usize>,
    start_timeout: Option<Duration>,
    initializer: Option<Initializer>,
}

/// How long a worker may take until it is ready, where nothing else is said: long enough for any machine that can
/// be used at all, and an initializer that loads a good deal.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// So many letters of an initializer's error are told.
const LONGEST_FAILURE: usize = 10_000;

/// What is to be called in each worker first, or why that cannot be.
#[derive(Debug)]
struct Initializer {
    function: &'static str,
    call: Result<(EntryRef, Arc<Argument>), Error>,
}

impl PoolBuilder {
    /// Sets the number of workers. Without it there are as many as [`num_cpus::get`] counts: the CPUs that
    /// this process may use, by its affinity mask and its control group's quota.
    ///
    /// [`build`](PoolBuilder::build) refuses a pool of none.
    pub fn processes(mut self, processes: usize) -> PoolBuilder {
        self.processes = Some(processes);
        self
    }

    /// Sets how workers are started.
    pub fn start_method(mut self, method: StartMethod) -> PoolBuilder {
        self.method = method;
        self
    }

    /// Has each worker call `f(arg)` once, before it takes any work.
    ///
    /// If it fails in any worker, the pool is of no use, and every call gives [`Error::Initializer`]. It fails by a
    /// panic, or by an error if it returns a `Result`.
    ///
    /// What it prepares is kept in a static, which each worker has for itself. All workers get the same argument; what
    /// tells one from the others is its [name](crate::Current::name), or [`std::process::id`].
    ///
    /// ```
    /// # multiprocessing::init();
    /// use std::{fs, io, sync::OnceLock};
    /// use multiprocessing::Pool;
    ///
    /// static WORDS: OnceLock<String> = OnceLock::new();
    ///
    /// fn load(path: String) -> io::Result<()> {
    ///     let words = fs::read_to_string(path)?;
    ///     WORDS.get_or_init(|| words);
    ///     Ok(())
    /// }
    ///
    /// let has = |word: String| WORDS.get().is_some_and(|words| words.lines().any(|line| line == word));
    /// let file = tempfile::NamedTempFile::new().unwrap();
    /// fs::write(&file, "fork\njoin\n").unwrap();
    /// let path = file.path().to_str().unwrap().to_owned();
    /// let pool = Pool::builder().processes(2).initializer(load, path).build()?;
    /// assert_eq!(pool.map(has, ["join".to_owned(), "spoon".to_owned()])?, [true, false]);
    ///
    /// let pool = Pool::builder().processes(2).initializer(load, "/no/such/file".to_owned()).build()?;
    /// let error = pool.apply(has, "join".to_owned()).unwrap_err();
    /// assert!(matches!(error, multiprocessing::Error::Initializer { .. }));
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn initializer<F, A, R>(mut self, f: F, arg: A) -> PoolBuilder
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Initialised,
    {
        let function = std::any::type_name::<F>();
        // It goes along with the refusal, so it is no book.
        let failure =
            move |arg: A| f(arg).failure().map(|text| text.chars().take(LONGEST_FAILURE).collect::<String>());
        let call = match (entry::name::<_, A, Option<String>>(failure), Argument::new(&arg)) {
            (None, _) => Err(Error::not_in_program(function)),
            (_, Err(failure)) => Err(Error::of(failure, function)),
            (Some(name), Ok(argument)) => Ok((name, Arc::new(argument))),
        };
        self.initializer = Some(Initializer { function, call });
        self
    }

    /// Replaces each worker after so many calls, so that what a function leaks does not pile up.
    ///
    /// Calls are counted, where Python counts chunks. A chunk never holds more calls than this.
    ///
    /// [`build`](PoolBuilder::build) refuses workers that may make no call.
    pub fn max_tasks_per_child(mut self, calls: usize) -> PoolBuilder {
        self.max_tasks = Some(calls);
        self
    }

    /// Sets how long a worker may take from its start until it is ready for calls: what stands before
    /// [`init`](crate::init) in `main`, and the initializer. One that takes longer is stuck, in a lock that nobody
    /// will release, say; it is killed and replaced when there is work. After three in a row the pool gives up, and
    /// every call gives [`Error::StartTimedOut`].
    ///
    /// It is a minute unless it is set here. `Duration::MAX` lets workers take any time.
    ///
    /// ```
    /// # multiprocessing::init();
    /// use std::time::Duration;
    /// use multiprocessing::{Error, Pool};
    ///
    /// let builder = Pool::builder().processes(3).start_timeout(Duration::from_millis(50));
    /// let pool = builder.initializer(|()| -> () { loop { std::thread::park() } }, ()).build()?;
    /// assert!(matches!(pool.apply(|x: u64| x + 1, 1), Err(Error::StartTimedOut { .. })));
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn start_timeout(mut self, timeout: Duration) -> PoolBuilder {
        self.start_timeout = Some(timeout);
        self
    }

    /// Starts the pool. All its workers exist when this returns; it does not wait until they are ready.
    ///
    /// # Errors
    ///
    /// [`Error::NotInitialised`] without [`init`](crate::init), [`Error::Serialise`] if the initializer's
    /// argument does not serialise, [`Error::WrongProgram`] if its function is not part of the program's own file, and
    /// [`Error::Start`] when the system has no room for the workers or there are to be none.
    pub fn build(self) -> Result<Pool, Error> {
        init::require()?;
        let start = |source| Error::Start { source };
        let refused = |why: &str| Err(start(io::Error::new(io::ErrorKind::InvalidInput, why)));
        if self.processes == Some(0) {
            return refused("a pool needs at least one worker");
        }
        if self.max_tasks == Some(0) {
            return refused("a worker has to be allowed at least one call");
        }
        let processes = self.processes.unwrap_or_else(num_cpus::get);
        let initializer_name = self.initializer.as_ref().map_or("", |initializer| initializer.function);
        let initializer = self.initializer.map(|initializer| initializer.call).transpose()?;
        let timeout = self.start_timeout.unwrap_or(START_TIMEOUT);
        let greeting = Greeting { method: self.method, timeout, initializer };
        let shared = Shared::start(greeting, processes, self.max_tasks, initializer_name).map_err(start)?;
        let shared = Arc::new(shared);
        let managed = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("multiprocessing-manager".into())
            .spawn(move || {
                signals::block_all_on_this_thread();
                manager::run(&managed);
            })
            .map_err(start)?;
        Ok(Pool { shared, manager: Mutex::new(Some(thread)), _keeps: kept::Use::new() })
    }
}
