//! `grader watch`: grades again on every save.

use std::io::Write;

use super::args::{WatchArguments, WorkArguments};
use super::{CommandError, exit, workspace};
use crate::submission::{Colour, Workspace};
use crate::watch::{Ended, watch, work};

pub(super) fn run(arguments: &WatchArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    match watch(&workspace()?, arguments.id.as_deref())? {
        Ended::Quit { last } => {
            if let Some(last) = last {
                writeln!(out, "{last}")?;
            }
            Ok(exit::OK)
        }
        Ended::Signal(signal) => Ok(exit::of_signal(signal)),
    }
}

/// The process that grades for a watch.
pub(super) fn run_work(arguments: &WorkArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let colour = if arguments.colour { Colour::Always } else { Colour::Never };
    // The watch started it where the workspace is, or was before the learner broke its manifest.
    work(&Workspace::at(&std::env::current_dir()?), &arguments.id, colour, out)?;
    Ok(exit::OK)
}
