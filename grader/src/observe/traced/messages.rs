//! Holding processes where they send each other messages, and where they have handed over a lock.
//!
//! What several processes write into the same file is a message as well: who has read it before writes back what is old.
//!
//! What processes send comes by pipes and sockets, and mostly under a lock: whoever has it is held before it writes, and
//! all others wait for the lock, in the order in which they came to it. So that another order comes about, whoever has let
//! another have a lock is held, too, until nothing else can move.

use std::collections::{HashMap, HashSet};

use rustix::process::Pid;

use super::Run;
use crate::model::Point;
use crate::sys::{Stopped, SystemCall, calls};

/// So many times is somebody held; a program that sends messages all the time is left alone after that.
const MOST_HELD: u32 = 1_000;

/// What is known of the messages of a run.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Whether processes may have sent each other any.
    pub(super) are_sent: bool,
    times_held: u32,
    /// The process that wrote to a file first, by the file's path.
    writers: HashMap<String, usize>,
    /// The threads that are in a call by which they hand over a lock.
    handing_over: HashSet<Pid>,
}

impl Messages {
    pub(super) fn forget_thread(&mut self, tid: Pid) {
        self.handing_over.remove(&tid);
    }
}

/// Whether this is a pipe or a socket, by what the link of a descriptor says.
fn is_channel(target: &str) -> bool {
    target.starts_with("pipe:") || target.starts_with("socket:")
}

/// Whether this is a file with a name, and neither a device nor one of the kernel's own.
fn is_file(target: &str) -> bool {
    target.starts_with('/') && !["/dev/", "/proc/", "/sys/"].iter().any(|own| target.starts_with(own))
}

impl Run<'_> {
    /// A thread is about to write to `target`, which is none of the outputs; it is held if that may be a message to another
    /// process, which may be still to come.
    pub(super) fn sends(&mut self, stopped: Stopped, process: usize, target: Option<&str>) {
        let by_file = target.filter(|to| is_file(to));
        let is_message = by_file.is_some() || target.is_some_and(is_channel);
        if is_message && self.is_graded_program() && self.tree.alive().nth(1).is_some() {
            self.messages.are_sent |= match by_file {
                Some(path) => *self.messages.writers.entry(path.to_owned()).or_insert(process) != process,
                None => true,
            };
        }
        match is_message && self.holds_at_messages(Point::Message) {
            true => self.hold_at_message(stopped, process, Point::Message),
            false => self.go_on_into_call(stopped, process),
        }
    }

    /// Lets a thread go on into a call by which it may hand over a lock, and sees it through; gives it back if it is none.
    pub(super) fn let_hand_over(&mut self, stopped: Stopped, call: &SystemCall) -> Option<Stopped> {
        if !calls::wakes_a_waiter(call) || !self.holds_at_messages(Point::HandOver) {
            return Some(stopped);
        }
        self.messages.handing_over.insert(stopped.tid());
        stopped.finish_call();
        None
    }

    /// The call is through; the thread is held if there was somebody to hand over to. Gives it back if it was in none.
    pub(super) fn has_handed_over(&mut self, stopped: Stopped, process: usize) -> Option<Stopped> {
        if !self.messages.handing_over.remove(&stopped.tid()) {
            return Some(stopped);
        }
        match stopped.save().is_ok_and(|saved| saved.result() > 0) {
            true => self.hold_at_message(stopped, process, Point::HandOver),
            false => stopped.go_on(None),
        }
        None
    }

    fn holds_at_messages(&self, point: Point) -> bool {
        self.holds(point) && self.messages.times_held < MOST_HELD
    }

    fn hold_at_message(&mut self, stopped: Stopped, process: usize, point: Point) {
        self.messages.times_held += 1;
        self.hold_or_go_on(stopped, process, point, true);
    }
}
