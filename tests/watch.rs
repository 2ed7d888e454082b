//! The watch, as a learner meets it on a terminal and a script without one.
//!
//! Each test has a workspace of its own, whose exercises need no library and so are built in no time.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use pty_process::blocking::Command;
use rustix::process::{Pid, Signal};
use tests::folder::Course;
use tests::program::{self, executable};
use tests::terminal::{Announcement, Process, Terminal};

const STARTER: &str = "fn main() {\n    todo!(\"print it\")\n}\n";
const RIGHT: &str = "fn main() {\n    println!(\"hello\");\n}\n";
const WRONG: &str = "fn main() {\n    println!(\"hallo\");\n}\n";
const MAIN: &str = "exercises/hello/src/main.rs";
const PASSED: &str = "passed, 10 of 10 points";

/// A workspace with the questions `hello` and `hello-again`.
fn course() -> Course {
    let question = |title: &str| {
        format!(
            "title = \"{title}\"\ntopic = \"greetings\"\nhints = [\"Print it.\", \"Use `println!`.\"]\n\n\
             [limits]\nwall = \"300s\"\ncpu = \"300s\"\n\n\
             [[check]]\nname = \"says hello\"\npoints = 10\noutput = \"hello\"\n"
        )
    };
    let course = Course::with(&question("Say hello"));
    course.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"exercises/*\"]\n");
    course.write("exercises/hello-again/question.toml", &question("Say it again"));
    for id in ["hello", "hello-again"] {
        let package = format!("[package]\nname = \"exercise-{id}\"\nedition = \"2024\"\n");
        course.write(&format!("exercises/{id}/Cargo.toml"), &package);
        course.write(
            &format!("exercises/{id}/question.md"),
            &format!("# The question {id}\n\nPrint `hello`.\n"),
        );
        course.write(&format!("exercises/{id}/src/main.rs"), STARTER);
        course.write(&format!("exercises/{id}/starter/src/main.rs"), STARTER);
    }
    course
}

fn command(course: &Course, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(executable()).arg("watch").current_dir(course.path()).env("TERM", "xterm");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "CARGO_TARGET_DIR"] {
        command = command.env_remove(variable);
    }
    command.envs(variables.iter().copied())
}

/// A watch on a terminal of 100 columns and 30 rows.
fn watch(course: &Course) -> Terminal {
    Terminal::start(command(course, &[]), 100, 30)
}

