//! What a learner does with the command line beside grading: hints, texts, answers, starting anew.
//!
//! Each test has a workspace of its own with the one question `hello`, and what is printed is held against committed
//! texts.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use tests::folder::Course;
use tests::program::{command, executable, grader};
use tests::terminal::Terminal;

const STARTER: &str = "fn main() {\n    todo!(\"print it\")\n}\n";
const RIGHT: &str = "fn main() {\n    println!(\"hello\");\n}\n";
const MAIN: &str = "exercises/hello/src/main.rs";

/// A workspace whose exercise `hello` can be built.
fn course() -> Course {
    let course = Course::with(
        "title = \"Say hello\"\ntopic = \"processes\"\nhints = [\"Print it.\", \"Use `println!`.\"]\n\n\
         [[check]]\nname = \"says hello\"\npoints = 10\noutput = \"hello\"\n",
    );
    let package = "[package]\nname = \"exercise-hello\"\nedition = \"2024\"\n";
    course.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n");
    course.write("exercises/hello/Cargo.toml", package);
    course.write(
        "exercises/hello/question.md",
        "# Say hello\n\nPrint this line:\n\n```text\nhello\n```\n\nThen run it:\n\n```sh\ncargo run -p exercise-hello\n```\n\n\
         - `println!` *prints* a line.\n- See [the book](https://doc.rust-lang.org/book/).\n",
    );
    course.write(MAIN, STARTER);
    course.write("exercises/hello/starter/src/main.rs", STARTER);
    course
}

/// What the commands print, each behind what was typed; places in the workspace are named from its root on.
fn session(course: &Course, commands: &[&str]) -> String {
    let mut shown = String::new();
    for arguments in commands {
        let output = grader(course.path()).args(arguments.split(' ')).output().expect("it can be started");
        shown.push_str(&format!("$ cargo grader {arguments}\n"));
        shown.push_str(&String::from_utf8_lossy(&output.stdout));
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
        shown.push_str(&format!("exit code {}\n\n", output.status.code().expect("no signal ends it")));
    }
    let root = course.path().canonicalize().expect("the folder is there");
    shown.replace(&format!("{}/", root.display()), "")
}

fn assert_committed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn hints_come_one_at_a_time_and_are_remembered() {
    let commands = [
        "hint",
        "hint hello --again",
        "hint hello",
        "hint hello",
        "hint hello --again",
        "hint hello --all",
        "hint hallo",
    ];
    assert_committed("session_hints", &session(&course(), &commands));
}

#[test]
fn a_question_is_shown_as_a_page() {
    let course = course();
    let whole = session(&course, &["show", "show hello"]);
    fs::remove_file(course.path().join("exercises/hello/question.md")).unwrap();
    let without_text = session(&course, &["show hello"]);
    fs::remove_file(course.path().join("exercises/hello/question.toml")).unwrap();
    let without_question = session(&course, &["show hello", "show", "list"]);
    assert_committed("session_show", &[whole, without_text, without_question].concat());
}

#[test]
fn an_answer_is_shown_to_those_who_have_passed_or_give_up() {
    let course = course();
    let early = session(&course, &["solution hello", "solution hello --give-up"]);
    course.write("solutions/hello/src/main.rs", RIGHT);
    course.write("solutions/hello/answer.md", "# Hello\n\nA greeting is `hello`.\n");
    let given_up = session(&course, &["solution hello --give-up"]);
    course.write(MAIN, RIGHT);
    let passed = session(&course, &["list", "grade hello", "list", "solution hello"]);
    course.write(MAIN, "fn main() {\n    println!(\"hallo\");\n}\n");
    let changed = session(&course, &["list", "grade hello"]);
    assert_committed("session_solution", &[early, given_up, passed, changed].concat());
}

#[test]
fn the_list_goes_topic_by_topic_and_tells_of_folders_that_it_cannot_show() {
    let course = course();
    let hello = course.read("exercises/hello/question.toml");
    let add = |id: &str, topic: &str| {
        let question = hello.replace("\"processes\"", &format!("\"{topic}\""));
        course.write(&format!("exercises/{id}/question.toml"), &question);
        course.write(&format!("exercises/{id}/src/main.rs"), STARTER);
    };
    add("hello-2", "pools");
    add("hello-3", "processes");
    let whole = session(&course, &["list"]);
    course.write("exercises/hello-4/question.toml", "titel = \"Hello\"\n");
    course.write("exercises/hello-5/src/main.rs", STARTER);
    let broken = session(&course, &["list"]);
    assert_committed("session_list", &[whole, broken].concat());
}

