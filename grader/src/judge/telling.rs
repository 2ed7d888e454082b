//! Which of the runs that break a check is shown, and named as the one to make again.

use std::cmp::Reverse;

use crate::model::{Policy, RunRecord, Schedule};

/// Where the run is among those that break a check, of all `runs`, that tells most; none if there is no such run.
///
/// A free run may turn out otherwise next time, and of several orders the shortest shows best what is wrong.
/// What comes of an order of births is broken by many of them, or by the one in which children come last.
/// What few of them break they may have broken by luck: a run that brings just this about, by the order of messages or of
/// accesses to memory, does so again.
pub(super) fn place(broken: &[&RunRecord], runs: &[RunRecord]) -> Option<usize> {
    let find =
        |is_meant: &dyn Fn(Policy) -> bool| broken.iter().position(|run| is_meant(run.schedule.policy));
    let shortest = || {
        let orders = broken.iter().enumerate().filter(|(_, run)| run.schedule.policy == Policy::Exhaustive);
        // The first of those that are as short.
        orders.max_by_key(|(place, run)| Reverse((run.steps.len(), *place))).map(|(place, _)| place)
    };
    let by_chance = || {
        let count = |runs: &mut dyn Iterator<Item = &RunRecord>| {
            runs.filter(|run| orders_births(run.schedule)).count()
        };
        let (few, all) = (count(&mut broken.iter().copied()), count(&mut runs.iter()));
        let is_likely = find(&|policy| policy == Policy::ChildrenLast).is_none() && 2 * few < all;
        is_likely.then(|| find(&|policy| matches!(policy, Policy::Messages | Policy::Memory))).flatten()
    };
    shortest()
        .or_else(by_chance)
        .or_else(|| find(&|policy| policy != Policy::Free))
        .or_else(|| find(&|_| true))
}

/// Whether a schedule is about an order of births; on a terminal it is none of its own.
pub(super) fn orders_births(schedule: Schedule) -> bool {
    let policies = [Policy::ChildrenLast, Policy::ChildrenFirst, Policy::Reverse, Policy::Random];
    policies.contains(&schedule.policy) && !schedule.is_on_terminal()
}
