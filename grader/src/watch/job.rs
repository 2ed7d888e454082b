//! A grading that is under way in a process of its own.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

use super::message::Message;
use crate::submission::Colour;

/// A worker; dropped, it and the cargo that it may have started are no more.
pub(super) struct Job {
    child: Child,
    output: PipeReader,
    /// What came of a line whose end is still to come.
    begun: Vec<u8>,
    /// What came that is no message: a panic's text.
    strange: String,
}

/// What one look at a worker's output came to.
#[derive(Debug)]
pub(super) enum Heard {
    /// These messages came, and more may.
    Messages(Vec<Message>),
    /// The worker has ended; if it said nothing that ends a grading, this is all that it said.
    Ended(String),
}

impl Job {
    /// Starts to grade the answer to a question.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts a worker, which ends with its job"
    )]
    pub(super) fn start(root: &Path, question: &str, colour: Colour) -> io::Result<Job> {
        let (output, end) = io::pipe()?;
        // The very program that is running, even if its file was built anew meanwhile.
        let mut command = Command::new("/proc/self/exe");
        // Its standard input is a lifeline: it ends with the watch, and the worker with it.
        command.arg("work").arg(question).current_dir(root).stdin(Stdio::piped());
        if colour == Colour::Always {
            command.arg("--colour");
        }
        command.stdout(end.try_clone()?).stderr(end);
        // A group of its own, so that cargo and its compilers can be ended with it, and no key reaches them.
        let child = command.process_group(0).spawn()?;
        Ok(Job { child, output, begun: Vec::new(), strange: String::new() })
    }

    /// Reads what there is; to be called when there is something.
    pub(super) fn hear(&mut self) -> io::Result<Heard> {
        let mut buffer = [0; 1 << 16];
        let length = self.output.read(&mut buffer)?;
        if length == 0 {
            return Ok(Heard::Ended(std::mem::take(&mut self.strange)));
        }
        self.begun.extend_from_slice(&buffer[..length]);
        let mut messages = Vec::new();
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            match serde_json::from_slice(&line) {
                Ok(message) => messages.push(message),
                Err(_) => self.strange.push_str(&String::from_utf8_lossy(&line)),
            }
        }
        Ok(Heard::Messages(messages))
    }
}

impl AsFd for Job {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Nobody else has this number until the worker is reaped below; the keeper of a run has left the group.
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
