//! A new question, made from a template.
//!
//! All files are written into a folder of their own beside the others first, and moved to their places by renaming whole
//! folders: the exercise last, since a question is there as soon as its exercise is.
//! So whatever fails, nothing is half written and nothing that was there is touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::name::{self, NameError};
use super::template::Template;
use crate::submission::Workspace;

/// Why no question was made; nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name cannot be had.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A file could not be written.
    #[error("write `{}` (nothing of the question is left)", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes the question `id` from a template; returns the files, with their paths from the workspace's root on.
///
/// # Errors
/// See [`NewError`].
pub fn new(workspace: &Workspace, id: &str, template: Template) -> Result<Vec<PathBuf>, NewError> {
    name::check(workspace, id)?;
    let root = workspace.root();
    let failed = |path: &Path| {
        let inside = path.strip_prefix(root).ok().filter(|inside| !inside.as_os_str().is_empty());
        let path = inside.unwrap_or(path).to_owned();
        move |source| NewError::Write { path, source }
    };
    // Beside the others, so that renaming is no copying.
    let draft = tempfile::Builder::new().prefix(".new-").tempdir_in(root).map_err(failed(root))?;
    let files = template.files_of(id);
    for (file, text) in &files {
        let (path, shown) = (draft.path().join(file), root.join(file));
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed(&shown))?;
        fs::write(&path, text).map_err(failed(&shown))?;
    }
    let mut moved: Vec<PathBuf> = Vec::new();
    for parent in ["tests/submissions", "solutions", "exercises"] {
        let (from, to) = (draft.path().join(parent).join(id), root.join(parent).join(id));
        let done = fs::create_dir_all(root.join(parent)).and_then(|()| move_folder(&from, &to));
        if let Err(source) = done {
            // They were made by the lines above and by nobody else.
            moved.iter().for_each(|folder| drop(fs::remove_dir_all(folder)));
            return Err(failed(&to)(source));
        }
        moved.push(to);
    }
    Ok(files.into_iter().map(|(file, _)| file).collect())
}

/// Renames a folder to a name that must be free, see rename(2).
fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know the flag; the name was free when it was checked.
        Err(rustix::io::Errno::INVAL) if !to.exists() => fs::rename(from, to),
        result => result.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("exercises")).unwrap();
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        let workspace = Workspace::find(folder.path()).unwrap();
        (folder, workspace)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_question_has_all_its_files_and_nothing_else_is_left() {
        let (folder, workspace) = workspace();
        let files = new(&workspace, "q7", Template::ALL[0]).unwrap();
        assert!(files.iter().all(|file| folder.path().join(file).is_file()), "{files:?}");
        assert_eq!(names(folder.path()), ["Cargo.toml", "exercises", "solutions", "tests"]);
        assert_eq!(names(&folder.path().join("tests/submissions/q7")), ["deadlocked", "failed", "passed"]);
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let (folder, workspace) = workspace();
        new(&workspace, "q7", Template::ALL[0]).unwrap();
        let file = folder.path().join("exercises/q7/question.md");
        fs::write(&file, "mine").unwrap();
        let error = new(&workspace, "q7", Template::ALL[1]).unwrap_err().to_string();
        assert_eq!(
            error,
            "name a question `q7`: there is `exercises/q7` already, and nothing is ever overwritten"
        );
        assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    }

    #[test]
    fn a_name_that_is_taken_in_the_meantime_is_not_replaced() {
        let (folder, _) = workspace();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(&to).unwrap();
        assert_eq!(move_folder(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn where_one_folder_cannot_be_made_none_is_left() {
        let (folder, workspace) = workspace();
        // The name `solutions` is taken by a file, so that no folder can be made there.
        fs::write(folder.path().join("solutions"), "").unwrap();
        let error = new(&workspace, "q7", Template::ALL[0]).unwrap_err().to_string();
        assert_eq!(error, "write `solutions/q7` (nothing of the question is left)");
        assert_eq!(names(folder.path()), ["Cargo.toml", "exercises", "solutions", "tests"]);
        assert_eq!(names(&folder.path().join("exercises")), [""; 0]);
        assert_eq!(names(&folder.path().join("tests/submissions")), [""; 0]);
    }
}
