//! The policies: which process of a run waits, and which goes on next.
//!
//! Pure: a decider is told where a process stands and who is held, and answers; the observer does the holding.

use std::collections::HashMap;

use crate::model::{Held, Point, Policy, Schedule};

/// Decides one run.
#[derive(Debug, Clone)]
pub struct Decider {
    policy: Policy,
    /// The state of the generator, or what is left of the choices that a seed stands for.
    seed: u64,
    leaves_standing: bool,
    /// Whether all take turns, and when each had its last one.
    takes_turns: bool,
    turns: HashMap<u32, usize>,
    choices: Vec<Choice>,
}

/// One choice that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Who went on.
    pub who: Held,
    /// Its place in the order in which they were looked at.
    pub chosen: u64,
    /// How many there were to choose from.
    pub of: u64,
}

impl Decider {
    /// A decider at the start of a run.
    #[must_use]
    pub fn new(schedule: Schedule) -> Decider {
        let Schedule { policy, seed } = schedule;
        Decider {
            policy,
            seed,
            leaves_standing: schedule.leaves_standing(),
            // What goes wrong where two do the same at the same time is seen in this way; the rest is left to chance.
            takes_turns: matches!(policy, Policy::Memory | Policy::Messages) && seed == 1,
            turns: HashMap::new(),
            choices: Vec::new(),
        }
    }

    /// Whether a process is held at this point.
    #[must_use]
    pub fn holds(&self, point: Point) -> bool {
        match self.policy {
            // Whoever is ended at birth needs no holding.
            Policy::Free | Policy::WithoutSome => false,
            Policy::WithoutChildren => self.leaves_standing && matches!(point, Point::Birth | Point::Exec),
            Policy::ChildrenLast => matches!(point, Point::Birth | Point::Exec | Point::End),
            Policy::ChildrenFirst => point == Point::Parent,
            Policy::Reverse => point == Point::Output,
            Policy::Messages => matches!(point, Point::Message | Point::HandOver),
            Policy::Random => matches!(point, Point::Birth | Point::Exec | Point::Output),
            Policy::Memory => point == Point::Memory,
            Policy::Exhaustive => matches!(point, Point::Birth | Point::Output),
        }
    }

    /// Whether this policy steers processes at all.
    #[must_use]
    pub fn steers(&self) -> bool {
        self.policy != Policy::Free
    }

    /// Whether somebody who is held goes on at all.
    #[must_use]
    pub fn lets_go(&self) -> bool {
        !self.policy.is_without_children()
    }

    /// The index of the one that goes on; `held` is not empty, and stands in the order in which they came to be held.
    ///
    /// `awaited` tells the processes that somebody waits for by name: under `children-last` they go before the others,
    /// so that whoever waits for some children only gets on while the rest is still held.
    pub fn choose(&mut self, held: &[Held], awaited: impl FnOnce() -> Vec<u32>) -> usize {
        let mut by_age: Vec<usize> = (0..held.len()).collect();
        // To find out who is awaited takes its time.
        let awaited = if self.policy == Policy::ChildrenLast { awaited() } else { Vec::new() };
        let is_awaited = |index: usize| held.get(index).is_some_and(|held| awaited.contains(&held.process));
        by_age.sort_by_key(|index| (is_awaited(*index), held[*index]));
        let of = by_age.len() as u64;
        let chosen = match self.policy {
            // The newest goes first; of a chain of parents that are held, the newest too; before it who is awaited.
            Policy::Free
            | Policy::WithoutChildren
            | Policy::WithoutSome
            | Policy::ChildrenLast
            | Policy::ChildrenFirst
            | Policy::Reverse => of.saturating_sub(1),
            // Main goes before its children, so that there is something to do for all of them.
            Policy::Messages if self.takes_turns && held[by_age[0]].process == 0 => 0,
            Policy::Messages if self.takes_turns => {
                // In the first round whoever came last begins, so that who got work last is done first.
                let next = (0..held.len()).rev().min_by_key(|index| self.turn(held[*index]));
                by_age.iter().position(|index| Some(*index) == next).unwrap_or(0) as u64
            }
            Policy::Messages => of.saturating_sub(1),
            Policy::Memory if self.takes_turns => {
                (0..by_age.len()).min_by_key(|place| self.turn(held[by_age[*place]])).unwrap_or(0) as u64
            }
            Policy::Random | Policy::Memory => next_random(&mut self.seed) % of.max(1),
            // A seed stands for all choices of a run: its digits, in a base that changes from choice to choice.
            Policy::Exhaustive => {
                let chosen = self.seed % of.max(1);
                self.seed /= of.max(1);
                chosen
            }
        };
        let index = by_age.get(usize::try_from(chosen).unwrap_or(0)).copied().unwrap_or(0);
        if let Some(who) = held.get(index) {
            self.turns.insert(who.process, self.choices.len());
            self.choices.push(Choice { who: *who, chosen, of });
        }
        index
    }

