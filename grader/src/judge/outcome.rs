//! What one check comes to in one run.

use crate::model::Explanation;

/// What one check comes to in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything asked for was seen.
    Holds,
    /// Something that was seen is not as asked for.
    Broken(Explanation),
    /// Nothing that was seen is wrong, and something asked for could not be seen, for this reason.
    Unseen(String),
    /// The check itself does not work, for this reason.
    Fault(String),
}

impl Outcome {
    /// Both: what is broken counts most, then what is at fault, then what was not seen.
    pub(super) fn and(self, other: impl FnOnce() -> Outcome) -> Outcome {
        match self {
            Outcome::Broken(_) => self,
            Outcome::Holds => other(),
            Outcome::Fault(_) | Outcome::Unseen(_) => match other() {
                broken @ Outcome::Broken(_) => broken,
                fault @ Outcome::Fault(_) => fault,
                Outcome::Holds | Outcome::Unseen(_) => self,
            },
        }
    }
}
