//! One child process that makes one call: the parent's handle to it.
//!
//! The child writes its answer and leaves; the parent waits for its end alone, on the pidfd, and then reads
//! what was said. No answer is so large that the child would have to wait for a reader: what does not fit in
//! the channel travels in a file. So anyone may wait for the end, also by other means than this library's.

pub(crate) mod body;
mod builder;
mod wait;

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use builder::{Builder, OnDrop};
pub use wait::wait;

use crate::child::Child;
use crate::error::Error;
use crate::ipc::attachments::{self, Attachment};
use crate::ipc::letter::{self, Letter};
use crate::ipc::message::{FromChild, Refusal};
use crate::ipc::outcome::{self, Failure, Reason};
use crate::ipc::{codec, parcel};
use crate::status::ExitStatus;
use crate::sys::signals;
use crate::tree;

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
    function: &'static str,
    child: Arc<Child>,
    socket: OwnedFd,
    /// Whether the result was given.
    taken: bool,
    on_drop: OnDrop,
    result: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> Process<R> {
    /// Waits for the process to end, and gives what the function returned.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked, [`Error::Died`] if the process ended before it gave a
    /// result, [`Error::Serialise`] or [`Error::Deserialise`] if the argument or the result did not get
    /// across, and [`Error::Copied`] in a copy of the process that has started it.
    pub fn join(mut self) -> Result<R, Error> {
        self.take_result()
    }

    /// Waits for the process as [`join`](Process::join) does, but no longer than this; `None` if it is still
    /// running.
    ///
    /// The result is given once; after that it is [`Error::ResultTaken`].
    pub fn join_timeout(&mut self, timeout: Duration) -> Option<Result<R, Error>> {
        let deadline = Instant::now().checked_add(timeout);
        (!self.child.is_ours() || self.child.wait_until(deadline)).then(|| self.take_result())
    }

    /// Gives what [`join`](Process::join) would, if it would not have to wait; `None` if the process is still
    /// running.
    ///
    /// ```
    /// # multiprocessing::init();
    /// let mut process = multiprocessing::spawn(|x: u64| x + 1, 1)?;
    /// let result = loop {
    ///     match process.try_join() {
    ///         Some(result) => break result?,
    ///         // Here is time for something else.
    ///         None => std::thread::yield_now(),
    ///     }
    /// };
    /// assert_eq!(result, 2);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn try_join(&mut self) -> Option<Result<R, Error>> {
        self.join_timeout(Duration::ZERO)
    }

    /// Waits for the end, and gives what came of the call.
    fn take_result(&mut self) -> Result<R, Error> {
        if !self.child.is_ours() {
            return Err(Error::Copied { name: self.child.name().to_owned() });
        }
        let status = self.child.wait();
        if std::mem::replace(&mut self.taken, true) {
            return Err(Error::ResultTaken { function: self.function.to_owned() });
        }
        match letter::receive(self.socket.as_fd(), RecvFlags::DONTWAIT) {
            Ok(Some(letter)) => self.read(letter).unwrap_or_else(|| Err(self.died(status))),
            Ok(None) | Err(_) => Err(self.died(status)),
        }
    }

    fn died(&self, status: ExitStatus) -> Error {
        let process = self.child.name().to_owned();
        Error::Died { function: self.function.to_owned(), process, status }
    }

    /// What the child's one answer means; `None` if it means nothing.
    fn read(&self, letter: Letter) -> Option<Result<R, Error>> {
        let (message, payload) = letter.frame.message().ok()?;
        match message {
            FromChild::Answer { in_file: false } => {
                self.understand(payload, &Attachment::open_all(letter.files))
            }
            FromChild::Answer { in_file: true } => {
                let mut files = letter.files.into_iter();
                // Without the file there was no descriptor left for it: recvmsg(2) says no more than that.
                let file = files.next().ok_or_else(|| rustix::io::Errno::MFILE.into());
                match file.and_then(parcel::unpack) {
                    Ok(answer) => self.understand(&answer, &Attachment::open_all(files)),
                    Err(error) => {
                        let failure = Failure::ResultNotFetched(Reason::NoRoom(error.to_string()));
                        Some(Err(Error::of(failure, self.function)))
                    }
                }
            }
            FromChild::Refused(Refusal::WrongProgram(reason)) => {
                Some(Err(Error::WrongProgram { function: self.function.to_owned(), reason }))
            }
            _ => None,
        }
    }

    /// What the outcome of the call means, with which these came; `None` if it means nothing.
    fn understand(&self, answer: &[u8], came: &[Attachment]) -> Option<Result<R, Error>> {
        Some(match outcome::only(answer).ok()? {
            Ok(value) => attachments::with(came, || codec::decode(value))
                .map_err(|error| Error::result_not_decoded(error, self.function)),
            Err(failure) => Err(Error::of(failure, self.function)),
        })
    }
}

