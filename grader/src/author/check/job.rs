//! One grading that a proof needs.

use std::path::PathBuf;

use super::super::fixture::{Fixture, python};
use super::Subject;
use crate::grading::{self, Graded, Options};
use crate::model::{Question, RunRecord, Verdict};
use crate::schedule::Selection;
use crate::submission::{self, Build, Submission, Workspace};

/// Random schedules for a fixture; `cargo test` grades each as a learner's program is graded, with all of them.
const SEEDS_FOR_FIXTURES: u64 = 1;

/// Random schedules on a busy machine: it is the load that is tried there, not the orders.
const SEEDS_UNDER_LOAD: u64 = 0;

/// What is graded, and how.
pub(super) struct Job<'a> {
    pub(super) question: &'a Question,
    pub(super) what: What<'a>,
    options: Options,
}

/// What is graded.
pub(super) enum What<'a> {
    Solution,
    /// The exercise as it was given, whatever has been made of it since.
    Starter(PathBuf),
    Fixture(&'a Fixture),
}

/// What a job came to.
pub(super) struct Outcome {
    pub(super) graded: Graded,
    /// For a solution: its grade while every CPU was busy.
    pub(super) under_load: Option<Graded>,
}

/// All that has to be graded for one question; what is not there is told by the proof.
pub(super) fn of<'a>(workspace: &Workspace, subject: &'a Subject, seeds: u64) -> Vec<Job<'a>> {
    let Ok(question) = &subject.question else { return Vec::new() };
    let job = |what, seeds, answer| {
        let selection = Selection::with_seeds(seeds);
        Job { question, what, options: Options { selection, answer, ..Options::default() } }
    };
    let mut jobs = Vec::new();
    if workspace.solution(&question.id).join("Cargo.toml").is_file() {
        jobs.push(job(What::Solution, seeds, None));
    }
    let starter = workspace.exercise(&question.id).join("starter");
    let program = starter.join("src/main.rs");
    if program.is_file() {
        let answer = Some(starter.join(submission::answer_name(question))).filter(|answer| answer.is_file());
        jobs.push(job(What::Starter(program), SEEDS_FOR_FIXTURES, answer));
    }
    let can_run = |fixture: &&Fixture| !fixture.is_python() || python().is_some();
    let fixture =
        |fixture: &'a Fixture| job(What::Fixture(fixture), SEEDS_FOR_FIXTURES, fixture.answer(workspace));
    jobs.extend(subject.fixtures.iter().filter(can_run).map(fixture));
    jobs
}

impl Job<'_> {
    pub(super) fn submission(&self) -> Submission {
        let question = self.question.id.clone();
        match &self.what {
            What::Solution => Submission::Solution { question },
            What::Starter(program) => Submission::Source { question, file: program.clone() },
            What::Fixture(fixture) => fixture.submission(),
        }
    }

    pub(super) fn is_solution(&self) -> bool {
        matches!(self.what, What::Solution)
    }

    /// Whether it may take as long as its question allows, or has many runs to make.
    pub(super) fn is_long(&self) -> bool {
        match self.what {
            What::Solution => true,
            What::Starter(_) => false,
            What::Fixture(fixture) => matches!(fixture.verdict, Verdict::TimedOut | Verdict::Deadlocked),
        }
    }

    pub(super) fn grade(&self, workspace: &Workspace, build: &Build) -> Graded {
        let is_enough = |runs: &[RunRecord]| match self.what {
            What::Fixture(fixture) => fixture.is_caught(self.question, runs),
            _ => false,
        };
        let submission = self.submission();
        grading::grade_until(workspace, self.question, &submission, build, &self.options, is_enough)
    }

    pub(super) fn grade_under_load(&self, workspace: &Workspace, build: &Build) -> Graded {
        let selection = Selection::with_seeds(SEEDS_UNDER_LOAD);
        let options = Options { selection, ..self.options.clone() };
        grading::grade_built(workspace, self.question, &self.submission(), build, &options)
    }
}
