//! The way out of the pool: outcomes become values, in the caller's thread.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::deliveries::Delivery;
use super::job::Job;
use super::manager::Shared;
use crate::draft::Draft;
use crate::error::Error;
use crate::ipc::frame::Payload;
use crate::ipc::{attachments, codec, outcome};

/// To read so many bytes takes longer than to have somebody else look after the workers meanwhile.
const LONG: usize = 64 << 10;

/// What is on its way back to the submitter of a job.
pub(super) struct Receiving {
    job: Arc<Job>,
    shared: Arc<Shared>,
    /// Whether somebody has waited here and not left.
    came: Cell<bool>,
    /// Whether that one has something else to do for the moment.
    stepped_back: Cell<bool>,
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // In a copy of the process by fork, a thread that is not there may hold the lock on the queue.
        if self.shared.is_ours() {
            self.leave();
            self.job.deliveries.close();
        }
    }
}

impl Receiving {
    pub(super) fn new(job: Arc<Job>, shared: Arc<Shared>) -> Receiving {
        Receiving { job, shared, came: Cell::new(false), stepped_back: Cell::new(false) }
    }

    fn receive(&self, deadline: Option<Instant>) -> Option<Delivery> {
        self.came.set(true);
        self.stepped_back.set(false);
        self.shared.receive(&self.job, deadline)
    }

    /// What has come by now.
    fn try_receive(&self) -> Option<Delivery> {
        self.job.deliveries.take()
    }

    /// Says that nobody waits here for the moment.
    fn leave(&self) {
        if self.came.take() {
            self.shared.leave(&self.job, self.stepped_back.take());
        }
    }

    /// Has others look after the workers before values are read of which this is a part, if that may take long or
    /// they are the last that are asked for.
    fn make_way(&self, part: &Payload, is_last: bool) {
        if is_last {
            self.leave();
        } else if self.came.get()
            && !self.stepped_back.get()
            && (part.bytes().len() >= LONG || !part.attached().is_empty())
        {
            self.shared.step_back(&self.job);
            self.stepped_back.set(true);
        }
    }

    /// Says that nobody wants the calls that are not begun.
    fn give_up(&self) {
        if self.job.give_up_from(0) {
            self.shared.give_up(&self.job);
        }
    }

    /// Says that nobody wants any of the calls, begun or not.
    fn kill(&self) {
        self.job.give_up_from(0);
        self.shared.kill(&self.job);
    }
}

/// Leaves when it is dropped, by a panic: somebody else may wait for what this caller was to look after.
struct Leaving<'a>(&'a Receiving);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The order in which outcomes are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    AsSubmitted,
    AsCompleted,
}

/// What waiting for an outcome came to.
pub(super) enum Next<R> {
    /// What came of one call.
    Outcome(Result<R, Error>),
    /// Nothing more will come: the pool is no more.
    Lost(Error),
    /// The deadline has come.
    Late,
}

/// The outcomes of a job, one by one.
pub(super) struct Outcomes<R> {
    receiving: Receiving,
    function: &'static str,
    order: Order,
    /// Outcomes that came before their turn, by the index of their first call.
    early: BTreeMap<usize, Payload>,
    current: Option<Row>,
    /// How many were given.
    given: usize,
    /// Whether some will never come.
    is_lost: bool,
    result: PhantomData<fn() -> R>,
}

/// A row of outcomes, as far as it is not used yet.
struct Row {
    payload: Payload,
    place: outcome::Place,
}

impl Row {
    fn new(payload: Payload) -> Row {
        Row { payload, place: outcome::Place::default() }
    }
}

impl<R: DeserializeOwned> Outcomes<R> {
    pub(super) fn new(receiving: Receiving, function: &'static str, order: Order) -> Outcomes<R> {
        Outcomes {
            receiving,
            function,
            order,
            early: BTreeMap::new(),
            current: None,
            given: 0,
            is_lost: false,
            result: PhantomData,
        }
    }

    pub(super) fn given(&self) -> usize {
        self.given
    }

