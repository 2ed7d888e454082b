//! Exercises and solutions, which are packages of the workspace.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::cargo::{self, Built};
use super::{Build, BuildError, Colour, Submission, Workspace};
use crate::sys::Program;

/// Builds the exercises and solutions among `submissions` with one call of cargo, and answers for those alone.
pub(super) fn build(
    workspace: &Workspace,
    submissions: &[Submission],
    colour: Colour,
) -> Result<Vec<Build>, BuildError> {
    let packages: Vec<Package> =
        submissions.iter().filter_map(|submission| package(workspace, submission)).collect();
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    // Cargo builds nothing at all where a program is missing.
    let names: BTreeSet<&str> =
        packages.iter().filter(|one| one.missing.is_none()).map(|one| one.name.as_str()).collect();
    if names.is_empty() {
        return Ok(packages.into_iter().map(|package| package.answer(&Built::default())).collect());
    }
    let arguments: Vec<OsString> =
        names.into_iter().flat_map(|name| ["--package", name]).map(Into::into).collect();
    let built = cargo::build(workspace.root(), &arguments, colour)?;
    Ok(packages.into_iter().map(|package| package.answer(&built)).collect())
}

struct Package {
    name: String,
    manifest: PathBuf,
    /// Where its program runs.
    folder: PathBuf,
    /// What to tell where the learner's program is not there.
    missing: Option<String>,
}

fn package(workspace: &Workspace, submission: &Submission) -> Option<Package> {
    let (name, package) = match submission {
        Submission::Exercise { question } => (format!("exercise-{question}"), workspace.exercise(question)),
        Submission::Solution { question } => (question.clone(), workspace.solution(question)),
        Submission::Source { .. } | Submission::Command { .. } => return None,
    };
    let exercise = workspace.exercise(submission.question());
    let folder = if exercise.is_dir() { exercise } else { package.clone() };
    // Where even the package is not there, cargo tells what is wrong.
    let lacks_program = package.join("Cargo.toml").is_file() && !package.join("src/main.rs").is_file();
    let missing = match submission {
        Submission::Exercise { question } if lacks_program => Some(format!(
            "there is no `exercises/{question}/src/main.rs`: `cargo grader reset {question}` makes it as it was given\n"
        )),
        _ => None,
    };
    Some(Package { name, manifest: package.join("Cargo.toml"), folder, missing })
}

impl Package {
    fn answer(self, built: &Built) -> Build {
        if let Some(rendered) = self.missing {
            return Build::Failed { rendered };
        }
        // The program that is named like the package comes first, since a package may have helpers beside it.
        let named = built.executable(|target| target.manifest == self.manifest && target.name == self.name);
        let executable = named.or_else(|_| built.executable(|target| target.manifest == self.manifest));
        match executable {
            Ok(executable) => Build::Ready(Program {
                executable: executable.to_owned(),
                args: Vec::new(),
                folder: self.folder,
            }),
            Err(rendered) => Build::Failed { rendered },
        }
    }
}
