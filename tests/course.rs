//! What learners and instructors do with the whole workspace, done in a copy of it.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tests::folder::Copy;

/// The copy, in a folder that cargo keeps for tests.
fn copy() -> Copy {
    Copy::of_the_workspace(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy"))
}

/// How a submission to one question was graded: `(name, verdict)` of each check.
fn verdicts(copy: &Copy, arguments: &[&str]) -> Vec<(String, String)> {
    let output = copy
        .grader()
        .args(["grade", "--format", "json"])
        .args(arguments)
        .output()
        .expect("it can be started");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let checks = report["grades"][0]["checks"].as_array().expect("a grade has checks");
    let text = |value: &Value| value.as_str().expect("names and verdicts are texts").to_owned();
    checks.iter().map(|check| (text(&check["name"]), text(&check["verdict"]))).collect()
}

/// No check failed, and what could be run was passed.
#[track_caller]
fn assert_right(verdicts: &[(String, String)]) {
    assert!(verdicts.iter().all(|(_, verdict)| verdict == "passed" || verdict == "not run"), "{verdicts:?}");
    assert!(verdicts.iter().any(|(_, verdict)| verdict == "passed"), "{verdicts:?}");
}

/// Whether the workspace has the reference answers; a learner's has not, and some tests cannot be made there.
fn has_solutions() -> bool {
    let has = tests::root().join("solutions").is_dir();
    if !has {
        eprintln!("not run: there is no folder `solutions`");
    }
    has
}

/// Puts the reference answer into the learner's file.
fn solve(copy: &Copy, question: &str) {
    let answer = tests::root().join(format!("solutions/{question}/src/main.rs"));
    copy.write(
        &format!("exercises/{question}/src/main.rs"),
        &std::fs::read_to_string(answer).expect("the answer is there"),
    );
}

/// Makes an exercise one that was not begun, whatever the learner has made of it in the workspace.
fn unsolve(copy: &Copy, question: &str) {
    let starter = "fn main() {\n    multiprocessing::init();\n    todo!(\"start a process\")\n}\n";
    copy.write(&format!("exercises/{question}/src/main.rs"), starter);
}

#[test]
fn a_copy_without_solutions_still_grades_and_proves_nothing() {
    let copy = copy();
    if has_solutions() {
        copy.remove_folder("solutions");
    }
    unsolve(&copy, "q3");
    let started = contains("not started, 0 of 10 points").and(contains("exercises/q3/question.md"));
    copy.grader().args(["grade", "q3"]).assert().code(1).stdout(started);
    let by_command = verdicts(&copy, &["q3", "--command", "echo Person 1 started"]);
    assert_eq!(by_command[0].1, "passed", "{by_command:?}");
    copy.grader().arg("check").assert().code(2).stderr(contains("no folder `solutions` here"));
}

#[test]
fn a_program_that_was_removed_is_told_stops_no_neighbour_and_comes_back_by_a_reset() {
    let copy = copy();
    unsolve(&copy, "q3");
    let file = "exercises/q3/src/main.rs";
    copy.remove_file(file);
    copy.write("exercises/q3-square-cube/src/main.rs", "fn main() {}\n");
    copy.grader().arg("list").assert().success().stdout(contains("  no main.rs "));
    let told = contains("there is no `exercises/q3/src/main.rs`: `cargo grader reset q3`")
        .and(contains("did not build, 0 of 10 points"));
    copy.grader().args(["grade", "q3"]).assert().code(1).stdout(told);
    // Cargo has to read the workspace for this one.
    let both = copy.grader().args(["grade", "q3", "q3-square-cube"]).assert().code(1);
    let both = both.stdout(contains("did not build").count(1).and(contains("  failed, ").count(1)));
    both.stderr(predicates::str::is_empty());

    copy.grader().args(["reset", "q3", "--yes"]).assert().success();
    assert!(copy.path().join(file).is_file(), "it is not there again");
}

/// The marks of all outputs, one letter each: `p`ossible, `i`mpossible or `?`.
fn prediction(marks: &str) -> String {
    let line = |(name, mark)| match mark {
        'p' => format!("{name} = \"possible\"\n"),
        'i' => format!("{name} = \"impossible\"\n"),
        _ => format!("{name} = \"?\"\n"),
    };
    ('A'..='F').zip(marks.chars()).map(line).collect()
}

#[test]
fn a_prediction_is_held_against_the_program_as_it_was_given_and_needs_no_solutions() {
    let copy = copy();
    if has_solutions() {
        copy.remove_folder("solutions");
    }
    let id = "q7-predict-join";
    let file = format!("exercises/{id}/prediction.toml");
    copy.write(&file, &prediction("??????"));
    let not_started = contains("not started, 0 of 10 points").and(contains("in place of each `?`"));
    copy.grader().args(["grade", id]).assert().code(1).stdout(not_started);

    // Under this program nothing would be printed but `main`.
    copy.edit(&format!("exercises/{id}/src/main.rs"), |_| "fn main() { println!(\"main\") }\n".to_owned());
    copy.write(&file, &prediction("pipipi"));
    assert_right(&verdicts(&copy, &[id]));

    copy.write(&file, &prediction("piiipi"));
    let shown = contains("`C` is possible: under the schedule exhaustive:")
        .and(contains("this order: child 1 begins, child 1 prints, main prints"))
        .and(contains(format!("again: cargo grade {id} --schedules exhaustive:")))
        .and(contains("left to right:"))
        .and(contains("which are all that there are"));
    copy.grader().args(["grade", id]).assert().code(1).stdout(shown);

    copy.write(&file, &prediction("pipppi"));
    let explained =
        contains("`D` is impossible: line 1, `main`, comes too early.").and(contains("In all 10 orders"));
    copy.grader().args(["grade", id]).assert().code(1).stdout(explained);

    copy.write("marks.toml", &prediction("pipipi"));
    copy.grader().args(["grade", id, "--answer", "marks.toml"]).assert().code(0);

    // A program that was taken away is the question's fault, told with its place.
    let told = contains("there is no file `program.rs` beside question.toml");
    copy.remove_file(&format!("exercises/{id}/program.rs"));
    copy.grader().args(["grade", id]).assert().code(3).stderr(told);
}

#[test]
fn an_exercise_goes_from_not_begun_by_broken_to_right() {
    if !has_solutions() {
        return;
    }
    let copy = copy();
    let file = "exercises/q3-square-cube/src/main.rs";
    unsolve(&copy, "q3-square-cube");
    assert!(verdicts(&copy, &["q3-square-cube"]).iter().all(|(_, verdict)| verdict == "not started"));

    solve(&copy, "q3-square-cube");
    assert_right(&verdicts(&copy, &["q3-square-cube"]));

    copy.edit(file, |text| text.replace("n * n * n", "3 * n"));
    let explained = contains("Cube: 30").and(contains("Cube: 1000")).and(contains("  failed, "));
    copy.grader().args(["grade", "q3-square-cube"]).assert().code(1).stdout(explained);

    copy.edit(file, |text| text.replace("3 * n", "3 * m"));
    let compiler =
        contains("error[E0425]: cannot find value `m`").and(contains("did not build, 0 of 10 points"));
    copy.grader().args(["grade", "q3-square-cube"]).assert().code(1).stdout(compiler);

    // A neighbour that does not build is its own affair.
    solve(&copy, "q3");
    assert_right(&verdicts(&copy, &["q3"]));
}