    /// Appends the values that have come, without waiting, up to the first outcome that is none.
    pub(super) fn take_ready(&mut self, values: &mut Vec<R>) {
        loop {
            self.take_values(values);
            if self.current.as_ref().is_some_and(|row| !row.place.is_at_end(row.payload.bytes())) {
                return;
            }
            self.current = None;
            if !self.take_early() {
                let Some(delivery) = self.receiving.try_receive() else { return };
                self.accept(delivery);
            }
        }
    }

    /// Turns to outcomes that came before their turn, if it is their turn now.
    fn take_early(&mut self) -> bool {
        self.current = self.early.remove(&self.given).map(Row::new);
        self.current.is_some()
    }

    /// Takes in what came, when there is nothing left of what came before.
    fn accept(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Outcomes { first, outcomes } => {
                if self.order == Order::AsCompleted || first == self.given {
                    self.current = Some(Row::new(outcomes));
                } else {
                    self.early.insert(first, outcomes);
                }
            }
            Delivery::Lost => self.is_lost = true,
            Delivery::Drive => {}
        }
    }

    /// Appends the values that are there and come next, as far as nothing else comes between. No more than
    /// there are calls: whoever sent them has looked at that.
    pub(super) fn take_values(&mut self, values: &mut Vec<R>) {
        let Some(row) = &mut self.current else { return };
        loop {
            let mut run = row.place.results(row.payload.bytes());
            self.receiving.make_way(&row.payload, false);
            // Should that panic, they will be read again.
            let leaving = Leaving(&self.receiving);
            let mut draft = Draft::new(values);
            attachments::with(row.payload.attached(), || {
                while let Some(value) = run.take_first()
                    && let Ok(value) = codec::decode(value)
                {
                    draft.push(value);
                }
            });
            let taken = draft.keep();
            std::mem::forget(leaving);
            row.place.skip(taken);
            self.given += taken;
            if taken == 0 {
                return;
            }
        }
    }

    /// Waits for the next outcome. To be called only while there are calls whose outcome was not given.
    ///
    /// `count` is the number of outcomes that will have been given when no further one is asked for at once.
    pub(super) fn next(&mut self, count: usize, deadline: Option<Instant>) -> Next<R> {
        loop {
            if let Some(outcome) = self.take_from_current(count) {
                return Next::Outcome(outcome);
            }
            if self.take_early() {
                continue;
            }
            if self.is_lost {
                return Next::Lost(self.receiving.shared.error());
            }
            match self.receiving.receive(deadline) {
                Some(delivery) => self.accept(delivery),
                None => return Next::Late,
            }
        }
    }

    fn take_from_current(&mut self, count: usize) -> Option<Result<R, Error>> {
        let row = self.current.as_mut()?;
        let Some(outcome) = row.place.next(row.payload.bytes()) else {
            self.current = None;
            return None;
        };
        // First: should reading it panic, the next one is another's all the same.
        self.given += 1;
        Some(match outcome {
            Ok(value) => {
                self.receiving.make_way(&row.payload, self.given == count);
                let leaving = Leaving(&self.receiving);
                let decoded = attachments::with(row.payload.attached(), || codec::decode(value));
                std::mem::forget(leaving);
                decoded.map_err(|error| Error::result_not_decoded(error, self.function))
            }
            Err(failure) => Err(Error::of(failure, self.function)),
        })
    }

    /// Says that nobody waits for the moment. To be called after [`next`](Outcomes::next), once no further
    /// outcome is asked for at once.
    pub(super) fn leave(&self) {
        self.receiving.leave();
    }

    /// Says that nobody wants the calls that are not begun.
    pub(super) fn give_up(&self) {
        self.receiving.give_up();
    }

    /// Says that nobody wants any of the calls, so that workers which are at one can be killed.
    pub(super) fn kill(&self) {
        self.receiving.kill();
    }

    /// The job that these are the outcomes of, and its pool.
    pub(super) fn origin(&self) -> (Arc<Job>, Arc<Shared>) {
        (Arc::clone(&self.receiving.job), Arc::clone(&self.receiving.shared))
    }
}