    /// When somebody's process had its last turn; 0 before the first one.
    fn turn(&self, held: Held) -> usize {
        self.turns.get(&held.process).map_or(0, |turn| turn + 1)
    }

    /// The choices made so far.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }
}

/// The seed of the next path through all choices, depth first, after the one that made these; none after the last.
///
/// `Err` where a run has more choices than a seed can hold.
pub fn next_path(choices: &[Choice]) -> Result<Option<u64>, TooManyChoices> {
    let Some(last) = choices.iter().rposition(|choice| choice.chosen + 1 < choice.of) else {
        return Ok(None);
    };
    let mut seed: u64 = 0;
    for (index, choice) in choices[..=last].iter().enumerate().rev() {
        let digit = choice.chosen + u64::from(index == last);
        seed = seed.checked_mul(choice.of).and_then(|seed| seed.checked_add(digit)).ok_or(TooManyChoices)?;
    }
    Ok(Some(seed))
}

/// A run's choices do not fit into a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyChoices;

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same for ever, so that a seed in a report stays good.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decider(policy: Policy, seed: u64) -> Decider {
        Decider::new(Schedule { policy, seed })
    }

    fn born(processes: &[u32]) -> Vec<Held> {
        processes.iter().map(|process| Held { process: *process, point: Point::Birth }).collect()
    }

    #[test]
    fn children_last_holds_births_and_ends_and_lets_the_newest_go_first() {
        let mut decider = decider(Policy::ChildrenLast, 0);
        assert!([Point::Birth, Point::Exec, Point::End].iter().all(|point| decider.holds(*point)));
        assert!(!decider.holds(Point::Output));
        assert_eq!(decider.choose(&born(&[2, 3, 1]), Vec::new), 1);
    }

    #[test]
    fn children_last_lets_those_go_first_whom_somebody_waits_for() {
        assert_eq!(decider(Policy::ChildrenLast, 0).choose(&born(&[1, 2, 3]), || vec![1, 2]), 1);
        assert_eq!(decider(Policy::Reverse, 0).choose(&born(&[1, 2, 3]), || vec![1, 2]), 2);
    }

    #[test]
    fn a_free_run_holds_nobody() {
        let decider = decider(Policy::Free, 0);
        assert!([Point::Birth, Point::Exec, Point::Parent, Point::Output].iter().all(|p| !decider.holds(*p)));
    }

    #[test]
    fn a_random_seed_always_makes_the_same_choices() {
        let choices = |seed| {
            let mut decider = decider(Policy::Random, seed);
            (0..20).map(|_| decider.choose(&born(&[1, 2, 3, 4]), Vec::new)).collect::<Vec<_>>()
        };
        assert_eq!(choices(7), choices(7));
        assert_ne!(choices(7), choices(8));
    }

    #[test]
    fn under_the_first_seed_of_memory_all_take_turns() {
        let mut decider = decider(Policy::Memory, 1);
        let order: Vec<u32> =
            (0..6).map(|_| [3, 1, 2][decider.choose(&born(&[3, 1, 2]), Vec::new)]).collect();
        assert_eq!(order, [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn messages_come_from_the_newest_first_or_main_is_first_and_the_others_take_turns() {
        let order = |seed| {
            let mut decider = decider(Policy::Messages, seed);
            let held: Vec<Held> = (0..4).map(|process| Held { process, point: Point::Message }).collect();
            let children = &held[1..];
            let all = decider.choose(&held, Vec::new) as u32;
            let rest = (0..5).map(|_| decider.choose(children, Vec::new) as u32 + 1).collect::<Vec<_>>();
            (all, rest)
        };
        assert_eq!(order(0), (3, vec![3, 3, 3, 3, 3]));
        assert_eq!(order(1), (0, vec![3, 2, 1, 3, 2]));
    }

    #[test]
    fn all_paths_are_gone_through_once_each() {
        // Three processes that each make one step: three, then two, then one to choose from.
        let mut seeds = Vec::new();
        let mut orders = std::collections::BTreeSet::new();
        let mut next = Some(0);
        while let Some(seed) = next {
            let mut decider = decider(Policy::Exhaustive, seed);
            let mut left = vec![1, 2, 3];
            let mut order = Vec::new();
            while !left.is_empty() {
                order.push(left.remove(decider.choose(&born(&left), Vec::new)));
            }
            seeds.push(seed);
            orders.insert(order);
            next = next_path(decider.choices()).expect("few choices");
        }
        assert_eq!((seeds.len(), orders.len()), (6, 6));
    }

    #[test]
    fn more_choices_than_a_seed_holds_are_refused() {
        let who = Held { process: 1, point: Point::Birth };
        let choices = vec![Choice { who, chosen: 1, of: 1000 }; 10];
        assert_eq!(next_path(&choices), Err(TooManyChoices));
    }
}
