//! What a submission earned, and why.
//!
//! Grades go from one process of the grader to another as they are; what scripts read is a form of its own, in `report`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Explanation, Schedule, Timeline, Verdict};

/// All verdicts and points of one submission to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// The question's id.
    pub question: String,
    /// The question's title.
    pub title: String,
    /// What was graded, in words: a folder, a file, a command.
    pub submission: String,
    /// `Passed` when all points are earned, else the first check's verdict that is not.
    pub verdict: Verdict,
    /// The sum over all checks.
    pub points: Points,
    /// What concerns the whole submission: the compiler's errors, why nothing could be observed.
    pub notes: Vec<String>,
    /// One for each check of the question, in its order.
    pub checks: Vec<CheckResult>,
    /// The runs that the checks were judged by.
    pub runs: Vec<RunSummary>,
    /// The run that broke the first check that was not passed.
    pub timeline: Option<Timeline>,
    /// The command that grades the same again, without its schedules.
    pub again: Option<String>,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: String,
    /// The kind of its condition, as question.toml names it.
    pub kind: String,
    /// How it went.
    pub verdict: Verdict,
    /// All of its points or none.
    pub points: Points,
    /// Why it was not passed; nothing for a check that was.
    pub explanation: Option<Explanation>,
    /// The run that decided it, where there is one to replay.
    pub run: Option<Schedule>,
    /// Whether the points stand only until an instructor has looked.
    pub provisional: bool,
}

/// Points earned of those possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// What was earned.
    pub earned: u32,
    /// What could have been.
    pub possible: u32,
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Points>>(all: I) -> Points {
        all.fold(Points::default(), |sum, next| Points {
            earned: sum.earned + next.earned,
            possible: sum.possible + next.possible,
        })
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.earned, self.possible)
    }
}

/// A run in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its schedule.
    pub schedule: Schedule,
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took.
    pub wall: Duration,
    /// How many processes were seen, main included.
    pub processes: usize,
    /// How many lines of standard output it printed.
    pub lines: usize,
}
