//! One built submission's way to its grade, and the runs that the grade was made from.
//!
//! The grader builds and grades one submission after the other; here all are built at once and graded side by side.

use std::collections::BTreeMap;

use grader::grading::{Options, with_causes};
use grader::judge::{Evidence, judge, judge_unrun};
use grader::model::{Condition, Grade, Observation, Question, RunRecord, Verdict};
use grader::observe::RunError;
use grader::question::Course;
use grader::submission::{Build, Submission};
use grader::{runner, validator};

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
    ///
    /// # Errors
    ///
    /// The grader itself failed.
    pub fn of(course: &Course, question: &Question, submission: &Submission, build: &Build) -> Result<Graded, String> {
        let did_not_build = |note: &str| {
            let notes = vec![note.to_owned()];
            let grade = judge_unrun(question, &submission.description(), Verdict::DidNotBuild, notes);
            Graded { grade, runs: Vec::new() }
        };
        let program = match build {
            Build::Ready(program) => program,
            Build::Failed { rendered } => return Ok(did_not_build(rendered)),
        };
        let runs = match runner::run_all(program, question, &Options::default().selection) {
            Ok(runs) => runs,
            Err(RunError::Start { sentence, .. }) => return Ok(did_not_build(&sentence)),
            Err(error) => return Err(format!("the grader failed to {}", with_causes(&error))),
        };
        let validated = validated(course, question, &runs);
        let evidence = Evidence { runs, validated };
        Ok(Graded { grade: judge(question, &submission.description(), &evidence), runs: evidence.runs })
    }

    /// The first verdict that says that something is wrong.
    ///
    /// What could not be looked at says nothing, though a grade's own verdict may be *not run* for it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.grade.checks.iter().map(|check| check.verdict);
        verdicts.into_iter().find(|one| !matches!(one, Verdict::Passed | Verdict::NotRun)).unwrap_or(Verdict::Passed)
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

fn validated(
    course: &Course,
    question: &Question,
    runs: &[RunRecord],
) -> BTreeMap<usize, Vec<grader::model::ValidatorAnswer>> {
    let folder = course.folder(&question.id);
    let answers = |(index, check): (usize, &grader::model::Check)| match &check.condition {
        Condition::Validator { command } => {
            Some((index, runs.iter().map(|run| validator::validate(command, &folder, run)).collect()))
        }
        _ => None,
    };
    question.checks.iter().enumerate().filter_map(answers).collect()
}
