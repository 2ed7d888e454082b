//! Starting a question anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{Answer, KeepError, Kept, Notebook};
use crate::submission::Workspace;

/// What a reset came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reset {
    /// The exercise was as it was given already.
    Nothing,
    /// The exercise is as it was given, and the learner's files lie in this folder, from the workspace's on.
    Done {
        /// Where the old work lies; none if there was none.
        old: Option<PathBuf>,
    },
}

/// Why a question could not be started anew; the learner's work is still there.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Nothing says what the exercise was like.
    #[error("find what the exercise was like: there is no file in `{}`", folder.display())]
    NoStarter {
        /// Where it should be.
        folder: PathBuf,
    },
    /// The old work could not be kept, so that nothing was changed.
    #[error("keep your work in `{}`; nothing was changed", path.display())]
    Keep {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be restored.
    #[error("restore `{}`; {}", path.display(), kept_in(old.as_deref()))]
    Restore {
        /// The file.
        path: PathBuf,
        /// Where the old work lies.
        old: Option<PathBuf>,
        /// Why not.
        source: io::Error,
    },
    /// That it was not begun could not be noted.
    #[error(transparent)]
    Note(#[from] KeepError),
}

fn kept_in(old: Option<&Path>) -> String {
    old.map_or_else(
        || "there was no work".to_owned(),
        |old| format!("your work is kept in `{}`", old.display()),
    )
}

/// Makes an exercise as it was given, and keeps the learner's files beside it.
///
/// In this order: the old files are copied, the given ones are written under other names, and only then one takes the
/// other's place; so whatever fails, the learner's work is still there.
///
/// # Errors
/// See [`ResetError`].
pub fn reset(workspace: &Workspace, question: &str) -> Result<Reset, ResetError> {
    let answer = Answer::find(workspace, question);
    let given = answer.starter_files();
    if given.is_empty() {
        return Err(ResetError::NoStarter { folder: answer.starter() });
    }
    if answer.is_starter() {
        return Ok(Reset::Nothing);
    }
    let old = keep_old(&answer)?;
    restore(&answer, old.as_deref())?;
    Notebook::of(workspace).change(question, Kept::start_anew)?;
    let from_root =
        |folder: PathBuf| folder.strip_prefix(workspace.root()).map_or(folder.clone(), Path::to_owned);
    Ok(Reset::Done { old: old.map(from_root) })
}

/// Copies the learner's files into the first free of the folders `old-1`, `old-2`, …; returns which.
fn keep_old(answer: &Answer) -> Result<Option<PathBuf>, ResetError> {
    let folder = answer.folder();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ResetError::Keep { path, source }
    };
    let there: Vec<&Path> = answer.files().filter(|file| folder.join(file).exists()).collect();
    if there.is_empty() {
        return Ok(None);
    }
    let copy = tempfile::Builder::new().prefix(".old-").tempdir_in(folder).map_err(failed(folder))?;
    for file in there {
        let (from, to) = (folder.join(file), copy.path().join(file));
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed(&to))?;
        fs::copy(&from, &to).map_err(failed(&from))?;
    }
    let free = |number: &u32| !folder.join(format!("old-{number}")).exists();
    let number = (1..).find(free).unwrap_or(u32::MAX);
    let old = folder.join(format!("old-{number}"));
    fs::rename(copy.path(), &old).map_err(failed(&old))?;
    // It has another name now, and nothing is left to be removed.
    let _ = copy.keep();
    Ok(Some(old))
}

fn restore(answer: &Answer, old: Option<&Path>) -> Result<(), ResetError> {
    let folder = answer.folder();
    let failed = |path: &Path| {
        let (path, old) = (path.to_owned(), old.map(Path::to_owned));
        move |source| ResetError::Restore { path, old, source }
    };
    let given = answer.starter_files();
    let mut written: Vec<(NamedTempFile, PathBuf)> = Vec::new();
    for file in &given {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        let copied = fs::create_dir_all(parent)
            .and_then(|()| NamedTempFile::new_in(parent))
            .and_then(|copy| fs::copy(answer.starter().join(file), copy.path()).map(|_| copy));
        written.push((copied.map_err(failed(&path))?, path));
    }
    for (copy, path) in written {
        copy.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    for file in answer.files().filter(|file| !given.contains(*file)) {
        let path = folder.join(file);
        fs::remove_file(&path).map_err(failed(&path))?;
    }
    Ok(())
}
