//! Results as an iterator, from arguments as an iterator, with a bounded number of calls between them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outcomes::{Next, Outcomes};
use super::submission::Submission;
use crate::error::Error;

/// The results of `imap` or `imap_unordered`, as they come.
///
/// It takes arguments from their iterator only as results are taken from it, a window ahead, so neither
/// arguments nor results pile up. After an error of one call the others go on; after an error of the pool
/// there is nothing more. Dropping it gives up the calls that are not begun.
#[must_use = "iterators are lazy: nothing is called until results are asked for"]
pub struct Imap<I: Iterator, R: DeserializeOwned>(State<I, R>);

enum State<I: Iterator, R: DeserializeOwned> {
    Running(Running<I, R>),
    /// The pool takes no work; the error is given once.
    Failed(Error),
    Ended,
}

struct Running<I: Iterator, R: DeserializeOwned> {
    arguments: I,
    /// `None` when the arguments are at an end.
    submission: Option<Submission<I::Item>>,
    outcomes: Outcomes<R>,
    /// How many calls were added.
    added: usize,
    /// How many of them may be without a result that was asked for.
    window: usize,
}

impl<I: Iterator, R: DeserializeOwned> Imap<I, R> {
    pub(super) fn new(
        arguments: I,
        submission: Submission<I::Item>,
        outcomes: Outcomes<R>,
        window: usize,
    ) -> Imap<I, R> {
        Imap(State::Running(Running { arguments, submission: Some(submission), outcomes, added: 0, window }))
    }

    pub(super) fn failed(error: Error) -> Imap<I, R> {
        Imap(State::Failed(error))
    }
}

impl<I, R> Running<I, R>
where
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    fn next(&mut self) -> Option<Next<R>> {
        self.fill();
        (self.outcomes.given() < self.added).then(|| self.outcomes.next(None))
    }

    /// Takes in arguments until the window is full.
    fn fill(&mut self) {
        while let Some(submission) = &mut self.submission
            && self.added - self.outcomes.given() < self.window
        {
            if let Some(argument) = self.arguments.next() {
                submission.add(&argument);
                self.added += 1;
            } else {
                submission.send();
                self.submission = None;
            }
        }
    }
}

impl<I, R> Iterator for Imap<I, R>
where
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Result<R, Error>> {
        let next = match &mut self.0 {
            State::Running(running) => running.next(),
            State::Failed(_) | State::Ended => None,
        };
        if let Some(Next::Outcome(outcome)) = next {
            return Some(outcome);
        }
        let last = std::mem::replace(&mut self.0, State::Ended);
        match (next, last) {
            (Some(Next::Lost(error)), _) | (None, State::Failed(error)) => Some(Err(error)),
            _ => None,
        }
    }
}

impl<I: Iterator, R: DeserializeOwned> Drop for Running<I, R> {
    fn drop(&mut self) {
        if self.outcomes.given() < self.added {
            self.outcomes.give_up();
        }
    }
}

impl<I: Iterator, R: DeserializeOwned> std::fmt::Debug for Imap<I, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            State::Running(_) => "Imap(running)",
            State::Failed(_) => "Imap(failed)",
            State::Ended => "Imap(ended)",
        })
    }
}
