//! The name of a new question: one that cargo, the shell and the course can live with.

use std::fs;
use std::path::Path;

use crate::submission::Workspace;

/// Why a question cannot have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is no name of a package.
    #[error(
        "name a question `{0}`: a name is 1 to 40 small letters, digits and single hyphens, and begins with a letter, as \
         in `q7-greeting`"
    )]
    Form(String),
    /// It means something else to Rust, to cargo or to the grader.
    #[error("name a question `{name}`: {why}; choose another name")]
    Reserved {
        /// The name.
        name: String,
        /// What it means.
        why: &'static str,
    },
    /// There is something of this name.
    #[error("name a question `{name}`: there is {place} already, and nothing is ever overwritten")]
    Taken {
        /// The name.
        name: String,
        /// What is there, in words.
        place: String,
    },
}

const LONGEST: usize = 40;

/// Words that cannot be the name of a crate; see "Keywords" in the Rust reference.
const KEYWORDS: [&str; 41] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true",
];

/// The same, for those that begin with the last letters, and what cargo or Rust have named so.
const TAKEN_BY_RUST: [&str; 19] = [
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "core",
    "std",
    "alloc",
    "test",
    "build",
    "deps",
    "examples",
    "incremental",
];

/// Whether a new question may have this name.
pub(super) fn check(workspace: &Workspace, name: &str) -> Result<(), NameError> {
    if !is_well_formed(name) {
        return Err(NameError::Form(name.to_owned()));
    }
    if let Some(why) = reserved(name) {
        return Err(NameError::Reserved { name: name.to_owned(), why });
    }
    let taken = |place: String| Err(NameError::Taken { name: name.to_owned(), place });
    for folder in ["exercises", "solutions", "tests/submissions"] {
        if let Some(found) = entry_like(&workspace.root().join(folder), name) {
            return taken(format!("`{folder}/{found}`"));
        }
    }
    for package in packages(workspace.root()) {
        if package == name || package == format!("exercise-{name}") {
            return taken(format!("a package `{package}`"));
        }
    }
    Ok(())
}

fn is_well_formed(name: &str) -> bool {
    let allowed = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-';
    name.len() <= LONGEST
        && name.starts_with(|one: char| one.is_ascii_lowercase())
        && name.chars().all(allowed)
        && !name.contains("--")
        && !name.ends_with('-')
}

fn reserved(name: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&name) || TAKEN_BY_RUST.contains(&name) {
        return Some("the word means something to Rust or to cargo");
    }
    if name.starts_with("exercise-") {
        return Some("packages of exercises begin with `exercise-`");
    }
    name.starts_with("source-").then_some("packages of single files begin with `source-`")
}

/// Something in a folder that has this name, whether in small letters or not: some file systems see no difference.
fn entry_like(folder: &Path, name: &str) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .find(|found| found.eq_ignore_ascii_case(name))
}

/// The names of all packages that the workspace knows: its own and what they depend on.
fn packages(root: &Path) -> Vec<String> {
    let names = |lock: toml::Table| -> Option<Vec<String>> {
        let packages = lock.get("package")?.as_array()?.iter();
        Some(packages.filter_map(|one| one.get("name")?.as_str().map(str::to_owned)).collect())
    };
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    lock.parse().ok().and_then(names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["exercises/q3", "solutions/q4", "tests/submissions/Q5"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        fs::write(root.join("Cargo.toml"), "[workspace]\n").unwrap();
        let lock = "[[package]]\nname = 'serde'\n[[package]]\nname = 'exercise-q8'\n";
        fs::write(root.join("Cargo.lock"), lock).unwrap();
        let workspace = Workspace::find(root).unwrap();
        (folder, workspace)
    }

    #[test]
    fn a_name_that_fits_is_taken_as_it_is() {
        let (_folder, workspace) = workspace();
        for name in
            ["q7", "q7-greeting", "a", "pool2", "exercises", "a234567890123456789012345678901234567890"]
        {
            assert_eq!(check(&workspace, name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let (_folder, workspace) = workspace();
        let long = "a".repeat(41);
        for name in
            ["", "7q", "Q7", "q_7", "q 7", "q7-", "-q7", "q--7", "../q7", "q/7", "q7\n", "fünf", ".", &long]
        {
            assert_eq!(check(&workspace, name), Err(NameError::Form(name.to_owned())));
        }
    }

    #[test]
    fn a_name_that_means_something_else_is_refused() {
        let (_folder, workspace) = workspace();
        for name in ["fn", "while", "test", "std", "build", "exercise-q7", "source-q7"] {
            let error = check(&workspace, name).unwrap_err();
            assert!(matches!(error, NameError::Reserved { .. }), "{name}: {error}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_refused_with_what_has_it() {
        let (_folder, workspace) = workspace();
        for (name, place) in [
            ("q3", "`exercises/q3`"),
            ("q4", "`solutions/q4`"),
            ("q5", "`tests/submissions/Q5`"),
            ("serde", "a package `serde`"),
            ("q8", "a package `exercise-q8`"),
        ] {
            let taken = NameError::Taken { name: name.to_owned(), place: place.to_owned() };
            assert_eq!(check(&workspace, name), Err(taken));
        }
    }
}
