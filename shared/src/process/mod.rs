//! One child process that makes one call: the parent's handle to it.
//!
//! The child writes its answer and leaves; the parent waits for both at once, on the channel and on the
//! pidfd. The answer is read while the child is still running, so that one larger than the channel's buffer
//! does not hold it up. The end of the child decides: what it has not said by then, it will not say.

pub(crate) mod body;
mod builder;

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::net::{RecvFlags, Shutdown};
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use builder::{Builder, OnDrop};

use crate::child::Child;
use crate::error::Error;
use crate::ipc::frame::{Frame, FrameReader, Received};
use crate::ipc::message::{FromChild, Refusal};
use crate::ipc::{codec, outcome, ready};
use crate::status::ExitStatus;
use crate::sys::signals;

/// Calls `f(arg)` in a new process. The counterpart of Python's `Process(target=f, args=(arg,)).start()`.
///
/// `f` is a plain function or a closure that captures nothing; what it needs is its argument. The argument is
/// sent to the child and the result is sent back, so both are of types that serde can write and read. Returns
/// when the process exists and the argument is on its way.
///
/// # Errors
///
/// [`Error::NotInitialised`] without [`init`](crate::init), [`Error::Serialise`] for an argument that serde
/// refuses, and [`Error::Start`] when the system has no room for another process.
///
/// # Examples
///
/// ```
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> Result<(), multiprocessing::Error> {
///     multiprocessing::init();
///     let process = multiprocessing::spawn(square, 10)?;
///     assert_eq!(process.join()?, 100);
///     Ok(())
/// }
/// ```
///
/// A closure that captures does not compile:
///
/// ```compile_fail,E0080
/// let n = 3;
/// let process = multiprocessing::spawn(move |x: u64| x * n, 10);
/// ```
pub fn spawn<F, A, R>(f: F, arg: A) -> Result<Process<R>, Error>
where
    F: Fn(A) -> R + Copy + 'static,
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    Builder::new().spawn(f, arg)
}

/// A child process that makes one call, and the result of that call when it is there.
///
/// Dropped without a join it is waited for, unless [`OnDrop`] says otherwise. Its result and its errors are
/// lost then.
#[must_use = "a process that is not joined is waited for when it is dropped, and its result is lost"]
pub struct Process<R> {
    name: String,
    function: &'static str,
    child: Arc<Child>,
    socket: OwnedFd,
    reader: FrameReader,
    answer: Option<Answer>,
    on_drop: OnDrop,
    result: PhantomData<fn() -> R>,
}

/// What the child has said.
enum Answer {
    Said(Frame),
    /// The child speaks no more: it closed its end, or what it sent meant nothing.
    Silent,
    Taken,
}

impl<R: DeserializeOwned> Process<R> {
    /// Waits for the process to end, and gives what the function returned.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked, [`Error::Died`] if the process ended before it gave a
    /// result, [`Error::Serialise`] or [`Error::Deserialise`] if the argument or the result did not get
    /// across.
    pub fn join(mut self) -> Result<R, Error> {
        self.wait_until(None);
        self.take_result()
    }

    /// Waits for the process as [`join`](Process::join) does, but no longer than this; `None` if it is still
    /// running.
    ///
    /// The result is given once; after that it is [`Error::ResultTaken`].
    pub fn join_timeout(&mut self, timeout: Duration) -> Option<Result<R, Error>> {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_until(deadline).then(|| self.take_result())
    }

    fn take_result(&mut self) -> Result<R, Error> {
        let status = self.child.wait();
        match self.answer.replace(Answer::Taken) {
            Some(Answer::Said(frame)) => self.read(&frame).unwrap_or(Err(Error::Died { status })),
            Some(Answer::Taken) => Err(Error::ResultTaken { function: self.function.to_owned() }),
            Some(Answer::Silent) | None => Err(Error::Died { status }),
        }
    }

    /// What the child's one answer means; `None` if it means nothing.
    fn read(&self, frame: &Frame) -> Option<Result<R, Error>> {
        let (message, mut payload) = frame.message().ok()?;
        match message {
            FromChild::Outcomes { .. } => Some(match outcome::take_first(&mut payload).ok()?? {
                Ok(value) => {
                    codec::decode(value).map_err(|error| Error::result_not_decoded(error, self.function))
                }
                Err(failure) => Err(Error::of(failure, self.function)),
            }),
            FromChild::Refused(Refusal::WrongProgram(reason)) => {
                Some(Err(Error::WrongProgram { function: self.function.to_owned(), reason }))
            }
            _ => None,
        }
    }
}

impl<R> Process<R> {
    /// The process's name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process's number. After it was joined the system may give the number to another process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Whether the process has not ended yet.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.child.is_alive()
    }

    /// How the process ended; `None` while it is alive.
    ///
    /// A process whose function returned ends with code 0, one whose function panicked with code 101.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    /// Asks the process to end, by SIGTERM. It may have arranged to do something else on that signal.
    pub fn terminate(&self) {
        self.child.signal(Signal::TERM);
    }

    /// Ends the process at once, by SIGKILL.
    pub fn kill(&self) {
        self.child.signal(Signal::KILL);
    }

    /// Waits for the end of the child, and reads its answer meanwhile. `false` when the deadline came before.
    fn wait_until(&mut self, deadline: Option<Instant>) -> bool {
        while self.answer.is_none() {
            let mut descriptors = [
                PollFd::new(&self.socket, PollFlags::IN),
                PollFd::from_borrowed_fd(self.child.ended(), PollFlags::IN),
            ];
            if !ready::wait(&mut descriptors, deadline) {
                return false;
            }
            let ended = !descriptors[1].revents().is_empty();
            self.receive_all();
            if ended {
                return true;
            }
        }
        self.child.wait_until(deadline)
    }

    /// Reads what is there, and no further than the answer.
    fn receive_all(&mut self) {
        while self.answer.is_none() {
            match self.reader.receive(self.socket.as_fd(), RecvFlags::DONTWAIT) {
                Ok(Received::Bytes) => {}
                Ok(Received::Nothing) => return,
                Ok(Received::End) | Err(_) => self.answer = Some(Answer::Silent),
            }
            match self.reader.next() {
                Ok(Some(frame)) => self.answer = Some(Answer::Said(frame)),
                Ok(None) => {}
                Err(_) => {
                    self.answer = Some(Answer::Silent);
                    self.hang_up();
                }
            }
        }
    }

    /// Closes the channel, so that a child that is writing into it does not wait for a reader.
    fn hang_up(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }
}

impl<R> Drop for Process<R> {
    fn drop(&mut self) {
        if !self.is_alive() {
            return;
        }
        self.hang_up();
        match self.on_drop {
            OnDrop::Detach => reap_later(&self.child),
            OnDrop::Join if !std::thread::panicking() => {
                self.child.wait();
            }
            OnDrop::Join | OnDrop::Kill => {
                self.child.signal(Signal::KILL);
                self.child.wait();
            }
        }
    }
}

/// Has a child reaped when it ends, by a thread that does nothing else.
fn reap_later(child: &Arc<Child>) {
    let child = Arc::clone(child);
    // Without the thread the child stays a zombie until this process ends, and nothing worse.
    let _ = std::thread::Builder::new().name("multiprocessing-reaper".into()).spawn(move || {
        signals::block_all_on_this_thread();
        child.wait();
    });
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.exit_status();
        f.debug_struct("Process")
            .field("name", &self.name)
            .field("pid", &self.pid())
            .field("status", &status)
            .finish()
    }
}
