//! Results that are on their way: what `apply_async` and `map_async` give.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::callbacks::Awaited;
use super::outcomes::{Next, Outcomes};
use crate::error::Error;

/// The results of a `map` on their way. The counterpart of Python's `MapResult`.
///
/// Dropping it does not stop the calls, as in Python; their results are lost.
#[must_use = "the results are lost if nobody gets them"]
pub struct MapHandle<R> {
    outcomes: Outcomes<R>,
    function: &'static str,
    count: usize,
    values: Vec<R>,
    result: Option<Result<(), Error>>,
    /// Whether there was no error, in case it was taken.
    succeeded: bool,
    taken: bool,
}

impl<R: DeserializeOwned> MapHandle<R> {
    /// A handle to the results of so many calls, of which these have come.
    pub(super) fn new(
        outcomes: Outcomes<R>,
        function: &'static str,
        count: usize,
        mut values: Vec<R>,
    ) -> MapHandle<R> {
        values.reserve_exact(count - values.len());
        MapHandle { outcomes, function, count, values, result: None, succeeded: false, taken: false }
    }

    /// Waits for all results, in the order of the arguments; for the first error instead if there is one.
    ///
    /// # Errors
    ///
    /// As [`Pool::map`](super::Pool::map).
    pub fn get(mut self) -> Result<Vec<R>, Error> {
        self.wait_until(None);
        self.take()
    }

    /// Waits as [`get`](MapHandle::get) does, but no longer than this; `None` if the results are not all
    /// there by then.
    ///
    /// Time running out stops nothing: the calls go on, and one may wait again.
    /// The results are given once; after that it is [`Error::ResultTaken`].
    pub fn get_timeout(&mut self, timeout: Duration) -> Option<Result<Vec<R>, Error>> {
        self.wait_until(Instant::now().checked_add(timeout)).then(|| self.take())
    }

    /// Waits until the results are there, or the error is, and takes nothing.
    pub fn wait(&mut self) {
        self.wait_until(None);
    }

    /// Waits as [`wait`](MapHandle::wait) does, but no longer than this; says whether they are there.
    pub fn wait_timeout(&mut self, timeout: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Whether the results are there, or the error is, so that [`get`](MapHandle::get) does not wait.
    pub fn is_ready(&mut self) -> bool {
        self.wait_until(Some(Instant::now()))
    }

    /// Whether all calls went well; `None` as long as that is not known.
    pub fn successful(&mut self) -> Option<bool> {
        self.is_ready().then_some(self.succeeded)
    }

    /// Has this function called with the results, or with the first error, as soon as they are there. Python's
    /// `callback` and `error_callback` in one.
    ///
    /// All callbacks of a pool are called on one thread that does nothing else, one after the other. One that
    /// takes its time, or panics, holds up other callbacks at most, and no call and no result.
    /// [`Pool::join`](super::Pool::join), `terminate` and dropping the pool wait for the callbacks.
    ///
    /// On that thread all signals are blocked, so that handlers run on the program's own threads. Threads and other
    /// programs that a callback starts may inherit that.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] if there is no room for that thread, and [`Error::Copied`] in a copy of the process by
    /// fork. Then the function is not called.
    pub fn on_done<C>(self, callback: C) -> Result<(), Error>
    where
        C: FnOnce(Result<Vec<R>, Error>) + Send + 'static,
        R: Send + 'static,
    {
        let (job, shared) = self.outcomes.origin();
        if !shared.is_ours() {
            return Err(shared.error());
        }
        let awaited = Box::new(Awaiting { results: self, callback });
        shared.callbacks.add(awaited, |bell| job.hang_up(bell)).map_err(|source| Error::Start { source })
    }

    /// Has no more of the calls begun. Those that are begun come to their end, and their results are lost.
    ///
    /// To have the handle's calls go on without it, drop it.
    pub fn cancel(self) {
        self.outcomes.give_up();
    }

    /// Has no more of the calls begun, and kills the workers that are at one. They are replaced, and nobody
    /// else's calls are harmed.
    pub fn kill(self) {
        self.outcomes.kill();
    }

    fn wait_until(&mut self, deadline: Option<Instant>) -> bool {
        let is_there = self.collect(deadline);
        self.outcomes.leave();
        is_there
    }

    fn collect(&mut self, deadline: Option<Instant>) -> bool {
        while self.result.is_none() {
            if self.outcomes.given() == self.count {
                self.result = Some(Ok(()));
                self.succeeded = true;
                break;
            }
            match self.outcomes.next(self.count, deadline) {
                Next::Outcome(Ok(value)) => {
                    self.values.push(value);
                    self.outcomes.take_values(&mut self.values);
                }
                Next::Outcome(Err(error)) => {
                    self.outcomes.give_up();
                    self.result = Some(Err(error));
                }
                Next::Lost(error) => self.result = Some(Err(error)),
                Next::Late => return false,
            }
        }
        true
    }

    fn take(&mut self) -> Result<Vec<R>, Error> {
        if std::mem::replace(&mut self.taken, true) {
            return Err(Error::ResultTaken { function: self.function.to_owned() });
        }
        if let Some(result) = &mut self.result {
            std::mem::replace(result, Ok(()))?;
        }
        if self.values.len() < self.count {
            // To read one has panicked, and that was caught.
            return Err(Error::ResultTaken { function: self.function.to_owned() });
        }
        Ok(std::mem::take(&mut self.values))
    }
}

/// Results, and what is to be called with them.
struct Awaiting<R, C> {
    results: MapHandle<R>,
    callback: C,
}

impl<R, C> Awaited for Awaiting<R, C>
where
    R: DeserializeOwned + Send,
    C: FnOnce(Result<Vec<R>, Error>) + Send,
{
    fn is_ready(&mut self) -> bool {
        self.results.is_ready()
    }

    fn call(mut self: Box<Self>) {
        let results = self.results.take();
        (self.callback)(results);
    }
}

/// The result of one call on its way. The counterpart of Python's `AsyncResult`.
///
/// Dropping it does not stop the call, as in Python; its result is lost.
#[must_use = "the result is lost if nobody gets it"]
pub struct TaskHandle<R>(MapHandle<R>);

impl<R: DeserializeOwned> TaskHandle<R> {
    /// A handle to the only result of a job of one call.
    pub(super) fn new(results: MapHandle<R>) -> TaskHandle<R> {
        TaskHandle(results)
    }

