//! The learner's copy of a course.
//!
//! What belongs to it is named here, and nothing else is copied: what an instructor keeps beside is never given away.
//! Left behind are the solutions, the fixtures, written answers to try, what solutions print, and what nobody has begun to answer is answered:
//! every exercise is its starter.
//! Hidden checks are taken out of question.toml with the files that they alone use; their points are written down.
//! The copy is made beside its place and renamed, so that it is there whole or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, value};

use super::package::misnamed;
use crate::model::{Condition, Question};
use crate::question::{Course, CourseError};
use crate::submission::{self, Workspace};

/// What of a workspace's root belongs to a learner's copy, apart from its questions and tests.
pub const GIVEN: [&str; 14] = [
    ".cargo",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "docs",
    "grader",
    "rustfmt.toml",
    "shared",
];

/// What is for those who work on the course itself: its whole check, which needs the solutions, and its measurements.
pub const OF_AUTHORS: [&str; 3] = [".ci", ".github", "benchmark"];

/// What of the workspace's tests stays behind, from their folder on: a path, or its beginning.
const KEPT_OF_TESTS: [&str; 3] = ["answers", "submissions", "snapshots/output_of_"];

/// The page for newcomers, in place of the course's own: that one speaks of solutions, and of an instructor's work.
const README: &str = include_str!("learner.md");

/// What is made by tools wherever they run.
const MADE: [&str; 3] = ["target", ".git", ".grader"];

/// Why no copy was made; nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A question is not sound enough to be read.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// The place is taken.
    #[error("release into `{}`: it is there already, and is no empty folder", .0.display())]
    Taken(PathBuf),
    /// The place is a part of the course.
    #[error("release into `{}`: it lies within the course itself; choose a place outside of it", .0.display())]
    Inside(PathBuf),
    /// There is nothing to give to a learner.
    #[error("release `{question}`: {why}")]
    Question {
        /// The question's id.
        question: String,
        /// What is missing.
        why: String,
    },
    /// Something is neither a file nor a folder.
    #[error("release `{}`: it is a link or a device, and a copy holds files alone", .0.display())]
    Odd(PathBuf),
    /// A file could not be read or written.
    #[error("copy `{}` (nothing of the copy is left)", path.display())]
    Copy {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What was released.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// The ids of all questions.
    pub questions: Vec<String>,
    /// How many files there are.
    pub files: usize,
    /// Questions with hidden checks: how many, and their points.
    pub hidden: Vec<(String, usize, u32)>,
    /// Names at the workspace's root that are no part of the copy, nor of the course.
    pub unknown: Vec<String>,
}

/// Makes a learner's copy of a workspace at `out`, which must not exist or be an empty folder.
///
/// # Errors
/// See [`ReleaseError`].
pub fn release(workspace: &Workspace, out: &Path) -> Result<Release, ReleaseError> {
    let out = std::path::absolute(out).map_err(copy_error(out))?;
    let is_free = match fs::read_dir(&out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(ReleaseError::Taken(out));
    }
    let parent = out.parent().unwrap_or(Path::new("/"));
    // A folder that is not there yet lies where the folder around it lies.
    let around = parent.ancestors().find_map(|folder| folder.canonicalize().ok());
    let root = workspace.root().canonicalize().map_err(copy_error(workspace.root()))?;
    if around.is_some_and(|folder| folder.starts_with(&root)) {
        return Err(ReleaseError::Inside(out));
    }
    let course = Course::find(workspace.root())?;
    let questions: Vec<Question> =
        course.ids().iter().map(|id| course.question(id)).collect::<Result<_, _>>()?;
    fs::create_dir_all(parent).map_err(copy_error(parent))?;
    let draft =
        tempfile::Builder::new().prefix(".release-").tempdir_in(parent).map_err(copy_error(parent))?;
    let mut copy = Copy { workspace, from: workspace.root(), to: draft.path(), files: 0 };
    let mut release = Release { unknown: unknown(workspace.root())?, ..Release::default() };
    for name in GIVEN.iter().filter(|name| **name != "README.md" && workspace.root().join(name).exists()) {
        copy.all(Path::new(name), &|_| true)?;
    }
    let is_given = |path: &Path| {
        let inside = path.strip_prefix("tests").unwrap_or(path).to_string_lossy().into_owned();
        !KEPT_OF_TESTS.iter().any(|kept| inside.starts_with(kept))
    };
    copy.all(Path::new("tests"), &is_given)?;
    copy.readme()?;
    for question in &questions {
        release.hidden.extend(copy.question(question)?);
        release.questions.push(question.id.clone());
    }
    release.files = copy.files;
    // An empty folder gives way to one that is renamed to its name, see rename(2).
    fs::rename(draft.path(), &out).map_err(copy_error(&out))?;
    // It has another name now, and nothing is left to be removed.
    let _ = draft.keep();
    Ok(release)
}

