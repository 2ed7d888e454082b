//! One built submission's way to its grade, and the runs that the grade was made from.
//!
//! The grader builds and grades one submission after the other; here all are built at once and graded side by side.

use grader::grading;
use grader::model::{Grade, Observation, Question, RunRecord, Verdict};
use grader::question::Course;
use grader::schedule::Selection;
use grader::submission::{Build, Submission};

/// A grade and what it was made from.
#[derive(Debug)]
pub struct Graded {
    /// The grade.
    pub grade: Grade,
    /// The runs; none if the submission could not be run.
    pub runs: Vec<RunRecord>,
}

impl Graded {
    /// Runs and judges a submission that is built.
    #[must_use]
    pub fn of(course: &Course, question: &Question, submission: &Submission, build: &Build) -> Graded {
        let grading::Graded { grade, runs } =
            grading::grade_built(course, question, submission, build, &Selection::default());
        Graded { grade, runs }
    }

    /// The first verdict that says that something is wrong.
    ///
    /// What could not be looked at says nothing, though a grade's own verdict may be *not run* for it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.grade.checks.iter().map(|check| check.verdict);
        verdicts
            .into_iter()
            .find(|one| !matches!(one, Verdict::Passed | Verdict::NotRun))
            .unwrap_or(Verdict::Passed)
    }

    /// How many checks got a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.grade.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// Why not all could be seen, if so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.runs.iter().find_map(|run| match &run.observation {
            Observation::OutputOnly { reason } => Some(reason.as_str()),
            Observation::Full => None,
        })
    }
}