    /// Waits for the result.
    ///
    /// # Errors
    ///
    /// As [`Pool::apply`](super::Pool::apply).
    pub fn get(self) -> Result<R, Error> {
        self.0.get().map(only)
    }

    /// Waits as [`get`](TaskHandle::get) does, but no longer than this; `None` if the result is not there by
    /// then.
    ///
    /// Time running out does not stop the call: it goes on, and one may wait again.
    /// The result is given once; after that it is [`Error::ResultTaken`].
    pub fn get_timeout(&mut self, timeout: Duration) -> Option<Result<R, Error>> {
        self.0.get_timeout(timeout).map(|result| result.map(only))
    }

    /// Waits until the result is there, or the error is, and does not take it.
    pub fn wait(&mut self) {
        self.0.wait();
    }

    /// Waits as [`wait`](TaskHandle::wait) does, but no longer than this; says whether it is there.
    pub fn wait_timeout(&mut self, timeout: Duration) -> bool {
        self.0.wait_timeout(timeout)
    }

    /// Whether the result is there, or the error is, so that [`get`](TaskHandle::get) does not wait.
    pub fn is_ready(&mut self) -> bool {
        self.0.is_ready()
    }

    /// Whether the call went well; `None` as long as that is not known.
    pub fn successful(&mut self) -> Option<bool> {
        self.0.successful()
    }

    /// Has this function called with the result, or with the error, as soon as it is there; see
    /// [`MapHandle::on_done`].
    ///
    /// ```
    /// # multiprocessing::init();
    /// use std::sync::mpsc;
    ///
    /// let pool = multiprocessing::Pool::new(2)?;
    /// let (sender, results) = mpsc::channel();
    /// for x in [3, 4] {
    ///     let sender = sender.clone();
    ///     pool.apply_async(|x: u64| x * x, x)?.on_done(move |result| sender.send(result).unwrap())?;
    /// }
    /// assert_eq!(results.recv().unwrap()? + results.recv().unwrap()?, 25);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`MapHandle::on_done`].
    pub fn on_done<C>(self, callback: C) -> Result<(), Error>
    where
        C: FnOnce(Result<R, Error>) + Send + 'static,
        R: Send + 'static,
    {
        self.0.on_done(move |result| callback(result.map(only)))
    }

    /// Has the call not begun any more. If it is begun, it comes to its end, and its result is lost.
    ///
    /// To have the call go on without the handle, drop that.
    pub fn cancel(self) {
        self.0.cancel();
    }

    /// Has the call not begun any more; if it is begun, its worker is killed and replaced, and nobody else's
    /// calls are harmed.
    ///
    /// ```
    /// # multiprocessing::init();
    /// let pool = multiprocessing::Pool::new(1)?;
    /// let endless = pool.apply_async(|()| -> () { loop { std::thread::park() } }, ())?;
    /// endless.kill();
    /// assert_eq!(pool.apply(|x: u64| x + 1, 1)?, 2);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn kill(self) {
        self.0.kill();
    }
}

fn only<R>(mut results: Vec<R>) -> R {
    results.pop().expect("a job of one call that did not fail has one result")
}

impl<R> std::fmt::Debug for MapHandle<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapHandle")
            .field("function", &self.function)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl<R> std::fmt::Debug for TaskHandle<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskHandle").field("function", &self.0.function).finish_non_exhaustive()
    }
}
