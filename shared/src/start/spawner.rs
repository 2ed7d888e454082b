//! Who starts children: a thread that lives as long as the process.
//!
//! A child asks the kernel to be killed when its parent dies (PR_SET_PDEATHSIG, prctl(2)), and takes *the
//! thread that started it* for its parent. Threads of the user come and go. The main thread does not, as the
//! process ends with it (but in a program that calls pthread_exit(3) there, whose children end with it then), so
//! what it wants started it starts itself, without the way to another thread and back.
//! For all others there is one thread that waits for work without a lock, runs with all signals blocked, and
//! does nothing else.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use crate::sys::per_process::PerProcess;
use crate::sys::signals;

type Work = Box<dyn FnOnce() + Send>;

/// Runs the function on a thread that lives as long as the process.
pub(super) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    static THREAD: PerProcess<OnceLock<io::Result<Sender<Work>>>> = PerProcess::new();
    if rustix::thread::gettid() == rustix::process::getpid() {
        return Ok(work());
    }
    let thread = THREAD.get().get_or_init(begin).as_ref().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("the thread that starts processes could not be started: {error}"),
        )
    })?;
    let (reply, answer): (SyncSender<T>, _) = mpsc::sync_channel(1);
    let work = move || {
        // Whoever asked waits for the answer, so it can only be gone if its thread was torn down with it.
        let _ = reply.send(work());
    };
    thread.send(Box::new(work)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}

fn begin() -> io::Result<Sender<Work>> {
    let (sender, works): (_, Receiver<Work>) = mpsc::channel();
    std::thread::Builder::new().name("multiprocessing-spawner".into()).spawn(move || {
        signals::block_all_on_this_thread();
        works.into_iter().for_each(|work| work());
    })?;
    Ok(sender)
}
