//! The learner's loop: one question on the screen, graded again on every save.
//!
//! One thread waits in one `poll` for everything that can happen: a key, a signal, a change of a file, a word from the
//! grading that is under way.
//! A grading is done by a process of its own, the grader started once more as a [worker](work), which tells what it
//! does line by line; see [`message`].
//! To end a grading, however it hangs, is to kill that process and the cargo below it: the keeper of whatever was
//! being run sees its grader gone and ends the rest.
//! So a save in the middle of a grading, a key to go on and the end of the watch all work in the same way and at once.
//!
//! Without a terminal there is no screen and no key: each report is printed below the one before.

mod changes;
mod job;
mod message;
mod output;
mod screen;
mod session;
mod terminal;
mod view;
mod worker;

pub use session::{Ended, WatchError, watch};
pub use worker::work;
