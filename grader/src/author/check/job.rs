//! One grading that a proof needs.

use std::path::PathBuf;

use super::super::fixture::{Fixture, python};
use super::Subject;
use crate::grading::{self, Graded, Options, Ran};
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

    /// Whether these runs are enough to prove what the job is there for.
    fn is_done(&self, runs: &[RunRecord]) -> bool {
        matches!(self.what, What::Fixture(fixture) if fixture.is_caught(self.question, runs))
    }

    fn judge(&self, workspace: &Workspace, ran: &Ran) -> Graded {
        grading::judge_ran(workspace, self.question, &self.submission(), ran, &self.options)
    }

    pub(super) fn grade_under_load(&self, workspace: &Workspace, build: &Build) -> Graded {
        let selection = Selection::with_seeds(SEEDS_UNDER_LOAD);
        let ran = grading::run_built(self.question, build, &selection, |_| false);
        self.judge(workspace, &ran)
    }
}

/// Jobs whose submissions are one program: the reference program with several answers, or a program to predict.
///
/// It is run once for all of them.
pub(super) struct Sharing<'a> {
    build: &'a Build,
    /// The jobs, each with its place among all.
    jobs: Vec<(usize, &'a Job<'a>)>,
}

impl<'a> Sharing<'a> {
    /// All jobs, by what they run; in the order of the first of each.
    pub(super) fn of(jobs: &'a [Job<'a>], builds: &'a [Build]) -> Vec<Sharing<'a>> {
        let mut all: Vec<Sharing<'a>> = Vec::new();
        for (index, (job, build)) in jobs.iter().zip(builds).enumerate() {
            let runs_the_same = |one: &&mut Sharing<'a>| {
                one.build == build && one.jobs.iter().all(|(_, other)| other.question.id == job.question.id)
            };
            match all.iter_mut().find(runs_the_same) {
                Some(sharing) => sharing.jobs.push((index, job)),
                None => all.push(Sharing { build, jobs: vec![(index, job)] }),
            }
        }
        all
    }

    /// Makes as many runs as the job that needs most; `done` gets each job's grade, with its place among all.
    pub(super) fn grade(&self, workspace: &Workspace, mut done: impl FnMut(usize, Graded)) {
        let jobs = || self.jobs.iter().map(|(_, job)| job);
        let Some(most) = jobs().max_by_key(|job| job.options.selection.schedules().len()) else { return };
        let is_done = |runs: &[RunRecord]| jobs().all(|job| job.is_done(runs));
        let ran = grading::run_built(most.question, self.build, &most.options.selection, is_done);
        for (index, job) in &self.jobs {
            done(*index, job.judge(workspace, &ran));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::submission::Program;

    const QUESTION: &str = "title = 'T'\ntopic = 't'\n[[check]]\nname = 'n'\npoints = 1\noutput = 'a'\n";

    #[test]
    fn submissions_that_are_one_program_are_run_once() {
        let questions =
            ["q1", "q2"].map(|id| crate::question::parse(id, Path::new("question.toml"), QUESTION).unwrap());
        let job = |question| Job { question, what: What::Solution, options: Options::default() };
        let build = |name: &str| {
            let folder = PathBuf::from("/");
            Build::Ready(Program { executable: name.into(), args: Vec::new(), folder })
        };
        let jobs = [job(&questions[0]), job(&questions[0]), job(&questions[1]), job(&questions[0])];
        let builds = [build("/a"), build("/b"), build("/a"), build("/a")];
        let places = |one: &Sharing<'_>| one.jobs.iter().map(|(index, _)| *index).collect::<Vec<_>>();
        let shared: Vec<Vec<usize>> = Sharing::of(&jobs, &builds).iter().map(places).collect();
        assert_eq!(shared, [vec![0, 3], vec![1], vec![2]]);
    }
}
