//! Folders in which the grader's command line is tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// A workspace with nothing in it but questions; enough to grade a command.
#[derive(Debug)]
pub struct Course(TempDir);

impl Course {
    /// A workspace with one question, `hello`, whose file has this text.
    #[must_use]
    pub fn with(question: &str) -> Course {
        let folder = tempfile::tempdir().expect("the folder for temporary files can be written to");
        write(&folder.path().join("Cargo.toml"), "[workspace]\n");
        write(&folder.path().join("exercises/hello/question.toml"), question);
        Course(folder)
    }

    /// A workspace with one question that asks for these lines of TOML below `[[check]]`, and has these limits.
    #[must_use]
    pub fn asking(check: &str, limits: &str) -> Course {
        Course::with(&format!(
            "title = \"Hello\"\ntopic = \"processes\"\nhints = [\"Print it.\"]\n\n[limits]\n{limits}\n\n\
             [[check]]\nname = \"says hello\"\npoints = 10\n{check}\n"
        ))
    }

    /// The workspace's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives a file of the workspace a text.
    pub fn write(&self, file: &str, text: &str) {
        write(&self.path().join(file), text);
    }

    /// The text of a file of the workspace.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        let path = self.path().join(file);
        fs::read_to_string(path).unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"))
    }
}

/// A copy of the whole workspace, of which there is one at a time.
///
/// Its place stays the same from test to test and from call to call, so that cargo has to compile its dependencies
/// only once; it has a target folder of its own, since its programs are named like those of the workspace.
#[derive(Debug)]
pub struct Copy {
    folder: PathBuf,
    target: PathBuf,
    _alone: MutexGuard<'static, ()>,
    /// Held against another call of `cargo test`, until it is closed.
    _lock: fs::File,
}

/// What a copy leaves out.
const LEFT_OUT: [&str; 4] = [".git", ".grader", "target", "submissions"];

impl Copy {
    /// Makes the copy the same as the workspace; `place` is a folder that only tests use.
    ///
    /// Waits for a copy that another test holds, of this process or of another one.
    #[must_use]
    pub fn of_the_workspace(place: &Path) -> Copy {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(place).expect("the place for the copy can be made");
        let lock = fs::File::create(place.join("lock")).expect("the place for the copy can be written to");
        lock.lock().expect("a file can be locked");
        let folder = place.join("workspace");
        synchronise(&crate::root(), &folder);
        Copy { folder, target: place.join("target"), _alone: alone, _lock: lock }
    }

    /// The copy's root folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The grader's command line, to be run in the copy.
    #[must_use]
    pub fn grader(&self) -> assert_cmd::Command {
        self.grader_in(&self.folder)
    }

    /// The grader's command line, to be run in another workspace that shares what the copy has built.
    #[must_use]
    pub fn grader_in(&self, workspace: &Path) -> assert_cmd::Command {
        let mut command = crate::program::grader(workspace);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Changes a file of the copy.
    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.join(file);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"));
        let changed = change(text.clone());
        assert_ne!(changed, text, "nothing was changed in `{file}`");
        write(&path, &changed);
    }

    /// Gives a file of the copy another text.
    pub fn write(&self, file: &str, text: &str) {
        write(&self.folder.join(file), text);
    }

    /// Takes a file away.
    pub fn remove_file(&self, file: &str) {
        fs::remove_file(self.folder.join(file))
            .unwrap_or_else(|error| panic!("failed to remove `{file}`: {error}"));
    }

    /// Takes a folder away.
    pub fn remove_folder(&self, folder: &str) {
        fs::remove_dir_all(self.folder.join(folder))
            .unwrap_or_else(|error| panic!("failed to remove `{folder}`: {error}"));
    }
}

/// Makes one folder the same as another.
///
/// A file that is the same already is not written: cargo goes by the time at which a file was last written.
fn synchronise(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("failed to make `{}`: {error}", to.display()));
    let wanted: BTreeSet<_> =
        names(from).into_iter().filter(|name| !LEFT_OUT.contains(&name.as_str())).collect();
    for name in names(to).difference(&wanted) {
        let path = to.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap_or_else(|error| panic!("failed to remove `{}`: {error}", path.display()));
    }
    for name in &wanted {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_dir() {
            synchronise(&from, &to);
        } else if let Ok(content) = fs::read(&from)
            && fs::read(&to).ok().as_ref() != Some(&content)
        {
            fs::write(&to, content)
                .unwrap_or_else(|error| panic!("failed to write `{}`: {error}", to.display()));
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn write(path: &Path, text: &str) {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.unwrap_or_else(|error| panic!("failed to write `{}`: {error}", path.display()));
}
