//! `grader list`: the questions, and how far the learner is.
//!
//! A question that cannot be read is told below the others, and hides none of them.

use std::io::Write;

use super::{CommandError, columns, exit, warn, workspace};
use crate::learner;
use crate::question::Course;
use crate::report;

pub(super) fn run(out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    let overview = learner::overview(&workspace, &course);
    report::overview::write(&overview.rows, columns(), out)?;
    out.flush()?;
    overview.troubles.iter().for_each(|trouble| warn(trouble));
    Ok(if overview.troubles.is_empty() { exit::OK } else { exit::INVALID_QUESTION })
}
