//! The folder that holds exercises and solutions.

use std::fs;
use std::path::{Path, PathBuf};

/// The root folder of a workspace of exercises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// There is no workspace around a folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "find the workspace: neither `{}` nor a folder around it holds a `Cargo.toml` with `[workspace]` beside a folder \
     `exercises`", from.display()
)]
pub struct WorkspaceError {
    /// Where the search began.
    pub from: PathBuf,
}

impl Workspace {
    /// The nearest workspace of exercises that `folder`, an absolute path, lies in.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(folder: &Path) -> Result<Workspace, WorkspaceError> {
        let root = folder.ancestors().find(|ancestor| is_root(ancestor));
        root.map(Workspace::at).ok_or_else(|| WorkspaceError { from: folder.to_owned() })
    }

    /// The workspace in this folder, whatever has become of it.
    #[must_use]
    pub fn at(root: &Path) -> Workspace {
        Workspace { root: root.to_owned() }
    }

    /// The workspace's own folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a question's exercise, whether it is there or not.
    #[must_use]
    pub fn exercise(&self, question: &str) -> PathBuf {
        self.root.join("exercises").join(question)
    }

    /// The program that a question gives, to be predicted; most questions have none.
    #[must_use]
    pub fn given_program(&self, question: &str) -> Option<PathBuf> {
        Some(self.exercise(question).join("program.rs")).filter(|program| program.is_file())
    }

    /// The folder of a question's reference answer, whether it is there or not.
    #[must_use]
    pub fn solution(&self, question: &str) -> PathBuf {
        self.root.join("solutions").join(question)
    }

    /// The folder of all fixtures, whether it is there or not.
    #[must_use]
    pub fn fixtures(&self) -> PathBuf {
        self.root.join("tests").join("submissions")
    }
}

fn is_root(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    folder.join("exercises").is_dir()
        && manifest.lines().any(|line| line.trim_start().starts_with("[workspace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_from_a_folder_deep_inside() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("exercises/q6/src");
        fs::create_dir_all(&inside).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "# all of it\n[workspace]\n").unwrap();
        fs::write(folder.path().join("exercises/q6/Cargo.toml"), "[package]\nname = 'exercise-q6'\n")
            .unwrap();
        assert_eq!(Workspace::find(&inside).unwrap().root(), folder.path());
    }

    #[test]
    fn a_workspace_without_exercises_is_none_and_the_error_says_what_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        let error = Workspace::find(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`Cargo.toml` with `[workspace]` beside a folder `exercises`"), "{error}");
    }
}
