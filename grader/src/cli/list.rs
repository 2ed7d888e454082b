//! `grader list`: the questions, and how far the learner is.

use std::io::Write;

use super::{CommandError, columns, exit, workspace};
use crate::learner;
use crate::question::Course;
use crate::report;

pub(super) fn run(out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    report::overview::write(&learner::overview(&workspace, &course)?, columns(), out)?;
    Ok(exit::OK)
}
