//! The order in which the processes of a run may go on, as data.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Which process goes on next: a policy, and the seed of the one that draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Schedule {
    /// The rule.
    pub policy: Policy,
    /// The seed of the rule's choices; the repetition's number where it makes none.
    pub seed: u64,
}

/// A rule by which processes go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Policy {
    /// Everything at once, as the machine likes.
    Free,
    /// A new process only when all others are blocked or ended; with seed 1 on a terminal, as far as the program can tell.
    ChildrenLast,
    /// A parent only when its new child is blocked or ended.
    ChildrenFirst,
    /// The output of the newest process first.
    Reverse,
    /// The newest process first where processes send each other messages or hand over locks, and nowhere else; with seed
    /// 1 main first, and the others take turns, whoever came last first.
    Messages,
    /// Any one, drawn with the seed.
    Random,
    /// The same where processes reach into memory that they share, and nowhere else; with seed 1 they take turns.
    Memory,
    /// One of all orders at births and outputs.
    Exhaustive,
    /// Every child but the first few is ended at its birth, or left standing there, and what is printed all the same was
    /// not the others' work; see [`Schedule::without_children`].
    WithoutChildren,
    /// The same with some of the first children, and none that come later.
    WithoutSome,
}

/// A place where a process can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A process is about to begin.
    Birth,
    /// A process that was begun has executed a program and is about to begin that.
    Exec,
    /// A process has just made another.
    Parent,
    /// A process is about to write to its standard output or error.
    Output,
    /// A process is about to reach into memory that it shares with others.
    Memory,
    /// A process is about to send a message to another.
    Message,
    /// A process has let another have a lock, or whatever else that one waited for.
    HandOver,
    /// A process is about to end.
    End,
}

/// Somebody who is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The process's number in order of birth.
    pub process: u32,
    /// Where it stands.
    pub point: Point,
}

impl fmt::Display for Held {
    /// What happens when it goes on: "child 1 begins", "main prints".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.point {
            Point::Birth => "begins",
            Point::Exec => "begins its program",
            Point::Parent | Point::HandOver => "goes on",
            Point::Output => "prints",
            Point::Memory => "reaches into shared memory",
            Point::Message => "sends a message",
            Point::End => "ends",
        };
        match self.process {
            0 => write!(f, "main {what}"),
            number => write!(f, "child {number} {what}"),
        }
    }
}

impl Policy {
    /// Every value with the name that people and reports use.
    pub const NAMES: [(&'static str, Policy); 10] = [
        ("free", Policy::Free),
        ("children-last", Policy::ChildrenLast),
        ("children-first", Policy::ChildrenFirst),
        ("reverse", Policy::Reverse),
        ("messages", Policy::Messages),
        ("random", Policy::Random),
        ("memory", Policy::Memory),
        ("exhaustive", Policy::Exhaustive),
        ("without-children", Policy::WithoutChildren),
        ("without-some", Policy::WithoutSome),
    ];

    /// The name that people and reports use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Policy::Free => "free",
            Policy::ChildrenLast => "children-last",
            Policy::ChildrenFirst => "children-first",
            Policy::Reverse => "reverse",
            Policy::Messages => "messages",
            Policy::Random => "random",
            Policy::Memory => "memory",
            Policy::Exhaustive => "exhaustive",
            Policy::WithoutChildren => "without-children",
            Policy::WithoutSome => "without-some",
        }
    }

    /// Whether it does not let every child live.
    #[must_use]
    pub fn is_without_children(self) -> bool {
        matches!(self, Policy::WithoutChildren | Policy::WithoutSome)
    }
}

impl Schedule {
    /// Whether a program that asks whether its output is a terminal is told that it is.
    ///
    /// What it does there differs in when its lines come out, so this goes with the order in which children come last.
    #[must_use]
    pub fn is_on_terminal(self) -> bool {
        self.policy == Policy::ChildrenLast && self.seed == 1
    }

    /// The runs with fewer children than `needed`, which is at least 1: in the first the others are ended at their birth,
    /// in the second left standing there. In the third, where it takes several, the second quarter of so many is ended
    /// at birth: the first ones may do nothing, and be no more than what lets the needed ones come late.
    #[must_use]
    pub fn without_children(needed: u64) -> Vec<Schedule> {
        let first = needed.saturating_sub(1).saturating_mul(2);
        let others = [first, first.saturating_add(1)].map(|seed| (Policy::WithoutChildren, seed));
        let some = (needed > 1).then_some((Policy::WithoutSome, needed));
        others.into_iter().chain(some).map(|(policy, seed)| Schedule { policy, seed }).collect()
    }

    /// The children that are not let live, by their number in order of birth, from 1 on.
    #[must_use]
    pub fn missing(self) -> Range<u64> {
        match self.policy {
            Policy::WithoutChildren => self.seed / 2 + 1..u64::MAX,
            Policy::WithoutSome => self.seed / 4 + 1..self.seed / 2 + 1,
            _ => 0..0,
        }
    }

    /// Whether such a run leaves the others standing where they begin.
    #[must_use]
    pub fn leaves_standing(self) -> bool {
        self.policy == Policy::WithoutChildren && self.seed % 2 == 1
    }
}

impl fmt::Display for Schedule {
    /// The form that `--schedules` takes: `free:1`, `children-last`, `random:7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy.name())?;
        let is_drawn = matches!(self.policy, Policy::Random | Policy::Memory | Policy::Exhaustive);
        if self.seed != 0 || is_drawn { write!(f, ":{}", self.seed) } else { Ok(()) }
    }
}