fn copy_error(path: &Path) -> impl FnOnce(io::Error) -> ReleaseError + use<> {
    let path = path.to_owned();
    move |source| ReleaseError::Copy { path, source }
}

/// What lies at the root and is neither given away nor a part of the course.
fn unknown(root: &Path) -> Result<Vec<String>, ReleaseError> {
    let names = names(root)?.into_iter();
    let course = ["exercises", "solutions", "tests"];
    Ok(names
        .filter(|name| ![&GIVEN[..], &OF_AUTHORS, &MADE, &course].concat().contains(&name.as_str()))
        .collect())
}

/// The names in a folder, in their order.
fn names(folder: &Path) -> Result<BTreeSet<String>, ReleaseError> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(copy_error(folder))? {
        let name = entry.map_err(copy_error(folder))?.file_name();
        names.insert(name.to_string_lossy().into_owned());
    }
    Ok(names)
}

/// A copy that is being made.
struct Copy<'a> {
    workspace: &'a Workspace,
    from: &'a Path,
    to: &'a Path,
    files: usize,
}

impl Copy<'_> {
    /// Copies a file or a folder with all in it that is wanted; `path` goes from the root on.
    fn all(&mut self, path: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<(), ReleaseError> {
        if !is_wanted(path) {
            return Ok(());
        }
        let from = self.from.join(path);
        let kind = fs::symlink_metadata(&from).map_err(copy_error(&from))?.file_type();
        if kind.is_file() {
            return self.file(path, path);
        }
        if !kind.is_dir() {
            return Err(ReleaseError::Odd(path.to_owned()));
        }
        names(&from)?
            .into_iter()
            .filter(|name| !MADE.contains(&name.as_str()) && !is_scrap(name))
            .try_for_each(|name| self.all(&path.join(name), is_wanted))
    }

    fn file(&mut self, from: &Path, to: &Path) -> Result<(), ReleaseError> {
        let (from, to) = (self.from.join(from), self.to.join(to));
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(copy_error(&to))?;
        fs::copy(&from, &to).map_err(copy_error(&from))?;
        self.files += 1;
        Ok(())
    }

    fn readme(&mut self) -> Result<(), ReleaseError> {
        let path = self.to.join("README.md");
        fs::write(&path, README).map_err(copy_error(&path))?;
        self.files += 1;
        Ok(())
    }

    /// Copies a question's exercise as its starter; returns its hidden checks and their points, if it has any.
    fn question(&mut self, question: &Question) -> Result<Option<(String, usize, u32)>, ReleaseError> {
        let id = &question.id;
        let impossible = |why: String| Err(ReleaseError::Question { question: id.clone(), why });
        if question.checks.iter().all(|check| check.hidden) {
            return impossible("all of its checks are hidden, and nothing would be left to grade".to_owned());
        }
        let folder = Path::new("exercises").join(id);
        let starter = folder.join("starter");
        if !self.from.join(&starter).is_dir() {
            return impossible(format!("there is no `{}` to give to a learner", starter.display()));
        }
        if let [mistake, ..] = misnamed(self.workspace, [id].into_iter()).as_slice() {
            return impossible(mistake.clone());
        }
        let given: Vec<PathBuf> = files_below(&self.from.join(&starter))?;
        let secret = secret_files(question);
        let is_wanted = |path: &Path| {
            let inside = path.strip_prefix(&folder).unwrap_or(path);
            // What a learner may have made of it, or kept of earlier tries.
            let is_work = inside.starts_with("src")
                || inside == Path::new(submission::answer_name(question))
                || inside.to_string_lossy().starts_with("old-")
                || given.iter().any(|file| file == inside);
            !is_work && !secret.contains(&inside.to_string_lossy().into_owned())
        };
        self.all(&folder, &is_wanted)?;
        for file in &given {
            self.file(&starter.join(file), &folder.join(file))?;
        }
        let hidden: Vec<u32> =
            question.checks.iter().filter(|check| check.hidden).map(|check| check.points).collect();
        if hidden.is_empty() {
            return Ok(None);
        }
        let points = hidden.iter().sum();
        let file = self.to.join(folder.join("question.toml"));
        let text = fs::read_to_string(&file).map_err(copy_error(&file))?;
        let text = without_hidden(&text, points + question.withheld)
            .ok_or_else(|| io::Error::other("its hidden checks were not found again"))
            .map_err(copy_error(&file))?;
        fs::write(&file, text).map_err(copy_error(&file))?;
        Ok(Some((id.clone(), hidden.len(), points)))
    }
}

