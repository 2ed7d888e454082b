//! `grader check`: proves questions sound.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use clap::Args;

use super::args::Format;
use super::progress::ProgressLine;
use super::{CommandError, columns, exit, warn, workspace};
use crate::author::{self, CheckProgress};
use crate::model::{About, Holding, Soundness};
use crate::question::Course;
use crate::report::soundness;

const EXIT_CODES: &str = "\
Exit codes:
  0   every question is sound
  1   one is not
  2   wrong arguments, or no such question
  3   a question's file has mistakes, or is missing
  4   observation is not possible here
  70  the grader's own fault";

/// Prove questions sound: the solution, the starter, every program whose verdict is known, texts and limits
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct CheckArguments {
    /// Questions to prove, by their ids as `cargo grader list` shows them [default: all]
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// How many random schedules the solution has to stand, beside free runs and the named ones
    ///
    /// Example: --seeds 50, before a class depends on it
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &CheckArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let (ids, strays) = match arguments.ids.as_slice() {
        [] => {
            let course = Course::find(workspace.root())?;
            (course.ids().to_vec(), course.strays().collect())
        }
        ids => (ids.to_vec(), Vec::new()),
    };
    let line = Mutex::new(ProgressLine::new());
    let progress = |step: CheckProgress| {
        let text = match step {
            CheckProgress::Building(count) => format!("building {count} submissions …"),
            CheckProgress::Grading { done, of } => format!("graded {done} of {of} …"),
        };
        line.lock().unwrap_or_else(PoisonError::into_inner).show_text(&text);
    };
    let proved = author::check(&workspace, &ids, arguments.seeds, &progress);
    line.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let all = proved?;
    match arguments.format {
        Format::Json => soundness::write_json(&all, out)?,
        Format::Text => write(&all, out)?,
    }
    out.flush()?;
    strays.iter().for_each(|stray| warn(stray));
    Ok(match code(&all) {
        exit::OK if !strays.is_empty() => exit::INVALID_QUESTION,
        code => code,
    })
}

fn write(all: &[Soundness], out: &mut dyn Write) -> std::io::Result<()> {
    for (number, one) in all.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        soundness::write_text(one, columns(), out)?;
    }
    if all.len() > 1 {
        writeln!(out)?;
        soundness::write_sum(all, out)?;
    }
    Ok(())
}

fn code(all: &[Soundness]) -> u8 {
    let is_broken = |about| {
        let mut statements = all.iter().flat_map(|one| &one.statements);
        statements.any(|one| one.about == about && one.holding == Holding::Broken)
    };
    if is_broken(About::Machine) {
        exit::NOT_OBSERVED
    } else if all.iter().any(Soundness::is_unreadable) {
        exit::INVALID_QUESTION
    } else if all.iter().all(|one| one.holding() != Holding::Broken) {
        exit::OK
    } else {
        exit::FEWER_POINTS
    }
}
