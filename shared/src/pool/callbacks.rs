//! Callbacks: functions of this process that are called with the result of a job as soon as it is there.
//!
//! A pool has one thread for them, which begins with the first one. It holds the handles of those jobs, and each
//! delivery to such a job tells it which handle to look at. So a callback that takes its time holds up other
//! callbacks, and nothing else: neither the workers nor the manager nor anyone who waits for results.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::sys::signals;

/// A job on its way, and what is to be called with its result.
pub(super) trait Awaited: Send {
    /// Whether the result is there.
    fn is_ready(&mut self) -> bool;

    /// Makes the call.
    fn call(self: Box<Self>);
}

enum Message {
    Await(u64, Box<dyn Awaited>),
    /// Something has come for this one.
    Look(u64),
}

/// The thread of a pool's callbacks, if there is one.
#[derive(Default)]
pub(super) struct Callbacks(Mutex<Option<(Sender<Message>, JoinHandle<()>)>>);

/// By which a job tells that something has come for it.
pub(super) struct Bell {
    number: u64,
    messages: Sender<Message>,
}

impl Bell {
    pub(super) fn ring(&self) {
        // The thread is gone when nothing is awaited any more.
        let _ = self.messages.send(Message::Look(self.number));
    }
}

impl Callbacks {
    /// Has a job awaited. `hang_up` is given the bell for it, before the job is looked at for the first time.
    /// Fails only if there can be no thread.
    pub(super) fn add(&self, awaited: Box<dyn Awaited>, hang_up: impl FnOnce(Bell)) -> io::Result<()> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let mut thread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = match &*thread {
            Some((messages, _)) => messages.clone(),
            None => thread.insert(start()?).0.clone(),
        };
        hang_up(Bell { number, messages: messages.clone() });
        let _ = messages.send(Message::Await(number, awaited));
        Ok(())
    }

    /// Waits until all callbacks have been called, unless this is one of them.
    pub(super) fn finish(&self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((messages, thread)) = thread {
            drop(messages);
            if thread.thread().id() != std::thread::current().id() {
                // Callbacks that panic are caught one by one.
                let _ = thread.join();
            }
        }
    }
}

fn start() -> io::Result<(Sender<Message>, JoinHandle<()>)> {
    let (sender, messages) = mpsc::channel();
    let thread = std::thread::Builder::new().name("multiprocessing-callbacks".into()).spawn(move || {
        signals::block_all_on_this_thread();
        serve(&messages);
    })?;
    Ok((sender, thread))
}

/// Makes the calls as they fall due, until nothing is awaited and nothing can come.
fn serve(messages: &Receiver<Message>) {
    let mut open: HashMap<u64, Box<dyn Awaited>> = HashMap::new();
    while let Ok(message) = messages.recv() {
        let number = match message {
            Message::Await(number, awaited) => {
                open.insert(number, awaited);
                number
            }
            Message::Look(number) => number,
        };
        if open.get_mut(&number).is_some_and(|awaited| awaited.is_ready())
            && let Some(awaited) = open.remove(&number)
        {
            // A panic is told by the panic hook, and is no other callback's concern.
            let _ = catch_unwind(AssertUnwindSafe(|| awaited.call()));
        }
    }
}
