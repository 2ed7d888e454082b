//! What an instructor says of a written answer; the last word on its points.

/// What an instructor says of the written checks of one submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// One for each check that was looked at.
    pub remarks: Vec<Remark>,
}

/// What an instructor says of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The check's name.
    pub check: String,
    /// What it earns; at most the check's points.
    pub points: u32,
    /// What the learner is told.
    pub comment: Option<String>,
}

impl Review {
    /// The remark on a check, if it was looked at.
    #[must_use]
    pub fn of(&self, check: &str) -> Option<&Remark> {
        self.remarks.iter().find(|remark| remark.check == check)
    }
}
