//! Proving questions sound: what their authors claim, held against real runs.
//!
//! Of each question: its texts are all there, the solution earns full points under many seeds and on a busy machine, the
//! starter builds and earns less, every fixture is judged as it declares, every check is failed by some wrong program,
//! and the limits leave room.
//! All is built by one call of cargo for the packages and one for the single files, and then graded side by side.

mod job;
mod load;
mod margin;
mod proof;
mod texts;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::Fixture;
use super::package::misnamed;
use crate::grading::{Graded, GradingError};
use crate::model::{About, Question, Soundness, Statement};
use crate::question::{Course, CourseError};
use crate::submission::{self, Build, Colour, Submission, Workspace};
use job::{Job, Outcome, Sharing};

/// Gradings made at once for every CPU, since most of a run is waiting.
const GRADINGS_PER_CPU: usize = 3;

/// Why nothing could be proved.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A question is not there, or cargo cannot be used.
    #[error(transparent)]
    Grading(#[from] GradingError),
    /// There is nothing to prove questions by.
    #[error(
        "prove questions: there is no folder `solutions` here. Is this a learner's copy? Do it in the course it was made from"
    )]
    NoSolutions,
    /// Packages are not named like their questions, so that cargo does not find them.
    #[error("build the questions:\n{}", .0.join("\n"))]
    Packages(Vec<String>),
}

/// What proving tells while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many submissions are being built.
    Building(usize),
    /// So many of all gradings are done.
    Grading {
        /// How many are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

/// A question as its files have it, or what is wrong with them.
struct Subject {
    id: String,
    question: Result<Question, String>,
    fixtures: Vec<Fixture>,
    /// Files among the fixtures that are none.
    mistakes: Vec<String>,
}

/// Proves questions sound; the answers stand in the order of `ids`.
///
/// The solution is run under `seeds` random schedules beside the others.
/// `progress` is called from several threads.
///
/// # Errors
/// A question is not there, or nothing can be built at all.
pub fn check(
    workspace: &Workspace,
    ids: &[String],
    seeds: u64,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Soundness>, CheckError> {
    let course = Course::find(workspace.root()).map_err(GradingError::from)?;
    let misnamed = misnamed(workspace, course.ids().iter());
    if !misnamed.is_empty() {
        return Err(CheckError::Packages(misnamed));
    }
    if !workspace.root().join("solutions").is_dir() {
        return Err(CheckError::NoSolutions);
    }
    let subjects: Vec<Subject> = ids
        .iter()
        .map(|id| subject(workspace, &course, id))
        .collect::<Result<_, _>>()
        .map_err(GradingError::from)?;
    let mut jobs: Vec<Job<'_>> =
        subjects.iter().flat_map(|subject| job::of(workspace, subject, seeds)).collect();
    // What takes long begins first, so that nobody waits for it alone at the end.
    jobs.sort_by_key(|job| !job.is_long());
    let submissions: Vec<Submission> = jobs.iter().map(Job::submission).collect();
    progress(Progress::Building(submissions.len()));
    let builds = submission::build(workspace, &submissions, Colour::Never).map_err(GradingError::from)?;
    let outcomes = run(workspace, &jobs, &builds, progress);
    let soundness = |subject: &Subject| {
        let own = jobs.iter().zip(&outcomes).filter(|(job, _)| job.question.id == subject.id);
        soundness(workspace, subject, &own.collect::<Vec<_>>())
    };
    Ok(subjects.iter().map(soundness).collect())
}

fn subject(workspace: &Workspace, course: &Course, id: &str) -> Result<Subject, CourseError> {
    let (fixtures, mistakes) = Fixture::of_question(workspace, course, id);
    let question = match course.question(id) {
        Ok(question) => Ok(question.revealed()),
        Err(CourseError::Invalid(mistakes)) => Err(mistakes.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Subject { id: id.to_owned(), question, fixtures, mistakes })
}

/// Makes all gradings: those that need a busy machine after the others, and those under load.
fn run(
    workspace: &Workspace,
    jobs: &[Job<'_>],
    builds: &[Build],
    progress: &(dyn Fn(Progress) + Sync),
) -> Vec<Outcome> {
    let threads = load::cpus() * GRADINGS_PER_CPU;
    let done = AtomicUsize::new(0);
    let of = jobs.len() + jobs.iter().filter(|job| job.is_solution()).count();
    let step = || progress(Progress::Grading { done: done.fetch_add(1, Ordering::Relaxed) + 1, of });
    progress(Progress::Grading { done: 0, of });
    let graded = load::side_by_side(threads, &Sharing::of(jobs, builds), |_, sharing| {
        let mut graded = Vec::new();
        sharing.grade(workspace, |index, grade| {
            graded.push((index, grade));
            step();
        });
        graded
    });
    let mut graded: Vec<(usize, Graded)> = graded.into_iter().flatten().collect();
    graded.sort_by_key(|(index, _)| *index);
    let outcome = |(_, graded)| Outcome { graded, under_load: None };
    let mut outcomes: Vec<Outcome> = graded.into_iter().map(outcome).collect();
    let solutions: Vec<usize> = (0..jobs.len()).filter(|index| jobs[*index].is_solution()).collect();
    let under_load = load::while_all_cpus_are_busy(|| {
        load::side_by_side(threads, &solutions, |_, index| {
            let graded = jobs[*index].grade_under_load(workspace, &builds[*index]);
            step();
            graded
        })
    });
    for (index, graded) in solutions.into_iter().zip(under_load) {
        outcomes[index].under_load = Some(graded);
    }
    outcomes
}

fn soundness(workspace: &Workspace, subject: &Subject, graded: &[(&Job<'_>, &Outcome)]) -> Soundness {
    let id = subject.id.clone();
    let question = match &subject.question {
        Ok(question) => question,
        Err(mistakes) => {
            let text = "its question.toml is not sound";
            let statements = vec![Statement::new(About::File, text, vec![mistakes.clone()])];
            return Soundness { question: id, title: String::new(), statements, margins: Vec::new() };
        }
    };
    let mut statements = vec![texts::look_at(workspace, question)];
    statements.extend(proof::statements(workspace, subject, question, graded));
    let margins = margin::of(question, graded);
    statements.extend(margin::statement(&margins));
    Soundness { question: id, title: question.title.clone(), statements, margins }
}
