//! The runs that a question and a selection ask for, and what a validator says of one.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use grader::model::{Ending, Invocation, Limits, Question, RunRecord, Stream, ValidatorAnswer};
use grader::runner::run_all;
use grader::schedule::Selection;
use grader::submission::Program;
use grader::validator::validate;

fn question(stdin: &str, limits: Limits) -> Question {
    Question {
        id: "q".to_owned(),
        title: "A question".to_owned(),
        topic: "processes".to_owned(),
        hints: Vec::new(),
        run: Invocation { args: vec!["one".to_owned()], stdin: stdin.to_owned() },
        limits,
        predict: None,
        checks: Vec::new(),
        withheld: 0,
    }
}

fn shell(script: &str) -> Program {
    let args = ["-c", script, "sh"].map(Into::into).into();
    Program { executable: "/bin/sh".into(), args, folder: "/".into() }
}

fn first_line(record: &RunRecord) -> &str {
    &record.stream(Stream::Stdout)[0].text
}

#[test]
fn each_free_schedule_is_run_once_with_what_the_question_gives() {
    let program = shell("echo \"$1 $(cat)\"");
    let records = run_all(&program, &question("in", Limits::default()), &Selection::free()).unwrap().records;
    let schedules: Vec<String> = records.iter().map(|record| record.schedule.to_string()).collect();
    assert_eq!(schedules, ["free", "free:1"]);
    for record in &records {
        assert_eq!(first_line(record), "one in");
    }
}

#[test]
fn after_a_run_that_timed_out_there_is_no_other() {
    let limits = Limits { wall: Duration::from_millis(100), ..Limits::default() };
    let records = run_all(&shell("sleep 1000"), &question("", limits), &Selection::free()).unwrap().records;
    assert_eq!(records.iter().map(|record| record.ending.clone()).collect::<Vec<_>>(), [Ending::TimedOut]);
}

/// Lets a script, the validator of some question, judge what a program printed.
fn answer(script: &str, printed: &str) -> ValidatorAnswer {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("validate");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("beside"), "beside\n").unwrap();
    answer_of(&["./validate", "an argument"], folder.path(), printed)
}

fn answer_of(command: &[&str], folder: &Path, printed: &str) -> ValidatorAnswer {
    let program = shell(&format!("printf '%s' '{printed}'; echo error >&2"));
    let records = run_all(&program, &question("", Limits::default()), &Selection::free()).unwrap().records;
    let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    validate(&command, folder, &records[0])
}

#[test]
fn a_validator_accepts_and_rejects_by_its_exit_code() {
    let script = "read line; [ \"$line\" = right ] && exit 42; echo \"$line is wrong\"; cat; cat beside; echo \"$1\"; exit 43";
    assert_eq!(answer(script, "right"), ValidatorAnswer::Accepted);
    let said = "left is wrong\nmore\nbeside\nan argument".to_owned();
    assert_eq!(answer(script, "left\nmore"), ValidatorAnswer::Rejected(said));
}

#[test]
fn a_validator_that_does_not_work_is_broken_and_says_how() {
    let broken = |script: &str| match answer(script, "x") {
        ValidatorAnswer::Broken(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(broken("exit 0"), "The validator exited with 0, which is neither 42 (right) nor 43 (wrong).");
    assert!(broken("echo oh no >&2; exit 1").ends_with("It wrote to its standard error:\noh no"));
    assert_eq!(broken("kill -SEGV $$"), "The validator was ended by SIGSEGV.");
    assert_eq!(broken("yes"), "The validator exceeded its limit of output.");
    let missing = answer_of(&["./no-validator"], Path::new("/"), "x");
    assert_eq!(missing, ValidatorAnswer::Broken("There is no file `./no-validator`.".to_owned()));
}
