//! `grader release`: the learner's copy of the course.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{CommandError, exit, workspace};
use crate::author;

const EXAMPLE: &str = "\
Example:
  cargo grader check && cargo grader release ../class";

/// Make the learner's copy: no solutions, no fixtures, no hidden checks, every exercise as its starter
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ReleaseArguments {
    /// Where to put it: a folder that does not exist yet, or is empty, outside of the course
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

pub(super) fn run(arguments: &ReleaseArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let release = author::release(&workspace()?, &arguments.out)?;
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    writeln!(
        out,
        "Released {} in {} into `{}`.",
        counted(release.questions.len(), "question"),
        counted(release.files, "file"),
        arguments.out.display()
    )?;
    writeln!(out, "Left behind: solutions, fixtures, and what was made of the exercises.")?;
    for (question, checks, points) in &release.hidden {
        let checks = counted(*checks, "hidden check");
        writeln!(out, "Left behind of {question}: {checks}, worth {}.", counted(*points as usize, "point"))?;
    }
    if !release.unknown.is_empty() {
        writeln!(out, "Left behind as no part of the course: {}.", release.unknown.join(", "))?;
    }
    Ok(exit::OK)
}