/// What editors, tests and crashes leave.
fn is_scrap(name: &str) -> bool {
    name.ends_with('~') || name.ends_with(".snap.new") || name.ends_with(".pending-snap")
}

/// The files below a folder, from it on.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, ReleaseError> {
    let mut files = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(files_below(&path)?.into_iter().map(|file| Path::new(&name).join(file)));
        } else {
            files.push(PathBuf::from(name));
        }
    }
    Ok(files)
}

/// Files beside question.toml that hidden checks use, and no other check.
fn secret_files(question: &Question) -> BTreeSet<String> {
    let files = |hidden: bool| -> BTreeSet<String> {
        let checks = question.checks.iter().filter(|check| check.hidden == hidden);
        checks
            .flat_map(|check| match &check.condition {
                Condition::Snapshot { file, .. } => vec![file.clone()],
                Condition::Validator { command } => {
                    command.iter().map(|word| word.trim_start_matches("./").to_owned()).collect()
                }
                _ => Vec::new(),
            })
            .collect()
    };
    files(true).difference(&files(false)).cloned().collect()
}

/// A question's file without its hidden checks, whose points are written down; none if there are none in it.
fn without_hidden(text: &str, points: u32) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let is_hidden = |hidden: Option<bool>| hidden == Some(true);
    let removed = match document.get_mut("check")? {
        Item::ArrayOfTables(checks) => {
            let before = checks.len();
            checks.retain(|check| !is_hidden(check.get("hidden").and_then(Item::as_bool)));
            before - checks.len()
        }
        Item::Value(list) => {
            let checks = list.as_array_mut()?;
            let before = checks.len();
            checks.retain(|check| {
                let table = check.as_inline_table();
                !is_hidden(table.and_then(|table| table.get("hidden")?.as_bool()))
            });
            before - checks.len()
        }
        _ => 0,
    };
    document.insert("withheld", value(i64::from(points)));
    // A comment at the end may belong to a check that is gone.
    document.set_trailing("");
    (removed > 0).then(|| document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question;

    const FILE: &str = "#:schema s.json\ntitle = \"T\"\ntopic = \"t\"\nhints = []\n\n[limits]\nprocesses = 3\n\n\
        # The one that everybody sees.\n[[check]]\nname = \"a\"\npoints = 4\noutput = \"a\"\n\n\
        # The trap: nobody may know of the semaphore.\n[[check]]\nname = \"secret\"\npoints = 6\nhidden = true\n\
        snapshot = \"secret.txt\"\n\n# More of the semaphore.\n";

    #[test]
    fn hidden_checks_go_with_their_comments_and_their_points_are_written_down() {
        let text = without_hidden(FILE, 6).unwrap();
        let question = question::parse("q", Path::new("question.toml"), &text);
        let question = question.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((question.points(), question.withheld, question.limits.processes), (4, 6, 3));
        assert!(text.contains("everybody sees"), "{text}");
        assert!(!text.contains("semaphore") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn hidden_checks_in_a_list_go_too() {
        let text = "check = [{ name = 'a', points = 1, torn = 0 }, { name = 'b', points = 2, torn = 0, hidden = true }]\n\
                    title = 'T'\ntopic = 't'\n";
        let text = without_hidden(text, 2).unwrap();
        let question = question::parse("q", Path::new("question.toml"), &text);
        let question = question.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!((question.points(), question.withheld, question.checks.len()), (1, 2, 1));
    }

    #[test]
    fn a_file_without_hidden_checks_is_none() {
        assert_eq!(without_hidden("[[check]]\nname = 'a'\n", 1), None);
    }
}
