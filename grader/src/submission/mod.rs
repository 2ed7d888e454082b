//! What is graded, and making it ready to start.
//!
//! Responsible for finding the workspace, building packages with cargo and looking up commands.
//! A submission that does not build is an outcome, not an error; it never touches the build of the others.
//! Nothing here starts a submission.

mod answer;
mod begun;
mod cargo;
mod code;
mod command;
mod manifest;
mod package;
mod source;
mod unfinished;
mod workspace;

use std::path::PathBuf;

pub use crate::sys::Program;
pub use answer::{answer_name, answer_of};
pub use begun::is_begun;
pub use cargo::BuildError;
pub use code::without_texts;
pub use command::program as find_program;
pub use unfinished::is_unfinished;
pub use workspace::{Workspace, WorkspaceError};

/// Something to grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// The learner's package.
    Exercise {
        /// The question's id.
        question: String,
    },
    /// The reference answer.
    Solution {
        /// The question's id.
        question: String,
    },
    /// A Rust file that takes the place of the exercise's main.rs.
    Source {
        /// The question's id.
        question: String,
        /// The file.
        file: PathBuf,
    },
    /// Any program.
    Command {
        /// The question's id.
        question: String,
        /// The program and its arguments; a program without a slash is looked up in PATH.
        words: Vec<String>,
    },
}

impl Submission {
    /// The id of the question that it answers.
    #[must_use]
    pub fn question(&self) -> &str {
        match self {
            Submission::Exercise { question }
            | Submission::Solution { question }
            | Submission::Source { question, .. }
            | Submission::Command { question, .. } => question,
        }
    }

    /// What it is, in words for a report: `exercises/q6`, the file, the command.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Submission::Exercise { question } => format!("exercises/{question}"),
            Submission::Solution { question } => format!("solutions/{question}"),
            Submission::Source { file, .. } => file.display().to_string(),
            Submission::Command { words, .. } => shell_words::join(words),
        }
    }
}

/// What making a submission ready came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// It can be started.
    Ready(Program),
    /// It cannot.
    Failed {
        /// The compiler's own text, or why there is no such command.
        rendered: String,
    },
}

/// How the compiler's text is rendered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// As plain text.
    #[default]
    Never,
    /// With the terminal's colours.
    Always,
}

/// Makes submissions ready to start; the answers stand in the order of `submissions`.
///
/// However many there are, cargo is called once for all packages and once more for all single files.
/// Where a question gives the program, that is built, whatever the learner has made of the copy in `src`.
///
/// # Errors
///
/// Cargo itself could not do its work: it is missing, a manifest is broken, there is no such package.
pub fn build(
    workspace: &Workspace,
    submissions: &[Submission],
    colour: Colour,
) -> Result<Vec<Build>, BuildError> {
    let given = |submission: &Submission| {
        let question = submission.question().to_owned();
        workspace.given_program(&question).map(|file| Submission::Source { question, file })
    };
    let submissions: Vec<Submission> = submissions
        .iter()
        .map(|submission| given(submission).unwrap_or_else(|| submission.clone()))
        .collect();
    let mut packages = package::build(workspace, &submissions, colour)?.into_iter();
    let mut sources = source::build(workspace, &submissions, colour)?.into_iter();
    let answer = |submission: &Submission| match submission {
        Submission::Exercise { .. } | Submission::Solution { .. } => packages.next(),
        Submission::Source { .. } => sources.next(),
        Submission::Command { words, .. } => Some(command::build(words)),
    };
    Ok(submissions.iter().filter_map(answer).collect())
}
