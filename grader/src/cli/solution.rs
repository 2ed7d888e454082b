//! `grader solution`: the reference answer, for those who have passed.

use std::io::Write;

use anstyle::Style;

use super::args::SolutionArguments;
use super::{CommandError, chosen, columns, exit, read, workspace};
use crate::learner::Notebook;
use crate::question::Course;
use crate::report::markdown;

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
        let text = format!(
            "This copy of the course comes without reference answers: there is no folder `solutions/{id}`. Ask the \
             person who gave it to you."
        );
        markdown::write(&text, 0, columns(), out)?;
        return Ok(exit::OK);
    }
    let bold = Style::new().bold();
    let file = if workspace.given_program(&id).is_some() { "prediction.toml" } else { "src/main.rs" };
    writeln!(out, "{bold}solutions/{id}/{file}{bold:#}\n")?;
    write!(out, "{}", read(&folder.join(file))?)?;
    let prose = folder.join("answer.md");
    if prose.is_file() {
        writeln!(out, "\n{bold}solutions/{id}/answer.md{bold:#}\n")?;
        markdown::write(&read(&prose)?, 0, columns(), out)?;
    }
    Ok(exit::OK)
}
