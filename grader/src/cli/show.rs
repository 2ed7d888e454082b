//! `grader show`: a question's text.

use std::io::Write;

use super::args::ShowArguments;
use super::{CommandError, chosen, columns, exit, read, workspace};
use crate::question::Course;
use crate::report::markdown;

pub(super) fn run(arguments: &ShowArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    let id = chosen(&workspace, &course, arguments.id.as_deref())?;
    let text = read(&course.folder(&id).join("question.md"))?;
    markdown::write(&text, 0, columns(), out)?;
    Ok(exit::OK)
}