#[test]
fn a_grade_is_forgotten_as_soon_as_the_answer_is_another() {
    let course = course();
    let state = |expected: &str| {
        grader(course.path()).arg("list").assert().success().stdout(contains(format!("  {expected}  ")));
    };
    state("not started");
    course.write(MAIN, "fn main() {\n    println!(\"hallo\");\n    todo!(\"print it\")\n}\n");
    state("begun");
    course.write(MAIN, "fn main() {\n    println!(\"hallo\");\n}\n");
    state("begun");
    // A single schedule is no proof, so it is not kept.
    grader(course.path()).args(["grade", "hello", "--schedules", "children-last"]).assert().code(1);
    state("begun");
    grader(course.path()).args(["grade", "hello"]).assert().code(1);
    state("0 of 10");
    // What is kept and cannot be read is as good as nothing.
    course.write(".grader/hello.json", "{\"format\":1,\"hin");
    state("begun");
}

#[test]
fn to_start_anew_keeps_the_old_work_beside_the_new() {
    let course = course();
    let untouched = session(&course, &["reset hello", "reset hello --yes"]);
    course.write(MAIN, RIGHT);
    course.write("exercises/hello/src/bin/extra.rs", RIGHT);
    let first = session(&course, &["hint hello", "reset hello --yes", "list", "hint hello"]);
    assert_eq!(course.read("exercises/hello/old-1/src/main.rs"), RIGHT);
    assert_eq!(course.read("exercises/hello/old-1/src/bin/extra.rs"), RIGHT);
    assert!(!course.path().join("exercises/hello/src/bin/extra.rs").exists());
    assert_eq!(course.read(MAIN), STARTER);
    course.write(MAIN, "fn main() {}\n");
    let second = session(&course, &["reset hello --yes"]);
    assert_eq!(course.read("exercises/hello/old-2/src/main.rs"), "fn main() {}\n");
    fs::remove_dir_all(course.path().join("exercises/hello/src")).unwrap();
    let deleted = session(&course, &["list", "reset hello --yes"]);
    assert_eq!(course.read(MAIN), STARTER);
    fs::remove_dir_all(course.path().join("exercises/hello/starter")).unwrap();
    course.write(MAIN, RIGHT);
    let unknown = session(&course, &["reset hello --yes", "reset"]);
    assert_eq!(course.read(MAIN), RIGHT);
    assert_committed("session_reset", &[untouched, first, second, deleted, unknown].concat());
}

#[test]
fn to_start_anew_is_asked_for_on_a_terminal() {
    let course = course();
    course.write(MAIN, RIGHT);
    for (answer, told, left) in [
        ("\n", "Nothing was changed.", RIGHT),
        ("no\n", "Nothing was changed.", RIGHT),
        ("y\n", "your work is in exercises/hello/old-1.", STARTER),
    ] {
        let command = pty_process::blocking::Command::new(executable());
        let command = command.args(["reset", "hello"]).current_dir(course.path());
        let mut terminal = Terminal::start(command, 100, 10);
        terminal.wait_for("Start hello anew? Your work is kept beside it. [y/N]");
        terminal.press(answer);
        assert!(terminal.wait_for_end().success());
        assert!(terminal.shown().contains(told), "{}", terminal.shown());
        assert_eq!(course.read(MAIN), left);
    }
}

/// Runs a command of the grader's where no file can get longer than it is, as on a disk that is full.
fn on_a_full_disk(course: &Course, arguments: &str) -> assert_cmd::assert::Assert {
    // Without the signal that goes with it, the system call fails as it would for want of space.
    let script = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {arguments}");
    let mut shell = command(Path::new("sh"), course.path());
    shell.arg("-c").arg(script).arg(executable());
    assert_cmd::Command::from_std(shell).assert()
}

#[test]
fn nothing_is_lost_or_half_written_where_nothing_can_be_written() {
    let course = course();
    course.write(MAIN, RIGHT);
    grader(course.path()).args(["hint", "hello"]).assert().success();
    let told = contains("failed to keep your work in").and(contains("nothing was changed: File too large"));
    on_a_full_disk(&course, "reset hello --yes").code(2).stderr(told);
    assert_eq!(course.read(MAIN), RIGHT);
    let names = |folder: &str| {
        let entries = fs::read_dir(course.path().join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("exercises/hello"), ["Cargo.toml", "question.md", "question.toml", "src", "starter"]);
    // The hint is shown all the same, and what was kept before is still there.
    let told = contains("failed to keep your progress in");
    on_a_full_disk(&course, "hint hello").code(0).stdout(contains("Hint 2 of 2")).stderr(told);
    assert_eq!(names(".grader"), [".gitignore", "hello.json", "lock"]);
    grader(course.path()).args(["hint", "hello", "--again"]).assert().stdout(contains("Hint 1 of 2"));
}
