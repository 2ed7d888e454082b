//! What a new question is made from: whole questions, small and sound, that are part of the grader.
//!
//! A template is a folder in `templates/`: the question's text and file, the starter, the solution, and fixtures by
//! their verdicts.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A kind of question to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The name to choose it by.
    pub name: &'static str,
    /// What such a question asks for.
    pub about: &'static str,
    /// The files of its folder.
    files: &'static [(&'static str, &'static str)],
}

/// A text that names no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("find a template `{name}`: allowed are {known}", name = .0, known = names())]
pub struct UnknownTemplate(pub String);

/// The manifest of every package of a question.
const MANIFEST: &str = include_str!("templates/package.toml");

/// An exercise names its program.
const PROGRAM: &str = "
# Said, so that cargo reads the workspace, and `cargo grader reset` works, even when src/main.rs is gone.
[[bin]]
name = \"{package}\"
path = \"src/main.rs\"
";

/// A solution is held to the lints of the workspace; a learner's exercise is not.
const LINTS: &str = "\n[lints]\nworkspace = true\n";

macro_rules! template {
    ($name:literal, $about:literal, [$($fixture:literal),* $(,)?]) => {
        Template {
            name: $name,
            about: $about,
            files: &[
                file!($name, "question.md"),
                file!($name, "question.toml"),
                file!($name, "starter.rs"),
                file!($name, "solution.rs"),
                $(file!($name, $fixture, ".rs"), file!($name, $fixture, ".toml"),)*
            ],
        }
    };
}

macro_rules! file {
    ($name:literal, $($part:literal),+) => {
        (concat!($($part),+), include_str!(concat!("templates/", $name, "/", $($part),+)))
    };
}

impl Template {
    /// All templates, the simplest first.
    pub const ALL: [Template; 5] = [
        template!(
            "one-process",
            "one child prints a line",
            [
                "failed/hard-coded",
                "failed/no-join",
                "failed/threads",
                "deadlocked/waits-for-ever",
                "passed/worker"
            ]
        ),
        template!(
            "several-processes",
            "three children side by side, a line each, in any order",
            [
                "failed/hard-coded",
                "failed/no-join",
                "failed/one-child",
                "failed/sequential",
                "failed/threads",
                "deadlocked/waits-for-ever",
                "passed/newest-first",
            ]
        ),
        template!(
            "ordered-join",
            "two children side by side, and a last line by main after both",
            [
                "failed/exits-with-two",
                "failed/hard-coded",
                "failed/no-join",
                "failed/sequential",
                "failed/sleep",
                "failed/threads",
                "deadlocked/waits-for-ever",
                "passed/other-order",
            ]
        ),
        template!(
            "pool",
            "a pool of workers computes, and main prints the results in order",
            [
                "failed/hard-coded",
                "failed/idle-pool",
                "failed/no-join",
                "failed/sequential",
                "failed/threads",
                "failed/worker-prints",
                "deadlocked/waits-for-ever",
                "passed/one-process-each",
            ]
        ),
        template!(
            "custom",
            "an answer that another process finds: little to take away",
            [
                "failed/exits-with-two",
                "failed/hard-coded",
                "failed/idle-child",
                "failed/threads",
                "failed/wrong-answer",
                "deadlocked/waits-for-ever",
                "passed/worker",
            ]
        ),
    ];

    /// The files of a question of this name, each with its path from the workspace's root on.
    pub(super) fn files_of(self, id: &str) -> Vec<(PathBuf, String)> {
        let exercise = Path::new("exercises").join(id);
        let solution = Path::new("solutions").join(id);
        let manifest = |package: &str, more: &str| (MANIFEST.to_owned() + more).replace("{package}", package);
        let mut files = vec![
            (exercise.join("Cargo.toml"), manifest(&format!("exercise-{id}"), PROGRAM)),
            (solution.join("Cargo.toml"), manifest(id, LINTS)),
        ];
        for (name, text) in self.files {
            let text = (*text).to_owned();
            match *name {
                "question.md" => files.push((exercise.join(name), text.replace("{id}", id))),
                "question.toml" => files.push((exercise.join(name), text)),
                "starter.rs" => {
                    // As the learner begins with it, and as `cargo grader reset` restores it.
                    files.push((exercise.join("src/main.rs"), text.clone()));
                    files.push((exercise.join("starter/src/main.rs"), text));
                }
                "solution.rs" => files.push((solution.join("src/main.rs"), text)),
                fixture => files.push((Path::new("tests/submissions").join(id).join(fixture), text)),
            }
        }
        files
    }
}

impl FromStr for Template {
    type Err = UnknownTemplate;

    fn from_str(name: &str) -> Result<Template, UnknownTemplate> {
        let found = Template::ALL.into_iter().find(|template| template.name == name);
        found.ok_or_else(|| UnknownTemplate(name.to_owned()))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn names() -> String {
    Template::ALL.map(|template| format!("`{template}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::question;
    use crate::submission::is_unfinished;

    fn files_below(folder: &Path, inside: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(folder.join(inside)).unwrap().map(|entry| entry.unwrap());
        let names = entries.map(|entry| (entry.path(), entry.file_name().into_string().unwrap()));
        let below = names.flat_map(|(path, name)| {
            let name = format!("{inside}{name}");
            if path.is_dir() { files_below(folder, &format!("{name}/")) } else { BTreeSet::from([name]) }
        });
        below.collect()
    }

    #[test]
    fn every_file_of_a_template_is_used() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/author/templates");
        let mut used: BTreeSet<String> = BTreeSet::from(["package.toml".to_owned()]);
        for template in Template::ALL {
            used.extend(template.files.iter().map(|(file, _)| format!("{}/{file}", template.name)));
        }
        assert_eq!(used, files_below(&folder, ""));
    }

    #[test]
    fn every_template_asks_for_ten_points_in_a_sound_file_and_begins_unfinished() {
        for template in Template::ALL {
            let files = template.files_of("q7");
            let text = |path: &str| {
                let found = files.iter().find(|(file, _)| file == Path::new(path));
                found.unwrap_or_else(|| panic!("{template} has no {path}")).1.as_str()
            };
            let file = text("exercises/q7/question.toml");
            assert!(file.starts_with("#:schema ../../docs/question.schema.json\n"), "{template}");
            let question = question::parse("q7", Path::new("question.toml"), file);
            assert_eq!(question.unwrap_or_else(|mistakes| panic!("{mistakes}")).points(), 10);
            assert!(is_unfinished(text("exercises/q7/src/main.rs")), "{template}");
            assert!(!is_unfinished(text("solutions/q7/src/main.rs")), "{template}");
            assert!(text("exercises/q7/question.md").contains("cargo grade q7\n"), "{template}");
        }
    }

    #[test]
    fn a_template_is_read_by_its_name() {
        for template in Template::ALL {
            assert_eq!(template.to_string().parse(), Ok(template));
        }
        let error = "pools".parse::<Template>().unwrap_err().to_string();
        assert!(error.starts_with("find a template `pools`: allowed are `one-process`, "), "{error}");
    }
}
