//! `grader solution`: the reference answer, for those who have passed.

use std::io::Write;

use anstyle::Style;

use super::args::SolutionArguments;
use super::{CommandError, chosen, columns, exit, read, workspace};
use crate::learner::Notebook;
use crate::question::Course;
use crate::report::markdown;

/// What a solution may hold beside its program.
const PREDICTION: &str = "prediction.toml";
const PROSE: &str = "answer.md";

pub(super) fn run(arguments: &SolutionArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    let id = chosen(&workspace, &course, arguments.id.as_deref())?;
    if !arguments.give_up && !Notebook::of(&workspace).read(&id).passed {
        let text = format!(
            "You have not passed `{id}` yet, as far as `cargo grade {id}` has seen. `cargo grader hint {id}` gives the \
             next hint, and `cargo grader solution {id} --give-up` shows the reference answer all the same."
        );
        markdown::write(&text, 0, columns(), out)?;
        return Ok(exit::FEWER_POINTS);
    }
    let folder = workspace.solution(&id);
    if !folder.is_dir() {
        return Err(CommandError::Usage(format!(
            "failed to show the reference answer of `{id}`: there is no `solutions/{id}`, and a learner's copy comes without; \
             ask the person who gave it to you"
        )));
    }
    // A question that asks for a prediction gives the program itself.
    let program = if folder.join(PREDICTION).is_file() { PREDICTION } else { "src/main.rs" };
    write_heading(&format!("solutions/{id}/{program}"), out)?;
    write!(out, "{}", read(&folder.join(program))?)?;
    if folder.join(PROSE).is_file() {
        writeln!(out)?;
        write_heading(&format!("solutions/{id}/{PROSE}"), out)?;
        markdown::write(&read(&folder.join(PROSE))?, 0, columns(), out)?;
    }
    Ok(exit::OK)
}

fn write_heading(file: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{file}{bold:#}\n")?;
    Ok(())
}
