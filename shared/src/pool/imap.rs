//! Results as an iterator, from arguments as an iterator, with a bounded number of calls between them.

use std::marker::PhantomData;
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Pool;
use super::outcomes::{Next, Outcomes};
use super::submission::Submission;
use crate::error::Error;

/// The results of `imap` or `imap_unordered`, as they come.
///
/// It takes arguments from their iterator only as results are taken from it, a window ahead, so neither
/// arguments nor results pile up. After an error of one call the others go on; after an error of the pool
/// there is nothing more. Dropping it gives up the calls that are not begun.
///
/// It borrows the pool, since [`Pool::join`] would wait for calls that are made only as results are taken: join when
/// all results are there, and not before, as one may in Python, where everything is called whether somebody asks for
/// it or not.
///
/// ```compile_fail,E0505
/// # multiprocessing::init();
/// let pool = multiprocessing::Pool::new(2)?;
/// let squares = pool.imap(|x: u64| x * x, 0..4);
/// pool.join();
/// let squares: Result<Vec<u64>, _> = squares.collect();
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[must_use = "iterators are lazy: nothing is called until results are asked for"]
pub struct Imap<'pool, I: Iterator, R: DeserializeOwned> {
    state: State<I, R>,
    pool: PhantomData<&'pool Pool>,
}

enum State<I: Iterator, R: DeserializeOwned> {
    Running(Box<Running<I, R>>),
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

impl<I: Iterator, R: DeserializeOwned> Imap<'_, I, R> {
    pub(super) fn new(
        arguments: I,
        submission: Submission<I::Item>,
        outcomes: Outcomes<R>,
        window: usize,
    ) -> Self {
        let running = Running { arguments, submission: Some(submission), outcomes, added: 0, window };
        Imap { state: State::Running(Box::new(running)), pool: PhantomData }
    }

    pub(super) fn failed(error: Error) -> Self {
        Imap { state: State::Failed(error), pool: PhantomData }
    }
}

impl<I, R> Running<I, R>
where
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    fn next(&mut self, deadline: Option<Instant>) -> Option<Next<R>> {
        self.fill();
        let given = self.outcomes.given();
        let next = (given < self.added).then(|| self.outcomes.next(given + 1, deadline));
        self.outcomes.leave();
        next
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

impl<I, R> Imap<'_, I, R>
where
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    /// Waits for the next result no longer than this: [`Poll::Pending`] if it is not there by then, and one may
    /// ask again.
    ///
    /// `Poll::Ready` holds what [`next`](Iterator::next) gives.
    ///
    /// ```
    /// # multiprocessing::init();
    /// use std::{task::Poll, time::Duration};
    ///
    /// let pool = multiprocessing::Pool::new(1)?;
    /// let mut results = pool.imap(|x: u64| x * x, [3]);
    /// assert!(matches!(results.next_timeout(Duration::from_secs(60)), Poll::Ready(Some(Ok(9)))));
    /// assert!(matches!(results.next_timeout(Duration::from_secs(60)), Poll::Ready(None)));
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn next_timeout(&mut self, timeout: Duration) -> Poll<Option<Result<R, Error>>> {
        self.next_until(Instant::now().checked_add(timeout))
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Poll<Option<Result<R, Error>>> {
        let next = match &mut self.state {
            State::Running(running) => running.next(deadline),
            State::Failed(_) | State::Ended => None,
        };
        let error = match next {
            Some(Next::Outcome(outcome)) => return Poll::Ready(Some(outcome)),
            Some(Next::Late) => return Poll::Pending,
            Some(Next::Lost(error)) => Some(error),
            None => None,
        };
        let last = std::mem::replace(&mut self.state, State::Ended);
        Poll::Ready(match (error, last) {
            (Some(error), _) | (None, State::Failed(error)) => Some(Err(error)),
            _ => None,
        })
    }
}

impl<I, R> Iterator for Imap<'_, I, R>
where
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Result<R, Error>> {
        match self.next_until(None) {
            Poll::Ready(next) => next,
            // Without a deadline nothing can be late.
            Poll::Pending => None,
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

impl<I: Iterator, R: DeserializeOwned> std::fmt::Debug for Imap<'_, I, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.state {
            State::Running(_) => "Imap(running)",
            State::Failed(_) => "Imap(failed)",
            State::Ended => "Imap(ended)",
        })
    }
}
