//! The one thread that is the parent of all children.
//!
//! A child asks the kernel to be killed when its parent dies (PR_SET_PDEATHSIG, prctl(2)), and takes *the
//! thread that started it* for its parent. Threads of the user come and go; this one lives as long as the
//! process. It waits for work without a lock, runs with all signals blocked, and does nothing else.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use crate::sys::per_process::PerProcess;
use crate::sys::signals;

type Work = Box<dyn FnOnce() + Send>;

/// What runs on the thread, and is waited for later.
pub(super) struct Task<T>(Receiver<T>);

impl<T> Task<T> {
    pub(super) fn wait(self) -> io::Result<T> {
        self.0.recv().map_err(|_| gone())
    }
}

/// Begins to run the function on that thread.
pub(super) fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Task<T>> {
    static THREAD: PerProcess<OnceLock<io::Result<Sender<Work>>>> = PerProcess::new();
    let thread = THREAD.get().get_or_init(run).as_ref().map_err(|error| {
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
    Ok(Task(answer))
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}

fn run() -> io::Result<Sender<Work>> {
    let (sender, works): (_, Receiver<Work>) = mpsc::channel();
    std::thread::Builder::new().name("multiprocessing-spawner".into()).spawn(move || {
        signals::block_all_on_this_thread();
        works.into_iter().for_each(|work| work());
    })?;
    Ok(sender)
}
