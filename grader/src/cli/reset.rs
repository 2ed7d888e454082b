//! `grader reset`: starting a question anew.

use std::io::{self, IsTerminal, Write};

use super::args::ResetArguments;
use super::{CommandError, exit, workspace};
use crate::learner::{self, Reset};
use crate::question::Course;

pub(super) fn run(arguments: &ResetArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let id = &arguments.id;
    Course::find(workspace.root())?.require(id)?;
    if !arguments.yes && !confirmed(id)? {
        writeln!(out, "Nothing was changed.")?;
        return Ok(exit::OK);
    }
    match learner::reset(&workspace, id)? {
        Reset::Nothing => writeln!(out, "exercises/{id} is as it was given; nothing was changed.")?,
        Reset::Done { old: None } => writeln!(out, "exercises/{id} is as it was given again.")?,
        Reset::Done { old: Some(old) } => {
            writeln!(out, "exercises/{id} is as it was given again; your work is in {}.", old.display())?;
        }
    }
    Ok(exit::OK)
}

/// Asks on the terminal whether to go on.
fn confirmed(id: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let text = format!(
            "there is no terminal to ask on whether to start `{id}` anew; `--yes` says so beforehand, and your work is \
             kept beside it"
        );
        return Err(CommandError::Usage(text));
    }
    write!(io::stderr(), "Start {id} anew? Your work is kept beside it. [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
