//! The queue by which a job's outcomes come back to its submitter.
//!
//! There may be a hundred thousand of them at once, one for each call that was submitted by itself, so an empty
//! one is a few words, and nobody is woken who does not sleep.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::ipc::frame::Payload;

/// What comes back to the submitter of a job.
pub(super) enum Delivery {
    /// The outcomes of the calls from this index on.
    Outcomes { first: usize, outcomes: Payload },
    /// Some of the calls will never have an outcome: the pool is no more.
    Lost,
    /// No outcome: it is the turn of whoever waits for this job to look after the workers.
    Drive,
}

/// From whoever looks after the workers to whoever waits for a job.
#[derive(Default)]
pub(super) struct Deliveries {
    queue: Mutex<Queue>,
    came: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Delivery>,
    /// Whether somebody sleeps until something comes.
    is_awaited: bool,
    /// Whether nobody will ever take anything.
    is_closed: bool,
}

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a delivery. Nobody may be waiting any more, which is no fault.
    pub(super) fn send(&self, delivery: Delivery) {
        let mut queue = self.lock();
        if queue.is_closed {
            return;
        }
        queue.waiting.push_back(delivery);
        if std::mem::take(&mut queue.is_awaited) {
            drop(queue);
            self.came.notify_one();
        }
    }

    /// What has come, if anything has.
    pub(super) fn take(&self) -> Option<Delivery> {
        self.lock().waiting.pop_front()
    }

    /// Waits for the next delivery, but no longer than to the deadline.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Delivery> {
        let mut queue = self.lock();
        loop {
            if let Some(delivery) = queue.waiting.pop_front() {
                return Some(delivery);
            }
            queue.is_awaited = true;
            queue = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.came.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => {
                    queue.is_awaited = false;
                    return None;
                }
                Some(left) => self.came.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Drops all that has come, and all that will.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn deliveries_come_in_order_to_one_who_sleeps_or_not() {
        let deliveries = Deliveries::default();
        assert!(deliveries.take().is_none());
        assert!(deliveries.wait(Some(Instant::now())).is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let next = || deliveries.wait(Some(Instant::now() + Duration::from_secs(60)));
                std::iter::from_fn(next).take_while(|delivery| !matches!(delivery, Delivery::Lost)).count()
            });
            for first in 0..100 {
                deliveries.send(Delivery::Outcomes { first, outcomes: Payload::from(Vec::new()) });
            }
            deliveries.send(Delivery::Lost);
            assert_eq!(waiting.join().unwrap(), 100);
        });
    }

    #[test]
    fn what_nobody_will_take_is_not_kept() {
        let deliveries = Deliveries::default();
        deliveries.send(Delivery::Lost);
        deliveries.close();
        deliveries.send(Delivery::Lost);
        assert!(deliveries.take().is_none());
    }
}