impl<R> Process<R> {
    /// The process's name, for people.
    pub fn name(&self) -> &str {
        self.child.name()
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

    /// Asks the process and all that it has started to end, by SIGTERM; see
    /// [`kill_tree`](Process::kill_tree).
    pub fn terminate_tree(&self) {
        self.signal_tree(Signal::TERM);
    }

    /// Ends the process and all that it has started, by SIGKILL, whichever groups and sessions they are in.
    ///
    /// Children by this library end with their parent anyway. This is for other programs that the process has
    /// started, and what those have started in turn. A process escapes if the one that started it had ended
    /// before (as that of a daemon does), since it is nobody's child any more; and one that runs as another
    /// user. When the process itself has ended, nothing is left of it to find them by, and nothing is done.
    ///
    /// ```
    /// # multiprocessing::init();
    /// # #[expect(clippy::disallowed_methods)]
    /// let work = |()| {
    ///     let sleeps = std::process::Command::new("sleep").arg("1000").status();
    ///     sleeps.is_ok()
    /// };
    /// let process = multiprocessing::spawn(work, ())?;
    /// process.kill_tree();
    /// assert!(process.join().is_err());
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn kill_tree(&self) {
        self.signal_tree(Signal::KILL);
    }

    fn signal_tree(&self, signal: Signal) {
        if self.child.is_ours() && self.is_alive() {
            tree::signal(&self.child, signal);
        }
    }
}

/// The process's pidfd, which becomes readable when the process has ended: for `poll` and its kin, and for
/// event loops. Joining it then does not wait.
impl<R> AsFd for Process<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.ended()
    }
}

impl<R> Drop for Process<R> {
    fn drop(&mut self) {
        if !self.is_alive() {
            return;
        }
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
            .field("name", &self.name())
            .field("pid", &self.pid())
            .field("status", &status)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

    use super::*;
    use crate::ipc::frame;
    use crate::start;

    /// A message that may be an answer, with a payload that may be an outcome, or not.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let of_call = |result: u64| {
            let mut outcome = Vec::new();
            outcome::append(&mut outcome, |buffer| {
                codec::encode(&result, buffer).map_err(|_| unreachable!())
            });
            outcome
        };
        let payload = prop_oneof![any::<u64>().prop_map(of_call), prop::collection::vec(any::<u8>(), 0..40)];
        let messages: [fn() -> FromChild; 4] = [
            || FromChild::Answer { in_file: false },
            || FromChild::Answer { in_file: true },
            || FromChild::Refused(Refusal::WrongProgram("not this one".into())),
            || FromChild::Ready,
        ];
        (0..messages.len(), payload).prop_map(move |(number, payload)| {
            [frame::head(&messages[number](), payload.len()), payload].concat()
        })
    }

    proptest! {
        /// Whatever a child has said when it has ended, nobody waits for more of it.
        #[test]
        fn a_child_may_have_said_anything(
            messages in prop::collection::vec(message(), 0..3),
            noise in prop::collection::vec(any::<u8>(), 0..40),
            cut in 0..200_usize,
            is_open: bool,
        ) {
            let (socket, theirs) =
                rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                    .unwrap();
            let said = [messages.concat(), noise].concat();
            rustix::net::send(&theirs, &said[..cut.min(said.len())], SendFlags::empty()).unwrap();
            // Somebody else may have it.
            let _theirs = is_open.then_some(theirs);
            let on_drop = OnDrop::Join;
            let process: Process<u64> =
                Process { function: "f", child: start::ended_child(), socket, taken: false, on_drop, result: PhantomData };
            let result = process.join();
            let has_died = matches!(&result, Err(Error::Died { status, .. }) if status.success());
            // Without a whole message there is no answer.
            prop_assert!(has_died || cut > 8 && said.len() > 8, "{result:?}");
        }
    }
}
