//! `grader reset`: starting a question anew.

use std::io::Write;

use super::args::ResetArguments;
use super::ask::confirmed;
use super::{CommandError, exit, workspace};
use crate::learner::{self, Reset};
use crate::question::Course;

pub(super) fn run(arguments: &ResetArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let id = &arguments.id;
    Course::find(workspace.root())?.require(id)?;
    let question = format!("Start {id} anew? Your work is kept beside it.");
    let what = format!("start `{id}` anew; `--yes` says so beforehand, and your work is kept beside it");
    if !arguments.yes && !confirmed(&question, &what)? {
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
