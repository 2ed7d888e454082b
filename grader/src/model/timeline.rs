//! When the processes of one run lived and where they wrote, as a picture without a scale.

use serde::{Deserialize, Serialize};

use super::Schedule;

/// The processes of one run, one row each; columns are events in the order of time, not moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The run.
    pub schedule: Schedule,
    /// The processes in order of birth, as many as fit.
    pub rows: Vec<TimelineRow>,
    /// How many processes there are beside them.
    pub more: usize,
    /// How many events there are.
    pub columns: usize,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Its label.
    pub label: String,
    /// The column of its birth.
    pub born: usize,
    /// The column of its end; none if the grader ended it.
    pub ended: Option<usize>,
    /// The columns in which it wrote a line of standard output.
    pub wrote: Vec<usize>,
    /// The column in which it wrote the line that is wrong.
    pub broke: Option<usize>,
}
