//! The arguments of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::check::CheckArguments;
use super::new::NewArguments;
use super::record::RecordArguments;
use super::release::ReleaseArguments;
use crate::schedule::Selection;

const EXIT_CODES: &str = "\
Exit codes:
  0   full points
  1   fewer points
  2   wrong arguments, or no such question
  3   a question's file is not sound
  4   observation is not possible here
  70  the grader's own fault
  130 interrupted";

/// Grades programs that consist of several processes.
#[derive(Debug, Parser)]
#[command(name = "grader", bin_name = "cargo grader", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    // Help lists them in this order: first what learners use.
    /// List the questions by topic: how far you are, and where to go next
    List,
    Show(ShowArguments),
    Watch(WatchArguments),
    Grade(GradeArguments),
    Hint(HintArguments),
    Solution(SolutionArguments),
    Reset(ResetArguments),
    /// Try what this machine lets the grader see and do, and say what to do about the rest
    Doctor,
    New(NewArguments),
    Check(CheckArguments),
    Record(RecordArguments),
    Release(ReleaseArguments),
    /// Print the JSON Schema of question.toml, for editors
    Schema,
    #[command(hide = true)]
    Work(WorkArguments),
}

/// Grade your exercises, or any other program
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct GradeArguments {
    /// Questions to grade, by their ids as `cargo grader list` shows them [default: all]
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,

    /// Grade the reference answers in place of the exercises
    #[arg(long, conflicts_with = "command")]
    pub(super) solutions: bool,

    /// Grade this program as the answer to one question
    ///
    /// Words are split at spaces and may be quoted; no shell is involved.
    /// Example: --command 'python3 my_answer.py'
    #[arg(long, value_name = "PROGRAM")]
    pub(super) command: Option<String>,

    /// Take this file as the written answer or the prediction, in place of answer.md or prediction.toml
    ///
    /// A program given by --command has no written answer otherwise.
    /// Names exactly one ID.
    #[arg(long, value_name = "FILE")]
    pub(super) answer: Option<std::path::PathBuf>,

    /// Take an instructor's points for the written answer from this file
    ///
    /// For each check that was looked at, a [[check]] with its name, its points and perhaps a comment, in TOML.
    /// Names exactly one ID.
    #[arg(long, value_name = "FILE")]
    pub(super) review: Option<std::path::PathBuf>,

    /// Which schedules to run it under
    ///
    /// quick is two free runs, children-last, the same on a terminal where the program asks for one, children-first,
    /// reverse, two of messages where processes send some or write to the same file, three of random, and three of
    /// memory where processes share some.
    /// thorough takes fifty of random, and fifty of memory.
    /// exhaustive tries every order of births and outputs, as is done for a question to predict in any case.
    /// One schedule is given by its name and seed, as a report prints it: children-last, random:7.
    #[arg(long, value_name = "SCHEDULES", default_value = "quick", value_parser = selection)]
    pub(super) schedules: Selection,

    /// Write what was seen of every run into this folder, a JSON file each
    #[arg(long, value_name = "FOLDER")]
    pub(super) save_runs: Option<std::path::PathBuf>,

    /// Tell all about hidden checks too; for instructors
    #[arg(long)]
    pub(super) show_hidden: bool,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// Show a question and grade your answer again on every save
///
/// Keys: n next question, p previous, h hint, s the question's text, l list, r grade again, q quit; space and b turn the
/// page.
/// Without a terminal there are no keys, and each report is printed below the one before.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo grader watch q3")]
pub(super) struct WatchArguments {
    /// The question, by its id as `cargo grader list` shows it [default: the next one to work on]
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
}

/// Grade one answer for a watch
#[derive(Debug, Args)]
pub(super) struct WorkArguments {
    /// The question
    pub(super) id: String,

    /// Have the compiler's text in colour
    #[arg(long)]
    pub(super) colour: bool,
}

/// Show a question's text
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo grader show q3")]
pub(super) struct ShowArguments {
    /// The question, by its id as `cargo grader list` shows it [default: the next one to work on]
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
}

/// Show the next hint for a question
///
/// Hints go from a nudge to nearly the answer, and come one at a time.
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo grader hint q3")]
pub(super) struct HintArguments {
    /// The question, by its id as `cargo grader list` shows it [default: the next one to work on]
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,

    /// Show the last hint that was shown once more [default: the next one]
    #[arg(long)]
    pub(super) again: bool,

    /// Show all hints at once [default: the next one]
    #[arg(long, conflicts_with = "again")]
    pub(super) all: bool,
}

/// Show the reference answer to a question that you have passed
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo grader solution q3")]
pub(super) struct SolutionArguments {
    /// The question, by its id as `cargo grader list` shows it [default: the next one to work on]
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,

    /// Show it even though you have not passed [default: only once `grade` has seen you pass]
    #[arg(long)]
    pub(super) give_up: bool,
}

/// Start a question anew: your exercise becomes what it was at first, and your work is kept beside it
#[derive(Debug, Args)]
#[command(after_help = "Example: cargo grader reset q3")]
pub(super) struct ResetArguments {
    /// The question, by its id as `cargo grader list` shows it
    #[arg(value_name = "ID")]
    pub(super) id: String,

    /// Do not ask [default: ask on the terminal]
    #[arg(long)]
    pub(super) yes: bool,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Text,
    /// For a script
    Json,
}

fn selection(text: &str) -> Result<Selection, String> {
    text.parse().map_err(|error: crate::schedule::UnknownSchedule| format!("failed to {error}"))
}