fn assert_committed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_save_is_graded_whatever_became_of_the_files() {
    let course = course();
    let mut terminal = watch(&course);
    terminal.wait_for("not started, 0 of 10 points");
    course.write(MAIN, RIGHT);
    terminal.wait_for(PASSED);
    course.write(MAIN, WRONG);
    terminal.wait_for("failed, 0 of 10 points");
    course.write(MAIN, "fn mian() {}\n");
    terminal.wait_for("did not build, 0 of 10 points");
    terminal.wait_for("`main` function not found in crate");

    // Broken manifests, of the exercise and of the workspace.
    course.write(MAIN, RIGHT);
    terminal.wait_for(PASSED);
    for file in ["exercises/hello/Cargo.toml", "Cargo.toml"] {
        let text = course.read(file);
        course.write(file, "[package\n");
        terminal.wait_for("unclosed table");
        course.write(file, &text);
        terminal.wait_for(PASSED);
    }

    // Files and folders that are gone for a while.
    fs::remove_file(course.path().join(MAIN)).unwrap();
    terminal.wait_until("no verdict", |shown| !shown.contains(PASSED) && !shown.contains("ing …"));
    course.write(MAIN, RIGHT);
    terminal.wait_for(PASSED);
    let (here, elsewhere) = (course.path().join("exercises/hello"), course.path().join("elsewhere"));
    fs::rename(&here, &elsewhere).unwrap();
    terminal.wait_for("failed to find a question `hello`");
    fs::rename(&elsewhere, &here).unwrap();
    terminal.wait_for(PASSED);
    course.write("exercises/hello/question.toml", "title = 3\n");
    terminal.wait_for("question.toml:1:9");
    assert!(terminal.shown().contains("q quit"), "{}", terminal.shown());
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn keys_lead_through_the_course() {
    let course = course();
    let mut terminal = watch(&course);
    terminal.wait_for("The question hello\n");
    terminal.press("p");
    terminal.wait_for("This is the first question.");
    terminal.press("n");
    terminal.wait_for("The question hello-again\n");
    terminal.press("n");
    terminal.wait_for("This is the last question.");
    terminal.press("h");
    terminal.wait_for("Hint 1 of 2: Print it.");
    terminal.press("h");
    terminal.wait_for("Hint 2 of 2: Use `println!`.");
    terminal.press("h");
    terminal.wait_for("These are all 2 hints.");
    terminal.press("l");
    terminal.wait_for("Next is hello:");
    assert_committed("watch_list", &terminal.shown());
    terminal.press("p");
    terminal.wait_for("The question hello\n");
    course.write(MAIN, WRONG);
    terminal.wait_for("failed, 0 of 10 points");
    terminal.press("s");
    terminal.wait_for("The question hello\n");
    terminal.press("s");
    terminal.wait_for("✗ says hello");
    // A program that a second look finds changed without a save.
    course.write("exercises/hello/word", "hello");
    course.write(MAIN, "fn main() {\n    println!(\"{}\", std::fs::read_to_string(\"word\").unwrap());\n}\n");
    terminal.wait_for(PASSED);
    terminal.wait_for("Well done: n goes on to hello-again.");
    course.write("exercises/hello/word", "hallo");
    terminal.press("r");
    terminal.wait_for("failed, 0 of 10 points");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
    assert_eq!(terminal.shown(), "hello  failed, 0 of 10 points");
}

#[test]
fn a_screen_fits_its_terminal() {
    let course = course();
    course.write(MAIN, WRONG);
    let mut terminal = watch(&course);
    terminal.wait_for("failed, 0 of 10 points");
    assert_committed("watch_failed_100", &terminal.shown());
    terminal.resize(40, 14);
    terminal.wait_for("1-7 of 9");
    terminal.wait_until("the end of the page", |shown| shown.ends_with("q quit"));
    assert_committed("watch_failed_40", &terminal.shown());
    terminal.press(" ");
    terminal.wait_until("another part", |shown| !shown.contains("1-7 of 9"));
    terminal.resize(20, 20);
    terminal.wait_until("keys in rows of their own", |shown| shown.ends_with("l list  r rerun\nq quit"));
    assert_committed("watch_failed_20", &terminal.shown());
    terminal.resize(1, 1);
    terminal.resize(100, 30);
    terminal.wait_until("the whole page", |shown| shown.contains("again: cargo grade hello --schedules"));
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

/// Saves an answer that never ends, and waits until it runs.
fn hang(course: &Course, terminal: &mut Terminal) -> Process {
    let announcement = Announcement::at(&course.path().join("exercises/hello/pid"));
    course.write(
        MAIN,
        "fn main() {\n    std::fs::write(\"pid\", std::process::id().to_string()).unwrap();\n    loop {}\n}\n",
    );
    // From here on nothing more is shown until something happens, so that nobody has to read it.
    terminal.wait_for("running …");
    announcement.process()
}

#[test]
fn a_save_ends_the_grading_of_a_program_that_hangs() {
    let course = course();
    let mut terminal = watch(&course);
    terminal.wait_for("not started");
    let process = hang(&course, &mut terminal);
    course.write(MAIN, RIGHT);
    process.wait_for_end();
    terminal.wait_for(PASSED);
    let process = hang(&course, &mut terminal);
    terminal.press("n");
    process.wait_for_end();
    terminal.wait_for("The question hello-again\n");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

/// What ends a watch.
enum End {
    Key(&'static str),
    Signal(Signal),
}

#[test]
fn whatever_ends_the_watch_ends_what_it_runs_and_gives_the_terminal_back() {
    let course = course();
    let ends = [
        (End::Key("q"), 0),
        (End::Key("\u{3}"), 130),
        (End::Signal(Signal::INT), 130),
        (End::Signal(Signal::TERM), 143),
        (End::Signal(Signal::HUP), 129),
    ];
    for (end, code) in ends {
        course.write(MAIN, STARTER);
        let mut terminal = watch(&course);
        terminal.wait_for("not started");
        let process = hang(&course, &mut terminal);
        match end {
            End::Key(key) => terminal.press(key),
            End::Signal(signal) => terminal.signal(signal),
        }
        assert_eq!(terminal.wait_for_end().code(), Some(code));
        process.wait_for_end();
    }
    course.write(MAIN, STARTER);
    let mut terminal = watch(&course);
    terminal.wait_for("not started");
    let process = hang(&course, &mut terminal);
    terminal.signal(Signal::KILL);
    terminal.wait_for_any_end();
    process.wait_for_end();
}

#[test]
fn a_build_under_way_ends_with_the_watch() {
    let course = course();
    // Cargo, as far as it goes here: a program that calls another, and neither comes to an end.
    course.write("cargo", "#!/bin/sh\nsh -c 'echo $$ > pid; exec sleep 1000'\n");
    let cargo = course.path().join("cargo");
    fs::set_permissions(&cargo, Permissions::from_mode(0o755)).unwrap();
    let variables = [("CARGO", cargo.to_str().unwrap())];
    course.write(MAIN, RIGHT);
    for signal in [Signal::TERM, Signal::KILL] {
        let announcement = Announcement::at(&course.path().join("pid"));
        let mut terminal = Terminal::start(command(&course, &variables), 100, 30);
        terminal.wait_for("building …");
        let process = announcement.process();
        terminal.signal(signal);
        terminal.wait_for_any_end();
        process.wait_for_end();
    }
}

#[test]
fn of_many_saves_the_last_one_counts() {
    let course = course();
    let mut terminal = watch(&course);
    terminal.wait_for("not started");
    for number in 0..200 {
        let word = if number == 199 { "hello".to_owned() } else { format!("hello {number}") };
        course.write(MAIN, &format!("fn main() {{\n    println!(\"{word}\");\n}}\n"));
    }
    terminal.wait_for(PASSED);
    // An editor that writes beside and renames.
    course.write("exercises/hello/src/.main.rs.swp", WRONG);
    fs::rename(course.path().join("exercises/hello/src/.main.rs.swp"), course.path().join(MAIN)).unwrap();
    terminal.wait_for("failed, 0 of 10 points");
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
}

#[test]
fn colours_are_left_out_for_those_who_do_not_want_them() {
    let course = course();
    course.write(MAIN, WRONG);
    let in_colour = |variables: &[(&str, &str)]| {
        let mut terminal = Terminal::start(command(&course, variables), 100, 30);
        terminal.wait_for("failed, 0 of 10 points");
        terminal.press("q");
        terminal.wait_for_end();
        String::from_utf8_lossy(&terminal.written).contains("\u{1b}[31m")
    };
    assert!(in_colour(&[]));
    assert!(!in_colour(&[("NO_COLOR", "1")]));
}

#[test]
fn a_terminal_that_can_show_no_page_gets_lines() {
    let course = course();
    let mut terminal = Terminal::start(command(&course, &[("TERM", "dumb"), ("NO_COLOR", "1")]), 100, 30);
    terminal.wait_for("not started, 0 of 10 points");
    terminal.press("h\n");
    terminal.wait_for("Hint 1 of 2: Print it.");
    course.write(MAIN, RIGHT);
    terminal.wait_for(PASSED);
    terminal.press("q\n");
    assert_eq!(terminal.wait_for_end().code(), Some(0));
    assert!(!terminal.written.contains(&0x1b), "{:?}", String::from_utf8_lossy(&terminal.written));
}

#[test]
fn without_a_terminal_reports_are_printed_and_nothing_is_asked() {
    let course = course();
    let mut command = program::command(Path::new(executable()), course.path());
    command.arg("watch").arg("hello").env_remove("CARGO_TARGET_DIR");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    let mut shown = String::new();
    let mut read_until = |shown: &mut String, text: &str| {
        while !shown.ends_with(text) {
            assert_ne!(printed.read_line(shown).unwrap(), 0, "no more than:\n{shown}");
        }
    };
    read_until(&mut shown, "not started, 0 of 10 points\n");
    course.write(MAIN, WRONG);
    read_until(&mut shown, "failed, 0 of 10 points\n");
    course.write(MAIN, RIGHT);
    read_until(&mut shown, "passed, 10 of 10 points\n");
    assert_committed("watch_without_terminal", &shown);
    // Progress that cannot be kept is told, and the grade stands all the same.
    fs::remove_dir_all(course.path().join(".grader")).unwrap();
    course.write(".grader", "in the way\n");
    course.write(MAIN, &format!("{RIGHT}\n"));
    shown.clear();
    read_until(&mut shown, "passed, 10 of 10 points\n");
    assert!(shown.contains("grader: failed to keep your progress in"), "{shown}");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_question_that_is_not_there_is_told_before_anything_is_shown() {
    let course = course();
    let mut command = tests::program::grader(course.path());
    let told = "grader: failed to find a question `helo` (did you mean `hello`?); the questions are `hello`, `hello-again`\n";
    command.args(["watch", "helo"]).assert().code(2).stdout("").stderr(told);
}
