//! The order in which the processes of a run may go on, as data.

use std::fmt;

/// Which process goes on next: a policy, and the seed of the one that draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule {
    /// The rule.
    pub policy: Policy,
    /// The seed of the rule's choices; the repetition's number where it makes none.
    pub seed: u64,
}

/// A rule by which processes go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Everything at once, as the machine likes.
    Free,
    /// A new process only when all others are blocked or ended.
    ChildrenLast,
    /// A parent only when its new child is blocked or ended.
    ChildrenFirst,
    /// The output of the newest process first.
    Reverse,
    /// Any one, drawn with the seed.
    Random,
    /// One of all orders at births and outputs.
    Exhaustive,
    /// Every child is ended at its birth (with seed 1: left standing there), and what is printed all the same was not
    /// the children's work.
    WithoutChildren,
}

impl Policy {
    /// Every value with the name that people and reports use.
    pub const NAMES: [(&'static str, Policy); 7] = [
        ("free", Policy::Free),
        ("children-last", Policy::ChildrenLast),
        ("children-first", Policy::ChildrenFirst),
        ("reverse", Policy::Reverse),
        ("random", Policy::Random),
        ("exhaustive", Policy::Exhaustive),
        ("without-children", Policy::WithoutChildren),
    ];

    /// The name that people and reports use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Policy::Free => "free",
            Policy::ChildrenLast => "children-last",
            Policy::ChildrenFirst => "children-first",
            Policy::Reverse => "reverse",
            Policy::Random => "random",
            Policy::Exhaustive => "exhaustive",
            Policy::WithoutChildren => "without-children",
        }
    }
}

impl fmt::Display for Schedule {
    /// The form that `--schedules` takes: `free:1`, `children-last`, `random:7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy.name())?;
        if self.seed != 0 || self.policy == Policy::Random { write!(f, ":{}", self.seed) } else { Ok(()) }
    }
}
