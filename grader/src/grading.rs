//! A submission's whole way to its grade: built, run, validated, judged.
//!
//! This is where the stages meet, and nothing else: each does its work where it stands.

use std::path::PathBuf;

use crate::judge::{Evidence, judge, judge_unrun};
use crate::model::{Condition, Grade, Observation, Orders, Policy, Question, Review, RunRecord, Verdict};
use crate::observe::RunError;
use crate::question::{self, Course, CourseError};
use crate::runner::{self, Runs};
use crate::schedule::Selection;
use crate::submission::{self, Build, BuildError, Colour, Submission, Workspace};
use crate::validator;

/// What is told where a run of the schedule `memory` was made and counts for nothing.
const MISSED_RACES: &str = "Races in shared memory may have gone unseen: what else this program does with memory, signals or \
    system calls does not go with runs in which each access is steered.";

/// Why grading could not go on at all; nothing that a submission does is among it.
#[derive(Debug, thiserror::Error)]
pub enum GradingError {
    /// A question is not there or not sound.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// Building could not begin.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What a grading tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// So many submissions are being built.
    Building(usize),
    /// The submission to this question is being run, the first of which is number 1.
    Running {
        /// The question's id.
        question: &'a str,
        /// Which of all submissions it is.
        number: usize,
        /// How many there are.
        of: usize,
    },
}

/// How to grade.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Under which schedules to run.
    pub selection: Selection,
    /// Whether the compiler's own text is in colour.
    pub colour: Colour,
    /// A file with the written answer, in place of the one that belongs to the submission.
    pub answer: Option<PathBuf>,
    /// What an instructor said of the written answer.
    pub review: Review,
    /// Whether hidden checks are shown like the others.
    pub show_hidden: bool,
}

/// Grades submissions; each grade is handed to `done` as soon as it is there, in the order of the submissions.
///
/// # Errors
/// A question cannot be read, or cargo cannot be used; then nothing is graded.
pub fn grade_all(
    workspace: &Workspace,
    submissions: &[Submission],
    options: &Options,
    mut progress: impl FnMut(Progress<'_>),
    mut done: impl FnMut(Graded),
) -> Result<(), GradingError> {
    let course = Course::find(workspace.root())?;
    let questions: Vec<Question> = submissions
        .iter()
        .map(|submission| {
            let question = course.question(submission.question())?;
            Ok(if options.show_hidden { question.revealed() } else { question })
        })
        .collect::<Result<_, CourseError>>()?;
    let started: Vec<bool> = submissions
        .iter()
        .map(|submission| match submission {
            Submission::Exercise { question } => {
                options.answer.is_some() || submission::is_begun(workspace, question)
            }
            _ => true,
        })
        .collect();
    let to_build: Vec<Submission> = submissions
        .iter()
        .zip(&started)
        .filter(|(_, started)| **started)
        .map(|(one, _)| one.clone())
        .collect();
    progress(Progress::Building(to_build.len()));
    let mut builds = submission::build(workspace, &to_build, options.colour)?.into_iter();
    for (index, submission) in submissions.iter().enumerate() {
        let question = &questions[index];
        progress(Progress::Running { question: &question.id, number: index + 1, of: submissions.len() });
        let build = if started[index] { builds.next() } else { None };
        done(match build {
            Some(build) => grade_built(workspace, question, submission, &build, options),
            None => {
                let notes = vec![not_started(question)];
                let grade = judge_unrun(question, &submission.description(), Verdict::NotStarted, notes);
                Graded { grade, runs: Vec::new() }
            }
        });
    }
    Ok(())
}

fn not_started(question: &Question) -> String {
    let id = &question.id;
    if question.predict.is_some() {
        return format!(
            "Not started: nothing is marked yet. Read exercises/{id}/question.md, then write `possible` or `impossible` \
             in place of each `?` in exercises/{id}/prediction.toml."
        );
    }
    let answer = if question.asks_for_prose() {
        format!(" and your text into exercises/{id}/answer.md")
    } else {
        String::new()
    };
    format!(
        "Not started: the code still contains `todo!`. Read exercises/{id}/question.md, then write your answer into \
         exercises/{id}/src/main.rs{answer}."
    )
}

/// A grade and the runs that it was made from.
#[derive(Debug, Clone)]
pub struct Graded {
    /// The grade.
    pub grade: Grade,
    /// One record a run; none if the submission could not be run.
    pub runs: Vec<RunRecord>,
}

impl Graded {
    /// The first verdict that says that something is wrong.
    ///
    /// What could not be looked at says nothing, though a grade's own verdict may be *not run* for it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut verdicts = self.grade.checks.iter().map(|check| check.verdict);
        verdicts.find(|one| !matches!(one, Verdict::Passed | Verdict::NotRun)).unwrap_or(Verdict::Passed)
    }

    /// How many checks got a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.grade.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// Why not all could be seen, if so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        unobserved(&self.runs)
    }
}

fn unobserved(runs: &[RunRecord]) -> Option<&str> {
    runs.iter().find_map(|run| match &run.observation {
        Observation::OutputOnly { reason } => Some(reason.as_str()),
        Observation::Full => None,
    })
}

