//! How a process is to be started.

use std::ffi::OsString;
use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Process;
use crate::entry::{self, Argument};
use crate::error::Error;
use crate::family;
use crate::init;
use crate::ipc::channel::send_all;
use crate::ipc::message::Role;
use crate::ipc::parcel;
use crate::start::{self, Order, StartMethod, Started, World};

/// What becomes of a child whose [`Process`] is dropped without a join.
///
/// Whatever is chosen, no child outlives its parent process. One that has not come to [`init`](crate::init) when its parent
/// ends does so there.
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
    method: StartMethod,
    name: Option<String>,
    world: World,
    on_drop: OnDrop,
}

impl Builder {
    /// A process named `Process-1`, `Process-2` and so on, with this process's environment, joined when
    /// dropped.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the name by which the parent tells its children apart, and which the child has for itself.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Sets how the process is started.
    pub fn start_method(mut self, method: StartMethod) -> Builder {
        self.method = method;
        self
    }

    /// Sets a variable in the child's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Builder {
        self.world.variables.push((name.into(), value.into()));
        self
    }

    /// Sets the folder in which the process begins.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.world.folder = Some(folder.into());
        self
    }

    /// Sets what the process reads from its standard input, which is empty otherwise: an open file, one end of a
    /// pipe, a socket.
    pub fn stdin(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.world.input = Some(Arc::new(file.into()));
        self
    }

    /// Sets where the standard output of the process goes, which is this process's otherwise.
    ///
    /// ```
    /// # multiprocessing::init();
    /// use multiprocessing::Builder;
    ///
    /// let (reader, writer) = std::io::pipe().unwrap();
    /// let process = Builder::new().stdout(writer).spawn(|name: String| println!("Hello, {name}!"), "Ada".into())?;
    /// process.join()?;
    /// assert_eq!(std::io::read_to_string(reader).unwrap(), "Hello, Ada!\n");
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn stdout(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.world.output = Some(Arc::new(file.into()));
        self
    }

    /// Sets where the standard errors of the process go, which is where this process's go otherwise.
    pub fn stderr(mut self, file: impl Into<OwnedFd>) -> Builder {
        self.world.errors = Some(Arc::new(file.into()));
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
        let mut argument = Argument::new(&arg).map_err(|failure| Error::of(failure, function))?;
        drop(arg);
        let start = |source| Error::Start { source };
        let mut files = argument.files().map_err(start)?;
        let in_file = argument.bytes.len() > parcel::INLINE;
        if in_file {
            files.insert(0, parcel::pack(&argument.bytes).map_err(start)?);
            argument.bytes.clear();
        }
        let order = Order {
            method: self.method,
            birth: family::own().name_child("Process", self.name),
            role: Role::Process { function: callee, in_file },
            payload: &argument.bytes,
            files,
            world: self.world,
        };
        let Started { child, socket, unsent } = start::start(order).map_err(start)?;
        // Only a name of many pages does not fit. A child that is gone by now cannot be told anything: joining
        // it will say how it ended.
        let _ = send_all(socket.as_fd(), &unsent, &[]);
        Ok(Process { function, child, socket, taken: false, on_drop: self.on_drop, result: PhantomData })
    }
}
