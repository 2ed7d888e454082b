//! Typed functions in other processes, and pools of worker processes: what Python's `multiprocessing` is to
//! Python.
//!
//! # First steps
//!
//! [`init`] stands first in `main`, as `if __name__ == "__main__":` does in Python. [`spawn`] calls a
//! function in a new process, and [`Process::join`] waits for it and gives what it returned.
//!
//! ```
//! fn square(x: u64) -> u64 {
//!     x * x
//! }
//!
//! fn cube(x: u64) -> u64 {
//!     x * x * x
//! }
//!
//! fn main() -> Result<(), multiprocessing::Error> {
//!     multiprocessing::init();
//!     let squaring = multiprocessing::spawn(square, 10)?;
//!     let cubing = multiprocessing::spawn(cube, 10)?;
//!     assert_eq!(squaring.join()?, 100);
//!     assert_eq!(cubing.join()?, 1000);
//!     Ok(())
//! }
//! ```
//!
//! A [`Pool`] keeps a number of processes for many calls:
//!
//! ```
//! use multiprocessing::Pool;
//!
//! fn main() -> Result<(), multiprocessing::Error> {
//!     multiprocessing::init();
//!     let pool = Pool::new(4)?;
//!     let squares = pool.map(|x: u64| x * x, [1, 2, 3, 4, 5])?;
//!     assert_eq!(squares, [1, 4, 9, 16, 25]);
//!     Ok(())
//! }
//! ```
//!
//! In a file of tests, [`init_tests!`] takes the place of `init`.
//!
//! A function has one argument. Without any, or with several, a closure that captures nothing is in between, or
//! [`Pool::starmap`]:
//!
//! ```
//! fn pid() -> u32 {
//!     std::process::id()
//! }
//!
//! fn power(base: u64, exponent: u32) -> u64 {
//!     base.pow(exponent)
//! }
//!
//! # multiprocessing::init();
//! let other = multiprocessing::spawn(|()| pid(), ())?.join()?;
//! assert_ne!(other, pid());
//! assert_eq!(multiprocessing::spawn(|(base, exponent)| power(base, exponent), (2, 10))?.join()?, 1024);
//! assert_eq!(multiprocessing::Pool::new(2)?.starmap(power, [(2, 3), (3, 2)])?, [8, 9]);
//! # Ok::<(), multiprocessing::Error>(())
//! ```
//!
//! # What can cross
//!
//! A child is the same program, started again by `posix_spawn`, or a copy of a process that was started so and
//! has done nothing yet ([`StartMethod`]). It shares no memory with its parent: what a child changes, its
//! parent does not see, and what was set in the parent's memory before, the child does not have.
//!
//! * **The function** is a plain function, also a generic one, or a closure that captures nothing. Anything
//!   else does not build (`cargo check` may not see it): neither `move` nor a reference helps, nor a variable that holds
//!   one of several functions. What a function needs is its argument; which one to call, an enum can say.
//!   A `Copy` value without data may be captured, a marker say, and the child makes one of its own out of nothing: there it
//!   proves nothing of what was done here. Only the function's place in the program is sent, and the child checks that
//!   it is the same program, the same place and the same types before it calls.
//! * **The argument and the result** are of types that implement serde's `Serialize` and `DeserializeOwned`.
//!   So they are owned: `String` and not `&str`, `Vec<u64>` and not `&[u64]`; and an error that
//!   is not serde's to write, as `io::Error` and this library's own, crosses as its text
//!   (`map_err(|error| error.to_string())`). They travel in a form that does not describe itself: types that ask what
//!   comes next (`serde_json::Value`, `#[serde(untagged)]`, `tag`, `flatten`) or leave out a field
//!   (`skip_serializing_if`) give [`Error::Deserialise`] or [`Error::Serialise`]; a field may be skipped at both ends
//!   (`skip`), but not at one (`skip_serializing`), where what is read is not what was written. A variant of an
//!   enum that is skipped (`skip`) has to stand behind all others: serde counts it where it writes the number of a
//!   variant, and not where it reads one, so that a variant behind it comes out as another one, without an error. One
//!   value may take up to 4 GiB. A `Vec` of numbers that is the value itself, an element or a field is copied
//!   as a whole, and not number by number; [`SharedBytes`] cross without being copied.
//! * **The rest of the child's world** is that of its parent when it was started: arguments, environment,
//!   folder, standard output and error. Its standard input is empty, as in Python. A [`Builder`] can say
//!   otherwise. No other descriptor is passed on, except those that were opened without close-on-exec.
//!   [`StartMethod::ForkServer`] says what differs there.
//!
//! # What differs from Python, and why
//!
//! | Python | here | |
//! | --- | --- | --- |
//! | `if __name__ == "__main__":` | [`init`], [`init_tests!`] | |
//! | `Process(target=f, args=(x,))`, `start()` | [`spawn`], [`Builder`] | one step, so a process cannot be started twice |
//! | `join(timeout)`, `exitcode` | [`Process::join`], [`join_timeout`](Process::join_timeout), [`try_join`](Process::try_join), [`exit_status`](Process::exit_status) | a join gives the function's result; a timeout is told apart from an end |
//! | `set_start_method`, `get_context` | [`StartMethod`] on each builder | `spawn` and `forkserver`; no choice for the whole program |
//! | `connection.wait(…, timeout)`, `sentinel` | [`wait`], a [`Process`] as a descriptor (`AsFd`) | |
//! | `terminate()`, `kill()` | [`Process::terminate`], [`kill`](Process::kill) | and with all that it started: [`terminate_tree`](Process::terminate_tree), [`kill_tree`](Process::kill_tree) |
//! | `active_children()`, `current_process()`, `parent_process()` | [`active_children`], [`current`], [`parent`] | workers of pools are called `PoolWorker-3`, say; all children of a process are counted together |
//! | `daemon=True` | [`OnDrop`] | from [`init`] on, no child outlives its parent, however the parent ends |
//! | `Pool(n, initializer, initargs, maxtasksperchild)` | [`Pool::new`], [`Pool::builder`] | calls are counted, not chunks; an initializer that panics or returns an `Err` is an error, not an endless restart |
//! | `Pool()` | [`Pool::with_default_size`] | as many workers as CPUs that may be used |
//! | `map(f, xs, chunksize)` | [`Pool::map`], [`Pool::chunks_of`] | the first error in the order of the items, and the rest is called off |
//! | | [`Pool::map_each`] | each item's result or error |
//! | `imap`, `imap_unordered` | [`Pool::imap`], [`Pool::imap_unordered`] | lazy on both sides: nothing begins before the first `next`, and arguments are taken a window ahead, not all at once; [`join`](Pool::join) comes after the last |
//! | `next(timeout)` | [`Imap::next_timeout`] | |
//! | `starmap` | [`Pool::starmap`] | |
//! | `apply`, `apply_async`, `map_async`, `starmap_async` | the same | |
//! | `callback`, `error_callback` | [`TaskHandle::on_done`], [`MapHandle::on_done`] | in place of the handle; on a thread of their own, where they hold up nobody else |
//! | | [`cancel`](TaskHandle::cancel), [`kill`](TaskHandle::kill) | Python cannot take a call back |
//! | | [`Pool::timeout`] | the call is ended with its worker, though not with what that has started; Python's timeouts only stop the waiting |
//! | | [`Pool::retries`] | calls that may be made again if their worker dies |
//! | `AsyncResult.get`, `wait`, `ready`, `successful` | [`TaskHandle`], [`MapHandle`] | waiting with a timeout says whether it was in time |
//! | `close`, `terminate`, `join` | the same | `join` closes a pool that is open |
//! | `shared_memory.SharedMemory` | [`SharedBytes`], [`SharedBytesMut`] | written by one process and then read by all; no name to unlink |
//! | `Queue`, `Pipe` | | results come back by themselves, as a call's value; [`Builder::stdin`] and [`stdout`](Builder::stdout) take the ends of a [`pipe`](std::io::pipe) |
//! | `Lock`, `Event`, `Semaphore`, `Barrier`, `Value`, `Array`, `Manager` | | no process waits for another's lock, or sees memory change: the caller hands out arguments and puts results together |
//! | `with Pool() as pool:` | dropping the pool | both terminate it: get the results first |
//!
//! `fork` is missing on purpose: it copies the locks of all threads as they stand, and takes the longer the more
//! memory the parent holds. Both methods here take the same time whatever the parent holds, and copy no lock. In a
//! copy that a program makes of itself, the processes and pools of the original give [`Error::Copied`], and new
//! ones can be started.
//!
//! # When something goes wrong
//!
//! | what happens in the child | what the caller gets |
//! | --- | --- |
//! | the function panics | [`Error::Panicked`], with text and place; a worker lives on (with `panic = "abort"` it does not: see the next row) |
//! | the process exits, aborts, overflows its stack or is killed | [`Error::Died`], with the exit code or the signal; a worker is replaced |
//! | a worker is not ready in time ([`PoolBuilder::start_timeout`]) | it is killed and replaced; after three in a row, [`Error::StartTimedOut`] |
//! | the call takes longer than [`Pool::timeout`] allows | [`Error::TimedOut`]; the worker is killed and replaced |
//! | the argument or the result does not get across | [`Error::Serialise`] or [`Error::Deserialise`] |
//!
//! In a pool, this is the error of that one call. Calls that were done keep their results, also when the
//! worker had not sent them yet; calls that were not begun are done by others. Nothing waits for a process
//! that is dead.
//!
//! A child ends when its parent does, even when the parent is killed and the child is busy; if it has not come to
//! [`init`] by then, it ends there.
//! Pool workers ignore Ctrl-C: it is the parent that answers it, by [`Pool::terminate`], say, once a
//! handler has noted it (in the handler itself no lock may be taken), and by its end theirs. A process by [`spawn`] gets
//! it as its parent does.
//!
//! # Platform
//!
//! 64-bit Linux from version 5.10 on: children are watched through pidfds, and die with their parent by
//! `PR_SET_PDEATHSIG`.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("this library runs on 64-bit Linux only: it watches its processes by means of that kernel");

mod bytes;
mod child;
mod draft;
mod entry;
mod error;
mod family;
mod init;
mod ipc;
mod panics;
mod pool;
mod process;
mod start;
mod status;
mod sys;
mod tree;

pub use bytes::{SharedBytes, SharedBytesMut};
pub use error::{Error, Value};
pub use family::{ActiveChild, Current, Parent, active_children, current, parent};
pub use init::init;
pub use pool::{Imap, Initialised, MapHandle, Pool, PoolBuilder, StarFn, TaskHandle, Terms};
pub use process::{Builder, OnDrop, Process, spawn, wait};
pub use start::StartMethod;
pub use status::ExitStatus;
