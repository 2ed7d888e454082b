//! How a process is to be started.

use std::ffi::OsString;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Process;
use crate::entry;
use crate::error::Error;
use crate::init;
use crate::ipc::channel::send_all;
use crate::ipc::frame::{self, FrameReader};
use crate::ipc::message::{Role, Ticket, ToChild};
use crate::ipc::outcome::Failure;
use crate::ipc::{codec, records};
use crate::spawner::{self, Extras};

/// What becomes of a child whose [`Process`] is dropped without a join.
///
/// Whatever is chosen, no child outlives its parent process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrop {
    /// The drop waits for the child's end. While the thread is panicking the child is killed instead, so that
    /// an error is not held up.
    #[default]
    Join,
    /// The child is killed.
    Kill,
    /// The child goes on, at the longest until this process ends, as a daemonic process does in Python.
    Detach,
}

/// Starts a process with more than a function and its argument.
///
/// ```
/// use multiprocessing::{Builder, OnDrop};
///
/// # multiprocessing::init();
/// let greet = |()| std::env::var("GREETING").unwrap_or_default();
/// let process = Builder::new().name("greeter").env("GREETING", "hello").on_drop(OnDrop::Kill).spawn(greet, ())?;
/// assert_eq!(process.name(), "greeter");
/// assert_eq!(process.join()?, "hello");
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder starts nothing until `spawn` is called"]
pub struct Builder {
    name: Option<String>,
    variables: Vec<(OsString, OsString)>,
    on_drop: OnDrop,
}

impl Builder {
    /// A process named `Process-1`, `Process-2` and so on, with this process's environment, joined when
    /// dropped.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the name by which the parent tells its children apart. The child does not see it.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Sets a variable in the child's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Builder {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets what becomes of the child when its handle is dropped.
    pub fn on_drop(mut self, on_drop: OnDrop) -> Builder {
        self.on_drop = on_drop;
        self
    }

    /// Starts a process that calls `f(arg)`; see [`spawn`](crate::spawn) for what can cross and for the
    /// errors.
    pub fn spawn<F, A, R>(self, f: F, arg: A) -> Result<Process<R>, Error>
    where
        F: Fn(A) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let function = std::any::type_name::<F>();
        init::require()?;
        let callee = entry::name::<F, A, R>(f).ok_or_else(|| Error::not_in_program(function))?;
        let mut argument = Vec::new();
        records::append(&mut argument, |buffer| codec::encode(&arg, buffer))
            .map_err(|error| Error::of(Failure::ArgumentNotEncoded(error.into()), function))?;
        drop(arg);
        let program = entry::program().map_err(|source| Error::Start { source })?;
        let extras = Extras { variables: self.variables, memory: None };
        let (child, socket) = spawner::start(extras).map_err(|source| Error::Start { source })?;

        // A child that is gone by now cannot be told anything: joining it will say how it ended.
        let hello = frame::head(&ToChild::Hello { program, role: Role::Process }, 0);
        let call =
            frame::head(&ToChild::Call { function: callee, ticket: Ticket::default() }, argument.len());
        let _ = send_all(socket.as_fd(), &[hello, call].concat(), &argument);

        Ok(Process {
            name: self.name.unwrap_or_else(next_name),
            function,
            child: Arc::new(child),
            socket,
            reader: FrameReader::default(),
            answer: None,
            on_drop: self.on_drop,
            result: PhantomData,
        })
    }
}

/// As in Python: counted from 1 in each process.
fn next_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("Process-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
