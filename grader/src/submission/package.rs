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
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
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
}

fn package(workspace: &Workspace, submission: &Submission) -> Option<Package> {
    let (name, package) = match submission {
        Submission::Exercise { question } => (format!("exercise-{question}"), workspace.exercise(question)),
        Submission::Solution { question } => (question.clone(), workspace.solution(question)),
        Submission::Source { .. } | Submission::Command { .. } => return None,
    };
    let exercise = workspace.exercise(submission.question());
    let folder = if exercise.is_dir() { exercise } else { package.clone() };
    Some(Package { name, manifest: package.join("Cargo.toml"), folder })
}

impl Package {
    fn answer(self, built: &Built) -> Build {
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
