//! What can go wrong, as the caller sees it.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::ipc::codec;
use crate::ipc::outcome::{Failure, Reason};
use crate::status::ExitStatus;

/// What went wrong. Each text reads after "failed to"; what caused it is its source.
///
/// `{:?}` gives the whole sentence, since that is what a program shows whose `main` returns an error, and a test that
/// unwraps one:
///
/// ```
/// # multiprocessing::init();
/// let error = multiprocessing::spawn(|n: u32| 10 / n, 0)?.join().unwrap_err();
/// let text = format!("{error:?}");
/// assert!(text.starts_with("failed to run `") && text.ends_with(": attempt to divide by zero"), "{text}");
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program has not called [`init`](crate::init), so a child would not know that it is one.
    #[error(
        "start a process: call `multiprocessing::init()` first in `main`, or `multiprocessing::init_tests!()` in a file of tests"
    )]
    NotInitialised,

    /// The system did not start the process.
    #[error("start a process")]
    Start {
        /// What the system said.
        source: io::Error,
    },

    /// The child is not the program that its parent is, or the function is not part of it, or cannot be named to it.
    #[error("find `{function}` in the other process: {reason}")]
    WrongProgram {
        /// The function to be called.
        function: String,
        /// What did not agree.
        reason: String,
    },

    /// The function panicked in the other process.
    #[error("run `{function}`: it panicked{}: {message}", at(location.as_deref()))]
    Panicked {
        /// The function's path.
        function: String,
        /// What the panic said.
        message: String,
        /// Where, as file, line and column; `None` if the function has replaced the panic hook.
        location: Option<String>,
    },

    /// The function of an initializer gave an error.
    #[error("run `{function}`: it gave an error: {message}")]
    Failed {
        /// The function's path.
        function: String,
        /// What the error said.
        message: String,
    },

    /// The process ended before it gave a result: it exited, crashed or was killed.
    #[error("get the result of `{function}`: `{process}` ended before, with {status}")]
    Died {
        /// The function's path.
        function: String,
        /// The name of the process.
        process: String,
        /// How it ended.
        status: ExitStatus,
    },

    /// The call took longer than it may ([`Pool::timeout`](crate::Pool::timeout)), so its worker was killed.
    #[error("run `{function}` within {timeout:?}: its worker was killed then")]
    TimedOut {
        /// The function's path.
        function: String,
        /// How long a call may take.
        timeout: Duration,
    },

    /// A value could not be turned into bytes.
    #[error("serialise the {value} of `{function}`")]
    Serialise {
        /// Which value.
        value: Value,
        /// The function's path.
        function: String,
        /// What serde said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// Bytes could not be turned back into a value: its type writes something other than it reads.
    #[error("deserialise the {value} of `{function}`")]
    Deserialise {
        /// Which value.
        value: Value,
        /// The function's path.
        function: String,
        /// What serde said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The result was taken before, by an earlier call with a timeout, which may have panicked over it.
    #[error("get the result of `{function}` a second time")]
    ResultTaken {
        /// The function's path.
        function: String,
    },

    /// The process, or the pool, belongs to the process of which this one is a copy that was made by fork.
    #[error("use `{name}`: it belongs to the process of which this one is a copy by fork")]
    Copied {
        /// The name of the process; `Pool` for a pool and what comes of it.
        name: String,
    },

    /// A pool's initializer failed in a worker, so the pool can do nothing.
    #[error("prepare a worker of the pool by its initializer")]
    Initializer {
        /// What came of the initializer.
        source: Box<Error>,
    },

    /// Several workers in a row ended before they could take work, so the pool has given up.
    #[error(
        "keep the pool running: {attempts} workers in a row ended before they were ready, the last with {status}"
    )]
    WorkersDie {
        /// How many were started in vain.
        attempts: u32,
        /// How the last one ended.
        status: ExitStatus,
    },

    /// Several workers in a row were not ready in time
    /// ([`PoolBuilder::start_timeout`](crate::PoolBuilder::start_timeout)) and were killed, so the pool has given
    /// up.
    #[error(
        "keep the pool running: {attempts} workers in a row were not ready within {timeout:?}, and were killed"
    )]
    StartTimedOut {
        /// How many were started in vain.
        attempts: u32,
        /// How long a worker may take.
        timeout: Duration,
    },

    /// The pool was closed, and takes no more work.
    #[error("give work to the pool: it is closed")]
    PoolClosed,

    /// The pool was terminated before the work was done.
    #[error("get a result: the pool was terminated before")]
    PoolTerminated,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {self}")?;
        std::iter::successors(self.source(), |cause| (*cause).source())
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// A value that crosses from one process into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// What the function is given.
    Argument,
    /// What the function returns.
    Result,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Value::Argument => "argument",
            Value::Result => "result",
        })
    }
}

impl Error {
    /// The error that a failure of this function is to its caller.
    pub(crate) fn of(failure: Failure, function: &str) -> Error {
        let function = function.to_owned();
        let serialise =
            |value, reason: Reason, function| Error::Serialise { value, function, source: Box::new(reason) };
        let deserialise = |value, reason: Reason, function| Error::Deserialise {
            value,
            function,
            source: Box::new(reason),
        };
        match failure {
            Failure::Panicked { message, location } => Error::Panicked { function, message, location },
            Failure::Failed { message } => Error::Failed { function, message },
            Failure::Died { process, status } => Error::Died { function, process, status },
            Failure::TimedOut(timeout) => Error::TimedOut { function, timeout },
            Failure::ArgumentNotEncoded(reason) => serialise(Value::Argument, reason, function),
            Failure::ResultNotEncoded(reason) => serialise(Value::Result, reason, function),
            Failure::ArgumentNotDecoded(reason) => deserialise(Value::Argument, reason, function),
            Failure::ResultNotFetched(reason) => deserialise(Value::Result, reason, function),
        }
    }

    /// The function lives in a library that was loaded at run time, where a child would not find it.
    pub(crate) fn not_in_program(function: &str) -> Error {
        let reason = "it is not part of the program's own file".to_owned();
        Error::WrongProgram { function: function.to_owned(), reason }
    }

    /// No worker of a pool could be told of the function.
    pub(crate) fn name_too_long(function: &str) -> Error {
        let reason = "the names of its types are longer than a pool can send".to_owned();
        Error::WrongProgram { function: function.to_owned(), reason }
    }

    /// The result of this function came as bytes that are none of its type.
    pub(crate) fn result_not_decoded(error: codec::Error, function: &str) -> Error {
        let source = Box::new(Reason::Codec(error));
        Error::Deserialise { value: Value::Result, function: function.to_owned(), source }
    }
}

fn at(location: Option<&str>) -> String {
    location.map_or_else(String::new, |location| format!(" at {location}"))
}
