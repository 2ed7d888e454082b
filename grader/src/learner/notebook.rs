//! What is kept of a learner's work between two calls of the grader.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::{Grade, Points, Verdict};
use crate::submission::Workspace;
use serde::{Deserialize, Serialize};

/// The form of the files; one of another form counts as not there.
const FORMAT: u32 = 1;

/// What git is to ignore in the folder; see gitignore(5).
const EVERYTHING: &[u8] = b"*\n";

/// The folder in which a workspace's learner is remembered.
///
/// It hides itself from git, and nothing but the grader reads it.
#[derive(Debug, Clone)]
pub struct Notebook {
    folder: PathBuf,
}

/// What is kept for one question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    format: u32,
    /// How many hints were shown.
    pub hints: usize,
    /// Whether it was ever passed.
    pub passed: bool,
    /// The last grade.
    pub grade: Option<KeptGrade>,
}

impl Kept {
    /// Forgets all but that it was passed once.
    pub fn start_anew(&mut self) {
        *self = Kept { passed: self.passed, ..Kept::default() };
    }
}

/// What is kept of a grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptGrade {
    /// The digest of the answer that was graded.
    pub answer: String,
    /// Whether it passed.
    pub passed: bool,
    /// The points earned.
    pub earned: u32,
    /// The points possible.
    pub possible: u32,
}

/// Something could not be kept; what was kept before is still there.
#[derive(Debug, thiserror::Error)]
#[error("keep your progress in `{}`", path.display())]
pub struct KeepError {
    /// The folder or file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Notebook {
    /// The notebook of a workspace, whether there is one yet or not.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Notebook {
        Notebook { folder: workspace.root().join(".grader") }
    }

    /// What is kept for a question; nothing where it cannot be read.
    #[must_use]
    pub fn read(&self, question: &str) -> Kept {
        let text = fs::read(self.file(question)).unwrap_or_default();
        let kept: Kept = serde_json::from_slice(&text).unwrap_or_default();
        if kept.format == FORMAT { kept } else { Kept::default() }
    }

    /// Changes what is kept for a question.
    ///
    /// # Errors
    /// It could not be written.
    pub fn change(&self, question: &str, change: impl FnOnce(&mut Kept)) -> Result<(), KeepError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| KeepError { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        // One grader at a time reads, changes and writes.
        let lock = self.folder.join("lock");
        let locked =
            File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(failed(&lock))?;
        let ignored = self.folder.join(".gitignore");
        if fs::read(&ignored).ok().as_deref() != Some(EVERYTHING) {
            replace(&ignored, EVERYTHING).map_err(failed(&ignored))?;
        }
        let mut kept = self.read(question);
        change(&mut kept);
        kept.format = FORMAT;
        let path = self.file(question);
        let written = serde_json::to_vec(&kept)
            .map_err(io::Error::from)
            .and_then(|text| replace(&path, &text))
            .map_err(failed(&path));
        drop(locked);
        written
    }

    /// Keeps the grade of an answer whose digest is `answer`.
    ///
    /// # Errors
    /// It could not be written.
    pub fn keep_grade(&self, grade: &Grade, answer: String) -> Result<(), KeepError> {
        let Points { earned, possible } = grade.points;
        let passed = grade.verdict == Verdict::Passed;
        self.change(&grade.question, |kept| {
            kept.passed |= passed;
            kept.grade = Some(KeptGrade { answer, passed, earned, possible });
        })
    }

    fn file(&self, question: &str) -> PathBuf {
        self.folder.join(format!("{question}.json"))
    }
}

/// Gives a file another content; whoever reads it, even after a crash, finds the old one or the new.
///
/// To be called by one at a time; what one who was killed has left is written over by the next.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = File::create(&new)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It is of no use, and that it cannot be removed either is nothing new.
        let _ = fs::remove_file(&new);
    }
    written
}
