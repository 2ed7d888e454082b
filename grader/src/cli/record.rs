//! `grader record`: snapshots from what the solution prints.

use std::io::Write;

use clap::Args;

use super::ask::confirmed;
use super::{CommandError, exit, workspace};
use crate::author;
use crate::report::difference;

const EXAMPLE: &str = "\
Example:
  cargo grader record q7-greeting";

/// Write the snapshots of a question from what its solution prints, after showing what would change
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct RecordArguments {
    /// The question, by its id as `cargo grader list` shows it
    #[arg(value_name = "ID")]
    id: String,

    /// Write without asking [default: ask on the terminal]
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(arguments: &RecordArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    for recording in author::record(&workspace, &arguments.id)? {
        let path = recording.path.strip_prefix(workspace.root()).unwrap_or(&recording.path).display();
        if recording.is_current() {
            writeln!(out, "{path} is what the solution prints; nothing was changed.")?;
            continue;
        }
        writeln!(out, "{path}")?;
        difference::write(recording.before.as_deref().unwrap_or_default(), &recording.after, out)?;
        out.flush()?;
        let what = format!("write `{path}`; `--yes` says so beforehand");
        if arguments.yes || confirmed("Write it?", &what)? {
            recording.write()?;
            writeln!(out, "Written.")?;
        } else {
            writeln!(out, "Nothing was changed.")?;
        }
    }
    Ok(exit::OK)
}