/// What running a submission came to, before anybody judges it.
#[derive(Debug)]
pub enum Ran {
    /// It was run.
    Runs(Runs),
    /// It could not be run at all.
    Unrun {
        /// What every check gets.
        verdict: Verdict,
        /// Why.
        note: String,
    },
}

/// Runs and judges one submission that was built, or says why it was not.
#[must_use]
pub fn grade_built(
    workspace: &Workspace,
    question: &Question,
    submission: &Submission,
    build: &Build,
    options: &Options,
) -> Graded {
    let ran = run_built(question, build, &options.selection, |_| false);
    judge_ran(workspace, question, submission, &ran, options)
}

/// Runs what was built; no run is made any more as soon as those that were made are enough.
#[must_use]
pub fn run_built(
    question: &Question,
    build: &Build,
    selection: &Selection,
    is_enough: impl Fn(&[RunRecord]) -> bool,
) -> Ran {
    // What a program can print is known when every order was run; a single schedule is somebody who looks again.
    let every_order = Selection::exhaustive();
    let is_predicted = question.predict.is_some() && selection.schedules().len() > 1;
    let selection = if is_predicted { &every_order } else { selection };
    let program = match build {
        Build::Ready(program) => program,
        Build::Failed { rendered } if question.predict.is_some() => {
            let note = format!("The question's own program does not build.\n{rendered}");
            return Ran::Unrun { verdict: Verdict::GraderFault, note };
        }
        Build::Failed { rendered } => {
            return Ran::Unrun { verdict: Verdict::DidNotBuild, note: rendered.clone() };
        }
    };
    match runner::run_until(program, question, selection, is_enough) {
        Ok(runs) => Ran::Runs(runs),
        Err(RunError::Start { sentence, .. }) => Ran::Unrun { verdict: Verdict::DidNotBuild, note: sentence },
        Err(error) => {
            let note = format!("The grader failed to {}.", with_causes(&error));
            Ran::Unrun { verdict: Verdict::GraderFault, note }
        }
    }
}

/// Judges what running came to, with the answer or the prediction that was handed in beside the program.
///
/// The same runs may be judged with several answers.
#[must_use]
pub fn judge_ran(
    workspace: &Workspace,
    question: &Question,
    submission: &Submission,
    ran: &Ran,
    options: &Options,
) -> Graded {
    let runs = match ran {
        Ran::Runs(runs) => runs,
        Ran::Unrun { verdict, note } => {
            let grade = judge_unrun(question, &submission.description(), *verdict, vec![note.clone()]);
            return Graded { grade, runs: Vec::new() };
        }
    };
    let mut evidence =
        Evidence { runs: runs.records.clone(), review: options.review.clone(), ..Evidence::default() };
    let answer = || submission::answer_of(workspace, question, submission, options.answer.as_deref());
    if question.asks_for_prose() {
        evidence.answer = answer();
    }
    if let Some(predict) = &question.predict {
        evidence.prediction = question::parse_prediction(predict, answer());
        evidence.orders = runs.orders;
    }
    for (index, check) in question.checks.iter().enumerate() {
        if let Condition::Validator { command } = &check.condition {
            let folder = workspace.exercise(&question.id);
            let answers =
                evidence.runs.iter().map(|run| validator::validate(command, &folder, run)).collect();
            evidence.validated.insert(index, answers);
        }
    }
    let mut grade = judge(question, &submission.description(), &evidence);
    if grade.checks.iter().any(|check| check.verdict == Verdict::NotRun) {
        grade.notes.extend(unobserved(&evidence.runs).map(str::to_owned));
    }
    grade.notes.extend(coverage(runs));
    if grade.verdict == Verdict::Passed && runs.may_have_missed_races() {
        grade.notes.push(MISSED_RACES.to_owned());
    }
    grade.again = again(submission, options);
    Graded { grade, runs: evidence.runs }
}

/// How much `exhaustive` has seen.
fn coverage(runs: &Runs) -> Option<String> {
    let count = runs.records.iter().filter(|run| run.schedule.policy == Policy::Exhaustive).count();
    let orders = if count == 1 { "1 order".to_owned() } else { format!("{count} orders") };
    match runs.orders {
        Orders::All => Some(format!("Made {orders} of births and outputs, which are all that there are.")),
        Orders::TooMany => Some(format!("Made {orders} of births and outputs; there are more.")),
        Orders::Unsure => Some(format!(
            "Made {orders} of births and outputs; there may be more, since this program looks again and again for what it \
             waits for, and was let go on then."
        )),
        Orders::Some => None,
    }
}

/// The command that grades the same again, without its schedules.
fn again(submission: &Submission, options: &Options) -> Option<String> {
    let command = match submission {
        Submission::Exercise { question } => format!("cargo grade {question}"),
        Submission::Solution { question } => format!("cargo grade {question} --solutions"),
        Submission::Command { question, words } => {
            // One pair of quotes for the shell around the words as the grader splits them.
            let command = shell_words::quote(&shell_words::join(words)).into_owned();
            format!("cargo grade {question} --command {command}")
        }
        Submission::Source { .. } => return None,
    };
    Some(match &options.answer {
        Some(file) => format!("{command} --answer {}", shell_words::quote(&file.to_string_lossy())),
        None => command,
    })
}

/// An error and all its causes, from the outermost to the innermost.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // An error that passes its cause's text on as its own would say it twice.
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
