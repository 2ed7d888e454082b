//! The files of an exercise that are the learner's to change.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::submission::Workspace;

/// The folder beside the learner's files that holds them as they were given.
const STARTER: &str = "starter";

/// What an answer may consist of beside programs, whether a starter says so or not.
const BESIDE: [&str; 2] = ["answer.md", "prediction.toml"];

/// Files that decide about a grade and are not the learner's.
const AROUND: [&str; 3] = ["Cargo.toml", "program.rs", "question.toml"];

/// A learner's answer to one question: everything below `src`, what stands beside it, and what was given at the start.
///
/// What an editor keeps for itself while it is open is no part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    folder: PathBuf,
    /// From the folder on; those of the starter are among them even where they are gone.
    files: BTreeSet<PathBuf>,
}

impl Answer {
    /// The answer to a question as it lies there now.
    #[must_use]
    pub fn find(workspace: &Workspace, question: &str) -> Answer {
        let folder = workspace.exercise(question);
        let mut files = files_below(&folder.join(STARTER), Path::new(""));
        files.extend(files_below(&folder, Path::new("src")).into_iter().filter(|file| !is_an_editors(file)));
        files.extend(BESIDE.map(PathBuf::from).into_iter().filter(|file| folder.join(file).is_file()));
        Answer { folder, files }
    }

    /// The exercise's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The learner's files, from the exercise's folder on.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The files as they were given, from the exercise's folder on; empty where there is no starter.
    #[must_use]
    pub fn starter_files(&self) -> BTreeSet<PathBuf> {
        files_below(&self.starter(), Path::new(""))
    }

    /// Where the files lie as they were given.
    #[must_use]
    pub fn starter(&self) -> PathBuf {
        self.folder.join(STARTER)
    }

    /// Whether every file is as it was given; not so where there is no starter to compare it with.
    #[must_use]
    pub fn is_starter(&self) -> bool {
        let starter = self.starter();
        let same = |file: &PathBuf| {
            let (now, given) = (fs::read(self.folder.join(file)), fs::read(starter.join(file)));
            matches!((now, given), (Ok(now), Ok(given)) if now == given)
        };
        starter.is_dir() && self.files.iter().all(same)
    }

    /// What tells this answer, and what it is graded by, from any other: a digest of names and contents.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Fnv1a::new();
        let around = AROUND.iter().map(Path::new);
        for file in self.files().chain(around) {
            digest.add(file.as_os_str().as_encoded_bytes());
            // A file that is not there differs from an empty one.
            match fs::read(self.folder.join(file)) {
                Ok(content) => digest.add(&content),
                Err(_) => digest.add_length(u64::MAX),
            }
        }
        format!("{:016x}", digest.0)
    }
}

/// All files below `root/from`, named from `root` on; what cannot be read counts as not there.
fn files_below(root: &Path, from: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let path = folder.join(entry.file_name());
            // A symbolic link to a folder is not followed: it may lead around in a circle.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) => _ = found.insert(path),
                Err(_) => {}
            }
        }
    }
    found
}

/// Whether a file has a name as editors give to their locks, swap files and backups.
fn is_an_editors(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b".") || name.starts_with(b"#") || name.ends_with(b"~")
}

/// The hash FNV-1a of 64 bits: it tells edits apart, and is the same in every version of the grader.
struct Fnv1a(u64);

impl Fnv1a {
    fn new() -> Fnv1a {
        Fnv1a(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.add_length(bytes.len() as u64);
        self.add_bytes(bytes);
    }

    /// Lengths keep the end of one content from being taken for the beginning of the next.
    fn add_length(&mut self, length: u64) {
        self.add_bytes(&length.to_le_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join("exercises/q1").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn find(folder: &tempfile::TempDir) -> Answer {
        Answer::find(&Workspace::at(folder.path()), "q1")
    }

    #[test]
    fn an_answer_is_what_the_learner_writes_and_nothing_that_an_editor_or_the_program_does() {
        let folder = workspace(&[
            ("starter/src/main.rs", "todo!()"),
            ("starter/answer.md", ""),
            ("src/main.rs", ""),
            ("src/deep/er.rs", ""),
            ("src/.main.rs.swp", ""),
            ("src/main.rs~", ""),
            ("src/#main.rs#", ""),
            ("prediction.toml", ""),
            ("printed.txt", ""),
            ("old-1/src/main.rs", ""),
        ]);
        let answer = find(&folder);
        let files: Vec<&str> = answer.files().filter_map(Path::to_str).collect();
        assert_eq!(files, ["answer.md", "prediction.toml", "src/deep/er.rs", "src/main.rs"]);
    }

    #[test]
    fn each_change_of_an_answer_changes_its_digest() {
        let given = &[("src/main.rs", "ab"), ("src/a.rs", "c"), ("question.toml", "d")];
        let digest = |change: &dyn Fn(&Path)| {
            let folder = workspace(given);
            change(&folder.path().join("exercises/q1"));
            find(&folder).digest()
        };
        let changes: [&dyn Fn(&Path); 6] = [
            &|_| {},
            &|folder| fs::write(folder.join("src/main.rs"), "ac").unwrap(),
            &|folder| fs::write(folder.join("src/a.rs"), "").unwrap(),
            &|folder| fs::remove_file(folder.join("src/a.rs")).unwrap(),
            &|folder| fs::rename(folder.join("src/a.rs"), folder.join("src/b.rs")).unwrap(),
            &|folder| fs::write(folder.join("question.toml"), "e").unwrap(),
        ];
        let digests: BTreeSet<String> = changes.iter().map(|change| digest(change)).collect();
        assert_eq!(digests.len(), changes.len());
        assert_eq!(digest(&|_| {}), digest(&|folder| fs::write(folder.join("printed"), "").unwrap()));
    }
}
