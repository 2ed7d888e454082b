//! Snapshots: files of expected output, made from what the solution prints.
//!
//! The solution is run under every schedule of an ordinary grading. Only an output that is the same in all of them can be
//! expected of anybody.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use tempfile::NamedTempFile;

use crate::grading::{GradingError, with_causes};
use crate::model::{Condition, Ending, ExitStatus, RunRecord, Schedule, Stream};
use crate::question::Course;
use crate::runner;
use crate::schedule::Selection;
use crate::submission::{self, Build, BuildError, Colour, Submission, Workspace};

/// Why there is nothing to record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The question or its solution cannot be had.
    #[error(transparent)]
    Grading(#[from] GradingError),
    /// No check asks for a file.
    #[error("record `{0}`: none of its checks has a `snapshot`")]
    NoSnapshot(String),
    /// The solution does not build.
    #[error("build `solutions/{question}`:\n{rendered}")]
    Build {
        /// The question's id.
        question: String,
        /// The compiler's text.
        rendered: String,
    },
    /// A run could not be made.
    #[error("run `solutions/{question}`: {why}")]
    Run {
        /// The question's id.
        question: String,
        /// What happened.
        why: String,
    },
    /// Two runs print different lines.
    #[error(
        "record `{question}`: its solution prints other lines in the run {other} than in the run {one}; ask for what may \
         vary with `output` in place of `snapshot`"
    )]
    Varies {
        /// The question's id.
        question: String,
        /// A run.
        one: Schedule,
        /// Another one.
        other: Schedule,
    },
    /// A file could not be read or written; it is as it was.
    #[error("write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A snapshot as it is, and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// What it holds; none if it is not there yet.
    pub before: Option<String>,
    /// What the solution prints.
    pub after: String,
}

impl Recording {
    /// Whether the file is as it should be.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.before.as_ref() == Some(&self.after)
    }

    /// Puts the new text in the file's place, all at once.
    ///
    /// # Errors
    /// It cannot be written; then it is as it was.
    pub fn write(&self) -> Result<(), RecordError> {
        let write = || {
            let folder = self.path.parent().unwrap_or(&self.path);
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(self.after.as_bytes())?;
            // A temporary file is for its owner alone, and this one is for all who may read the question.
            let mode = fs::metadata(folder.join("question.toml"))?.permissions();
            file.as_file().set_permissions(mode)?;
            file.persist(&self.path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|source| RecordError::Write { path: self.path.clone(), source })
    }
}

/// Runs a question's solution, and tells what its snapshots should be; nothing is written.
///
/// # Errors
/// See [`RecordError`].
pub fn record(workspace: &Workspace, id: &str) -> Result<Vec<Recording>, RecordError> {
    let course = Course::find(workspace.root()).map_err(GradingError::from)?;
    let question = course.unrecorded_question(id).map_err(GradingError::from)?;
    let files = question.checks.iter().filter_map(|check| match &check.condition {
        Condition::Snapshot { file, .. } => Some(workspace.exercise(id).join(file)),
        _ => None,
    });
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(RecordError::NoSnapshot(id.to_owned()));
    }
    let solution = Submission::Solution { question: id.to_owned() };
    let built = submission::build(workspace, &[solution], Colour::Never).map_err(GradingError::from)?;
    let program = match built.into_iter().next() {
        Some(Build::Ready(program)) => program,
        Some(Build::Failed { rendered }) => {
            return Err(RecordError::Build { question: id.to_owned(), rendered });
        }
        None => return Err(GradingError::from(BuildError::NoPackage { question: id.to_owned() }).into()),
    };
    let failed = |why| RecordError::Run { question: id.to_owned(), why };
    let runs = runner::run_all(&program, &question, &Selection::quick())
        .map_err(|error| failed(with_causes(&error)))?
        .records;
    let after = common_output(id, &runs)?;
    files
        .into_iter()
        .map(|path| match fs::read_to_string(&path) {
            Ok(text) => Ok(Recording { path, before: Some(text), after: after.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Recording { path, before: None, after: after.clone() })
            }
            Err(source) => Err(RecordError::Write { path, source }),
        })
        .collect()
}

/// What all runs print.
fn common_output(id: &str, runs: &[RunRecord]) -> Result<String, RecordError> {
    let failed = |why| RecordError::Run { question: id.to_owned(), why };
    let mut common: Option<(Schedule, String)> = None;
    for run in runs {
        if run.ending != Ending::Finished || run.main_status() != Some(ExitStatus::Code(0)) {
            return Err(failed(format!(
                "it does not end by itself with exit code 0 in the run {}",
                run.schedule
            )));
        }
        let lines = run.stream(Stream::Stdout);
        if lines.iter().any(|line| line.invalid_utf8) {
            return Err(failed("it prints bytes that are no UTF-8, which no snapshot holds".to_owned()));
        }
        let text: String = lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
        match &common {
            Some((one, first)) if *first != text => {
                let (question, one, other) = (id.to_owned(), *one, run.schedule);
                return Err(RecordError::Varies { question, one, other });
            }
            Some(_) => {}
            None => common = Some((run.schedule, text)),
        }
    }
    common.map(|(_, text)| text).ok_or_else(|| failed("no run was made".to_owned()))
}
