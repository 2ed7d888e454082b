//! `grader hint`: the next hint for a question.

use std::io::Write;

use anstyle::Style;

use super::args::HintArguments;
use super::{CommandError, chosen, columns, exit, warn, workspace};
use crate::learner::{Hint, Notebook, Which, hints};
use crate::question::Course;
use crate::report::markdown;

pub(super) fn run(arguments: &HintArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    let question = course.question(&chosen(&workspace, &course, arguments.id.as_deref())?)?;
    let which = match (arguments.all, arguments.again) {
        (true, _) => Which::All,
        (false, true) => Which::Again,
        (false, false) => Which::Next,
    };
    let (wanted, noted) = hints(&Notebook::of(&workspace), &question, which);
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}  {}{bold:#}", question.id, question.title)?;
    for Hint { number, of, text } in &wanted {
        writeln!(out, "  Hint {number} of {of}:")?;
        markdown::write(text, 4, columns(), out)?;
    }
    if question.hints.is_empty() {
        writeln!(out, "  This question has no hints.")?;
    } else if wanted.is_empty() {
        let id = &question.id;
        let text = format!(
            "You have seen all {} hints. `cargo grader hint {id} --all` shows them again.",
            question.hints.len()
        );
        markdown::write(&text, 2, columns(), out)?;
    }
    if let Err(error) = noted {
        warn(&error);
    }
    Ok(exit::OK)
}
