//! The process that grades one answer for the watch.

use std::io::{self, Write};
use std::thread;

use rustix::process::Signal;

use super::message::Message;
use crate::grading::{self, Graded, Options, Progress, with_causes};
use crate::learner::Attempts;
use crate::submission::{Colour, Submission, Workspace};
use crate::sys;

/// Grades the learner's answer to a question and writes what a watch wants to know of it.
///
/// # Errors
/// Those of `out`: nobody reads any more.
pub fn work(workspace: &Workspace, question: &str, colour: Colour, out: &mut dyn Write) -> io::Result<()> {
    // The watch takes some signals for itself, and a mask is inherited.
    sys::let_all_through();
    thread::Builder::new().name("lifeline".to_owned()).spawn(end_with_the_watch)?;
    let submissions = [Submission::Exercise { question: question.to_owned() }];
    let options = Options { colour, ..Options::default() };
    let attempts = Attempts::before(workspace, &submissions);
    let mut graded = None;
    let mut told = Ok(());
    let mut tell_step = |step: Progress<'_>| {
        let message = match step {
            Progress::Building(_) => Message::Building,
            Progress::Running { .. } => Message::Running,
        };
        if told.is_ok() {
            told = tell(&message, out);
        }
    };
    let done = |Graded { grade, .. }| graded = Some(grade);
    let result = grading::grade_all(workspace, &submissions, &options, &mut tell_step, done);
    told?;
    let message = match (result, graded) {
        (Ok(()), Some(grade)) => {
            if let Err(error) = attempts.keep(&grade) {
                tell(&Message::NotKept(with_causes(&error)), out)?;
            }
            Message::Graded(Box::new(grade))
        }
        (Ok(()), None) => return Ok(()),
        (Err(error), _) => Message::Failed(format!("failed to {}", with_causes(&error))),
    };
    tell(&message, out)
}

/// Ends this process and the cargo that it may have started as soon as the watch is no more, whoever has ended it.
///
/// Standard input is a pipe into which the watch never writes, so that there is nothing to read until it ends.
fn end_with_the_watch() {
    // That it cannot be read says as much as its end.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    // The watch gave this process a group of its own; who has started it by hand has not, and loses nothing.
    let _ = rustix::process::kill_process_group(rustix::process::getpid(), Signal::KILL);
}

fn tell(message: &Message, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, message)?;
    writeln!(out)?;
    out.flush()
}
