//! Single Rust files that take the place of an exercise's main.rs.
//!
//! They are built in a workspace of their own below the target folder: a package for each question, with the
//! dependencies of the question's exercise, and a program in it for each file.
//! Profiles, versions and the target folder are the real workspace's, so that dependencies are compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::cargo::{self, Built};
use super::manifest;
use super::{Build, BuildError, Colour, Submission, Workspace};
use crate::sys::Program;

/// Builds the single files among `submissions` with one call of cargo, and answers for those alone.
pub(super) fn build(
    workspace: &Workspace,
    submissions: &[Submission],
    colour: Colour,
) -> Result<Vec<Build>, BuildError> {
    let sources: Vec<Source> = submissions.iter().filter_map(Source::of).collect();
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let metadata = cargo::metadata(workspace.root())?;
    let target = PathBuf::from(metadata["target_directory"].as_str().unwrap_or_default());
    let folder = target.join("grader").join("sources");
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    // Another grader must not change the generated packages while cargo reads them.
    let lock_path = target.join("grader").join("sources.lock");
    let lock = File::create(&lock_path)
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(write_error(&lock_path))?;
    let questions = generate(workspace, &metadata, &folder, &sources)?;
    let built =
        if questions.is_empty() { Built::default() } else { compile(&folder, &target, &questions, colour)? };
    drop(lock);
    Ok(sources.iter().map(|source| source.answer(workspace, &built)).collect())
}

fn compile(
    folder: &Path,
    target: &Path,
    questions: &BTreeSet<&str>,
    colour: Colour,
) -> Result<Built, BuildError> {
    let mut arguments: Vec<OsString> = vec!["--offline".into(), "--target-dir".into(), target.into()];
    arguments.extend(
        questions
            .iter()
            .flat_map(|question| ["--package".to_owned(), package_name(question)])
            .map(Into::into),
    );
    cargo::build(folder, &arguments, colour)
}

/// One file.
struct Source<'a> {
    question: &'a str,
    /// Its absolute path; none if it is no file whose path a manifest can hold.
    path: Option<String>,
    file: &'a Path,
}

impl<'a> Source<'a> {
    fn of(submission: &'a Submission) -> Option<Source<'a>> {
        let Submission::Source { question, file } = submission else { return None };
        let path = std::path::absolute(file).ok().filter(|path| path.is_file());
        Some(Source { question, path: path.and_then(|path| path.into_os_string().into_string().ok()), file })
    }

    /// The program's name: like the file's, and unlike that of any other file.
    fn program_name(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let stem: String =
            stem.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect();
        let mut hasher = DefaultHasher::new();
        self.path.hash(&mut hasher);
        format!("{}-{stem}-{:016x}", package_name(self.question), hasher.finish())
    }

    fn answer(&self, workspace: &Workspace, built: &Built) -> Build {
        if self.path.is_none() {
            return Build::Failed { rendered: format!("There is no file `{}`.", self.file.display()) };
        }
        let name = self.program_name();
        match built.executable(|target| target.name == name) {
            Ok(executable) => {
                let exercise = workspace.exercise(self.question);
                let folder = if exercise.is_dir() { exercise } else { workspace.solution(self.question) };
                Build::Ready(Program { executable: executable.to_owned(), args: Vec::new(), folder })
            }
            Err(rendered) => Build::Failed { rendered },
        }
    }
}

fn package_name(question: &str) -> String {
    format!("source-{question}")
}

/// Writes the workspace and its packages; returns the questions that have one.
fn generate<'a>(
    workspace: &Workspace,
    metadata: &Value,
    folder: &Path,
    sources: &[Source<'a>],
) -> Result<BTreeSet<&'a str>, BuildError> {
    let mut programs: BTreeMap<&str, BTreeMap<String, &str>> = BTreeMap::new();
    for source in sources {
        if let Some(path) = &source.path {
            programs.entry(source.question).or_default().insert(source.program_name(), path);
        }
    }
    for (question, programs) in &programs {
        let package = package_of(workspace, metadata, question)?;
        let manifest = manifest::of_package(&package_name(question), package, programs)?;
        write_if_changed(&folder.join(question).join("Cargo.toml"), manifest.as_bytes())?;
    }
    let manifest = manifest::of_workspace(workspace, programs.keys().copied())?;
    write_if_changed(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    // Without a lock file of the real workspace cargo makes one.
    if let Ok(versions) = fs::read(workspace.root().join("Cargo.lock")) {
        let path = folder.join("Cargo.lock");
        fs::write(&path, versions).map_err(write_error(&path))?;
    }
    Ok(programs.into_keys().collect())
}

/// What cargo knows of the question's exercise, or of its solution where there is no exercise.
fn package_of<'a>(
    workspace: &Workspace,
    metadata: &'a Value,
    question: &str,
) -> Result<&'a Value, BuildError> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let at = |folder: PathBuf| {
        let manifest = folder.join("Cargo.toml");
        packages
            .iter()
            .find(move |package| package["manifest_path"].as_str().map(Path::new) == Some(&manifest))
    };
    at(workspace.exercise(question))
        .or_else(|| at(workspace.solution(question)))
        .ok_or_else(|| BuildError::NoPackage { question: question.to_owned() })
}

/// Leaves a file that is right as it is, so that cargo sees nothing new.
fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|now| now == content) {
        return Ok(());
    }
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, content))
        .map_err(write_error(path))
}

fn write_error(path: &Path) -> impl FnOnce(std::io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::Write { path, source }
}
