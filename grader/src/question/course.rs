//! All questions of a workspace.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostics;
use super::file;
use crate::model::Question;

/// The questions of a workspace, found by their folders.
#[derive(Debug, Clone)]
pub struct Course {
    folder: PathBuf,
    ids: Vec<String>,
    strays: Vec<String>,
}

/// Why a question or all of them cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CourseError {
    /// The folder of exercises cannot be read.
    #[error("read the folder `{}`", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no question of this name.
    #[error("find a question `{id}`{}; the questions are {}", did_you_mean(id, known), list(known))]
    Unknown {
        /// The name.
        id: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is a folder of this name, and no question in it.
    #[error("find the file `{}`; without it the folder holds no question", file.display())]
    NoFile {
        /// The file that should be there.
        file: PathBuf,
    },
    /// The question's file has mistakes.
    #[error("read a question:\n{0}")]
    Invalid(Diagnostics),
}

impl Course {
    /// Finds every folder below `root/exercises` that holds a question.toml.
    ///
    /// # Errors
    /// [`CourseError::Unreadable`] if the folder cannot be listed.
    pub fn find(root: &Path) -> Result<Course, CourseError> {
        let folder = root.join("exercises");
        let unreadable = |source| CourseError::Unreadable { folder: folder.clone(), source };
        let (mut ids, mut strays) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(id) = entry.file_name().into_string() else { continue };
            if entry.path().join("question.toml").is_file() {
                ids.push(id);
            } else if entry.path().is_dir() && !id.starts_with('.') {
                strays.push(id);
            }
        }
        ids.sort_by(|a, b| by_number(a, b));
        strays.sort_by(|a, b| by_number(a, b));
        Ok(Course { folder, ids, strays })
    }

    /// The ids of all questions, `q2` before `q10`.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// What is wrong with the folders beside the questions that hold none: their question.toml is not there.
    pub fn strays(&self) -> impl Iterator<Item = CourseError> {
        self.strays.iter().map(|id| self.no_file(id))
    }

    fn no_file(&self, id: &str) -> CourseError {
        CourseError::NoFile { file: self.folder(id).join("question.toml") }
    }

    /// The folder of a question.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Reads one question.
    ///
    /// # Errors
    /// [`CourseError::Unknown`], or [`CourseError::Invalid`] with every mistake in its file.
    pub fn question(&self, id: &str) -> Result<Question, CourseError> {
        self.require(id)?;
        file::load(&self.folder(id)).map_err(CourseError::Invalid)
    }

    /// Reads one question whose snapshots may not be there yet; such a one is empty.
    ///
    /// # Errors
    /// As [`question`](Course::question).
    pub fn unrecorded_question(&self, id: &str) -> Result<Question, CourseError> {
        self.require(id)?;
        file::load_unrecorded(&self.folder(id)).map_err(CourseError::Invalid)
    }

    /// Makes sure that there is a question of this name, whether it is sound or not.
    ///
    /// # Errors
    /// [`CourseError::Unknown`], or [`CourseError::NoFile`] where only its file is missing.
    pub fn require(&self, id: &str) -> Result<(), CourseError> {
        if self.ids.iter().any(|known| known == id) {
            return Ok(());
        }
        let is_name = Path::new(id).components().count() == 1 && !id.starts_with('.');
        if is_name && self.folder(id).is_dir() {
            return Err(self.no_file(id));
        }
        Err(CourseError::Unknown { id: id.to_owned(), known: self.ids.clone() })
    }
}

/// Compares names with the numbers in them by value.
fn by_number(a: &str, b: &str) -> Ordering {
    fn split(text: &str) -> (&str, Option<u64>, &str) {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let end = text[start..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| start + end);
        (&text[..start], text[start..end].parse().ok(), &text[end..])
    }
    split(a).cmp(&split(b)).then_with(|| a.cmp(b))
}

fn list(ids: &[String]) -> String {
    if ids.is_empty() {
        return "none: there is no folder with a question.toml below `exercises`".to_owned();
    }
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

/// ` (did you mean ...?)` if a known name is at most two letters away.
fn did_you_mean(id: &str, known: &[String]) -> String {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(id, candidate), candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map_or_else(String::new, |(_, candidate)| format!(" (did you mean `{candidate}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_ordered_by_their_numbers() {
        let mut ids = ["q10", "q3-square-cube", "q2", "q3", "a"].map(str::to_owned);
        ids.sort_by(|a, b| by_number(a, b));
        assert_eq!(ids, ["a", "q2", "q3", "q3-square-cube", "q10"]);
    }

    #[test]
    fn a_name_close_to_a_known_one_is_suggested() {
        let error =
            CourseError::Unknown { id: "q66".to_owned(), known: vec!["q5".to_owned(), "q6".to_owned()] };
        assert_eq!(
            error.to_string(),
            "find a question `q66` (did you mean `q6`?); the questions are `q5`, `q6`"
        );
    }
}
