//! The one word that a check, a run or a grade comes down to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome of a check, a run or a whole grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Everything asked for was there.
    Passed,
    /// Something asked for was not there.
    Failed,
    /// The submission could not be built.
    DidNotBuild,
    /// The wall time was used up.
    TimedOut,
    /// Every process waited for another.
    Deadlocked,
    /// Main was ended by a signal.
    Crashed,
    /// A limit other than the wall time was reached.
    LimitExceeded,
    /// It could not be looked at here.
    NotRun,
    /// The grader or the question is at fault; it costs the learner nothing.
    GraderFault,
    /// The exercise still holds its `todo!`.
    NotStarted,
}

impl Verdict {
    /// Every verdict, with the words that reports use.
    pub const NAMES: [(&'static str, Verdict); 10] = [
        ("passed", Verdict::Passed),
        ("failed", Verdict::Failed),
        ("did not build", Verdict::DidNotBuild),
        ("timed out", Verdict::TimedOut),
        ("deadlocked", Verdict::Deadlocked),
        ("crashed", Verdict::Crashed),
        ("limit exceeded", Verdict::LimitExceeded),
        ("not run", Verdict::NotRun),
        ("grader fault", Verdict::GraderFault),
        ("not started", Verdict::NotStarted),
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Verdict::NAMES.iter().find(|(_, verdict)| verdict == self).map_or("", |(name, _)| name);
        f.pad(name)
    }
}
