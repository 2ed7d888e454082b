//! Exercises, solutions, single files and commands become programs; whoever does not build fails alone.
//!
//! Each test has a small workspace of its own, whose packages depend on nothing but each other.
//! No two tests have a package's name in common: where CARGO_TARGET_DIR is set they share that folder.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use grader::model::{Invocation, Limits, Policy, Schedule, Stream};
use grader::observe::run_plain;
use grader::submission::{Build, BuildError, Colour, Program, Submission, Workspace, build};
use tempfile::TempDir;

const ROOT: &str =
    "[workspace]\nresolver = '2'\nmembers = ['helper', '[es]*s/*']\n[profile.dev]\ndebug = 0\n";
const HELPER: &str = "pub fn greeting() -> &'static str { \"hello from the helper\" }\n";

/// A workspace that is removed with its target folder.
struct Course {
    test: &'static str,
    folder: TempDir,
}

impl Course {
    fn new(test: &'static str) -> Course {
        let course = Course { test, folder: tempfile::tempdir().unwrap() };
        course.write("Cargo.toml", ROOT);
        course.package("helper", &format!("helper-{test}"), "");
        course.write("helper/src/lib.rs", HELPER);
        course
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn package(&self, folder: &str, name: &str, dependencies: &str) {
        let manifest =
            format!("[package]\nname = '{name}'\nedition = '2024'\n[dependencies]\n{dependencies}\n");
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
    }

    fn exercise(&self, question: &str, main: &str) -> Submission {
        let folder = format!("exercises/{question}");
        self.package(
            &folder,
            &format!("exercise-{question}"),
            &format!("helper = {{ path = '../../helper', package = 'helper-{}' }}", self.test),
        );
        self.write(&format!("{folder}/src/main.rs"), main);
        Submission::Exercise { question: question.to_owned() }
    }

    fn solution(&self, question: &str, main: &str) -> Submission {
        let folder = format!("solutions/{question}");
        self.package(&folder, question, "");
        self.write(&format!("{folder}/src/main.rs"), main);
        Submission::Solution { question: question.to_owned() }
    }

    fn source(&self, question: &str, path: &str, content: &str) -> Submission {
        self.write(path, content);
        Submission::Source { question: question.to_owned(), file: self.folder.path().join(path) }
    }

    fn build(&self, submissions: &[Submission]) -> Result<Vec<Build>, BuildError> {
        let workspace = Workspace::find(&self.folder.path().join("exercises")).unwrap();
        build(&workspace, submissions, Colour::Never)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

fn ready(build: &Build) -> &Program {
    match build {
        Build::Ready(program) => program,
        Build::Failed { rendered } => panic!("{rendered}"),
    }
}

fn failed(build: &Build) -> &str {
    match build {
        Build::Ready(program) => panic!("{program:?}"),
        Build::Failed { rendered } => rendered,
    }
}

fn output(program: &Program) -> Vec<String> {
    let schedule = Schedule { policy: Policy::Free, seed: 0 };
    let record = run_plain(program, &Invocation::default(), &Limits::default(), schedule, "").unwrap();
    record.stream(Stream::Stdout).into_iter().map(|line| line.text.clone()).collect()
}

fn prints(text: &str) -> String {
    format!("fn main() {{ println!(\"{text}\"); }}\n")
}

const SHOWS_ITS_FOLDER: &str =
    "fn main() { println!(\"{}\", std::env::current_dir().unwrap().display()); }\n";

fn same_folder(line: &str, folder: &Path) -> bool {
    Path::new(line) == folder.canonicalize().unwrap()
}

#[test]
fn what_builds_is_ready_and_what_does_not_fails_alone() {
    let course = Course::new("mixed");
    let submissions = [
        course.exercise("mixed-one", "fn main() { println!(\"{}\", helper::greeting()); }\n"),
        course.exercise("mixed-two", "fn main() { let number: u32 = \"text\"; }\n"),
        course.solution("mixed-two", SHOWS_ITS_FOLDER),
        course.solution("mixed-three", SHOWS_ITS_FOLDER),
        Submission::Command {
            question: "mixed-one".to_owned(),
            words: vec!["echo".to_owned(), "a b".to_owned()],
        },
    ];
    let builds = course.build(&submissions).unwrap();
    assert_eq!(output(ready(&builds[0])), ["hello from the helper"]);
    let rendered = failed(&builds[1]);
    assert!(rendered.contains("error[E0308]: mismatched types"), "{rendered}");
    assert!(rendered.contains("exercises/mixed-two/src/main.rs:1:"), "{rendered}");
    assert!(!rendered.contains('\u{1b}'));
    // A solution runs in its exercise's folder, where there is one.
    assert!(same_folder(&output(ready(&builds[2]))[0], &course.path("exercises/mixed-two")));
    assert!(same_folder(&output(ready(&builds[3]))[0], &course.path("solutions/mixed-three")));
    assert_eq!(output(ready(&builds[4])), ["a b"]);
    assert_eq!(ready(&builds[4]).folder, std::env::current_dir().unwrap());
}

#[test]
fn the_compiler_s_text_has_colours_if_asked() {
    let course = Course::new("colour");
    let submission = course.exercise("colour-one", "fn main() { broken }\n");
    let workspace = Workspace::find(&course.path("exercises")).unwrap();
    let builds = build(&workspace, &[submission], Colour::Always).unwrap();
    assert!(failed(&builds[0]).contains("\u{1b}["));
}

#[test]
fn a_broken_dependency_is_what_fails_all_that_depend_on_it() {
    let course = Course::new("broken");
    let submissions =
        [course.exercise("broken-one", &prints("one")), course.solution("broken-two", &prints("two"))];
    course.write("helper/src/lib.rs", "pub fn greeting() { broken }\n");
    let builds = course.build(&submissions).unwrap();
    assert!(failed(&builds[0]).contains("cannot find value `broken`"));
    assert_eq!(output(ready(&builds[1])), ["two"]);
}

#[test]
fn a_changed_exercise_is_built_again() {
    let course = Course::new("changed");
    let submission = [course.exercise("changed-one", "fn main() { broken }\n")];
    failed(&course.build(&submission).unwrap()[0]);
    course.write("exercises/changed-one/src/main.rs", &prints("mended"));
    assert_eq!(output(ready(&course.build(&submission).unwrap()[0])), ["mended"]);
}

#[test]
fn a_missing_package_and_a_broken_manifest_are_errors_in_cargo_s_words() {
    let course = Course::new("missing");
    course.exercise("missing-one", &prints("one"));
    let missing = course.build(&[Submission::Exercise { question: "missing-nine".to_owned() }]).unwrap_err();
    assert!(missing.to_string().contains("exercise-missing-nine"), "{missing}");
    course.write("exercises/missing-one/Cargo.toml", "[package\n");
    let broken = course.build(&[Submission::Exercise { question: "missing-one".to_owned() }]).unwrap_err();
    assert!(
        matches!(&broken, BuildError::Cargo { text } if text.contains("exercises/missing-one/Cargo.toml")),
        "{broken}"
    );
}

#[test]
fn single_files_are_built_with_the_dependencies_of_the_exercise() {
    let course = Course::new("files");
    course.exercise("files-one", "fn main() { todo!() }\n");
    course.exercise("files-two", "fn main() { todo!() }\n");
    let submissions = [
        course.source(
            "files-one",
            "files/one/works.rs",
            "fn main() { println!(\"{}\", helper::greeting()); }\n",
        ),
        course.source("files-one", "files/one/broken.rs", "fn main() { println!(\"never closed) }\n"),
        course.source("files-two", "files/two/works.rs", SHOWS_ITS_FOLDER),
        Submission::Source { question: "files-one".to_owned(), file: "no/such/file.rs".into() },
    ];
    // Whether `libc` can be had without a network depends on what the machine has downloaded before: every build
    // of this package has.
    let builds = course.build(&submissions).unwrap();
    assert_eq!(output(ready(&builds[0])), ["hello from the helper"]);
    assert!(failed(&builds[1]).contains("unterminated double quote"), "{}", failed(&builds[1]));
    assert!(failed(&builds[1]).contains("files/one/broken.rs"), "{}", failed(&builds[1]));
    assert!(same_folder(&output(ready(&builds[2]))[0], &course.path("exercises/files-two")));
    assert_eq!(failed(&builds[3]), "There is no file `no/such/file.rs`.");
    let other = [course.source(
        "files-one",
        "files/one/other.rs",
        "fn main() { println!(\"{}\", unsafe { libc::getppid() } > 0); }\n",
    )];
    assert_eq!(output(ready(&course.build(&other).unwrap()[0])), ["true"]);
    let unknown =
        course.build(&[course.source("files-nine", "files/nine.rs", "fn main() {}\n")]).unwrap_err();
    assert!(matches!(unknown, BuildError::NoPackage { question } if question == "files-nine"));
}

#[test]
fn submissions_are_named_as_a_reader_knows_them() {
    let question = || "q6".to_owned();
    let words = ["python3", "my file.py"].map(str::to_owned).to_vec();
    assert_eq!(Submission::Exercise { question: question() }.description(), "exercises/q6");
    assert_eq!(Submission::Solution { question: question() }.description(), "solutions/q6");
    assert_eq!(Submission::Source { question: question(), file: "a/b.rs".into() }.description(), "a/b.rs");
    assert_eq!(Submission::Command { question: question(), words }.description(), "python3 'my file.py'");
}
