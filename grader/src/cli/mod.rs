//! Arguments and commands: the only place, apart from `main.rs`, that touches the terminal.
//!
//! A command returns the code to exit with; a learner's failure is an ordinary code, never an error.

mod args;
mod ask;
mod check;
mod doctor;
mod exit;
mod grade;
mod hint;
mod list;
mod new;
mod progress;
mod record;
mod release;
mod reset;
mod schema;
mod show;
mod solution;
mod watch;

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::AutoStream;
use clap::Parser;

use crate::author::{CheckError, NewError, RecordError, ReleaseError};
use crate::grading::{GradingError, with_causes};
use crate::learner::{self, ResetError};
use crate::question::{Course, CourseError, Diagnostics};
use crate::report;
use crate::submission::{Workspace, WorkspaceError};
use crate::watch::WatchError;
use args::{Arguments, Command};

/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;

/// Runs the command line of this process and returns the code to exit with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = AutoStream::auto(io::stdout());
    let result = match arguments.command {
        Command::Grade(arguments) => grade::run(&arguments, &mut out),
        Command::New(arguments) => new::run(&arguments, &mut out),
        Command::Release(arguments) => release::run(&arguments, &mut out),
        Command::Record(arguments) => record::run(&arguments, &mut out),
        Command::Check(arguments) => check::run(&arguments, &mut out),
        Command::Doctor => doctor::run(&mut out),
        Command::List => list::run(&mut out),
        Command::Watch(arguments) => watch::run(&arguments, &mut out),
        Command::Work(arguments) => watch::run_work(&arguments, &mut out),
        Command::Show(arguments) => show::run(&arguments, &mut out),
        Command::Hint(arguments) => hint::run(&arguments, &mut out),
        Command::Solution(arguments) => solution::run(&arguments, &mut out),
        Command::Reset(arguments) => reset::run(&arguments, &mut out),
        Command::Schema => schema::run(&mut out),
    };
    // What is written to a reader that has gone is not missed.
    let flushed = out.flush().map_err(CommandError::from);
    let code = match result.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code,
        Err(CommandError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => exit::OK,
        Err(error) => report_error(&error),
    };
    ExitCode::from(code)
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// There is no workspace here.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A question is unknown or not sound.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// Grading could not begin.
    #[error(transparent)]
    Grading(#[from] GradingError),
    /// A review has mistakes.
    #[error("read a review:\n{0}")]
    Review(Diagnostics),
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// A run's record could not be saved.
    #[error("write `{}`", path.display())]
    Save {
        /// The file or folder.
        path: PathBuf,
        /// Why it could not be written.
        source: io::Error,
    },
    /// A file of a question cannot be read.
    #[error("read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// There can be no watch.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// A question could not be started anew.
    #[error(transparent)]
    Reset(#[from] ResetError),
    /// Nothing could be proved.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A question could not be made.
    #[error(transparent)]
    New(#[from] NewError),
    /// A snapshot could not be made.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No copy could be made.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The report could not be written.
    #[error("write the report")]
    Write(#[from] io::Error),
}

/// Tells an error and returns its code.
fn report_error(error: &CommandError) -> u8 {
    let text = match error {
        CommandError::Usage(text) => text.clone(),
        error => format!("failed to {}", with_causes(error)),
    };
    tell(&text);
    match error {
        CommandError::Course(CourseError::Invalid(_))
        | CommandError::Release(ReleaseError::Course(CourseError::Invalid(_)))
        | CommandError::Check(CheckError::Packages(_))
        | CommandError::Record(RecordError::Grading(GradingError::Course(CourseError::Invalid(_))))
        | CommandError::Grading(GradingError::Course(CourseError::Invalid(_))) => exit::INVALID_QUESTION,
        CommandError::Usage(_)
        | CommandError::Save { .. }
        | CommandError::Read { .. }
        | CommandError::Reset(_)
        | CommandError::New(_)
        | CommandError::Record(_)
        | CommandError::Release(_)
        | CommandError::Review(_)
        | CommandError::Workspace(_)
        | CommandError::Course(_)
        | CommandError::Check(CheckError::NoSolutions | CheckError::Grading(GradingError::Course(_)))
        | CommandError::Grading(GradingError::Course(_))
        | CommandError::Watch(WatchError::Course(_)) => exit::USAGE,
        CommandError::Check(CheckError::Grading(GradingError::Build(_)))
        | CommandError::Grading(GradingError::Build(_))
        | CommandError::Watch(WatchError::System(_))
        | CommandError::Write(_) => exit::GRADER_FAULT,
    }
}

/// The workspace around the folder in which the user stands.
fn workspace() -> Result<Workspace, CommandError> {
    let folder = std::env::current_dir()?;
    Ok(Workspace::find(&folder)?)
}

/// The question of this id, or the next one to work on where none is named.
fn chosen(workspace: &Workspace, course: &Course, id: Option<&str>) -> Result<String, CommandError> {
    let id = id.map(str::to_owned).or_else(|| learner::next(workspace, course));
    let Some(id) = id.or_else(|| course.ids().last().cloned()) else {
        let text = "there is no question: no folder below `exercises` holds a question.toml";
        return Err(CommandError::Usage(text.to_owned()));
    };
    course.require(&id)?;
    Ok(id)
}

/// Tells of something that went wrong beside what was asked for.
fn warn(error: &dyn std::error::Error) {
    tell(&format!("failed to {}", with_causes(error)));
}

fn tell(text: &str) {
    let width = columns_of(io::stderr()).unwrap_or(usize::MAX);
    // Standard error is the last place to tell anything; where it is closed there is none.
    let _ = report::error::write(&format!("grader: {text}"), width, &mut AutoStream::auto(io::stderr()));
}

fn read(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::Read { path: path.to_owned(), source })
}

/// How many columns a report has; enough for most sentences where standard output is no terminal.
fn columns() -> usize {
    columns_of(io::stdout()).unwrap_or(MOST_COLUMNS)
}

/// How many columns a terminal has to be written to; none if it is no terminal.
fn columns_of(terminal: impl IsTerminal + AsFd) -> Option<usize> {
    terminal.is_terminal().then(|| match rustix::termios::tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col).min(MOST_COLUMNS),
        _ => MOST_COLUMNS,
    })
}
