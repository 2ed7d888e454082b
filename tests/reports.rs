//! What people and scripts read of the grader: reports, help, lists and the schema, held against committed texts.
//!
//! Grades are made by hand, so that the texts hold nothing of the machine. After a change that is meant, record them
//! anew with `INSTA_UPDATE=always cargo test -p tests --test reports`, and read the difference.

use std::fs;
use std::time::Duration;

use grader::model::{
    CheckResult, Explanation, Grade, Mark, Points, Policy, RunSummary, Schedule, Timeline, TimelineRow,
    Verdict,
};
use grader::report;
use tests::folder::Course;
use tests::program::grader;

const NOT_SEEN: &str = "This machine does not allow observing processes; only the output was looked at.";

fn check(name: &str, kind: &str, verdict: Verdict, possible: u32) -> CheckResult {
    let earned = if verdict == Verdict::Passed { possible } else { 0 };
    let points = Points { earned, possible };
    CheckResult {
        name: name.to_owned(),
        kind: kind.to_owned(),
        verdict,
        points,
        explanation: None,
        run: None,
        provisional: false,
    }
}

fn explained(mut check: CheckResult, explanation: Explanation, run: Option<Schedule>) -> CheckResult {
    check.explanation = Some(explanation);
    check.run = run;
    check
}

fn grade(
    submission: &str,
    verdict: Verdict,
    notes: &[&str],
    checks: Vec<CheckResult>,
    runs: Vec<RunSummary>,
) -> Grade {
    Grade {
        question: "q3-square-cube".to_owned(),
        title: "A square and a cube, side by side".to_owned(),
        submission: submission.to_owned(),
        verdict,
        points: checks.iter().map(|check| check.points).sum(),
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        checks,
        runs,
        timeline: None,
        again: Some(again(submission)),
    }
}

fn again(submission: &str) -> String {
    match submission.split_once('/') {
        Some(("exercises", id)) => format!("cargo grade {id}"),
        Some(("solutions", id)) => format!("cargo grade {id} --solutions"),
        _ => format!("cargo grade q3-square-cube --command '{submission}'"),
    }
}

/// A process of a timeline: when it was born, wrote and ended, and where it wrote the line that is wrong.
fn row(label: &str, born: usize, wrote: &[usize], ended: Option<usize>, broke: Option<usize>) -> TimelineRow {
    TimelineRow { label: label.to_owned(), born, ended, wrote: wrote.to_vec(), broke }
}

fn run(policy: Policy, seed: u64, verdict: Verdict) -> RunSummary {
    let schedule = Schedule { policy, seed };
    RunSummary { schedule, verdict, wall: Duration::from_micros(3125), processes: 3, lines: 3 }
}

const TEXT: &str = "prints both results in any order, then Done!";
const WRITERS: &str = "each result comes from a child of its own, Done! from main";
const END: &str = "main waits for both children, exits with 0 and leaves nothing behind";

fn passed() -> Grade {
    let checks = vec![
        check(TEXT, "output", Verdict::Passed, 4),
        check(WRITERS, "output", Verdict::Passed, 4),
        check(END, "exit", Verdict::Passed, 2),
    ];
    let runs = vec![run(Policy::Free, 0, Verdict::Passed), run(Policy::ChildrenLast, 0, Verdict::Passed)];
    grade("exercises/q3-square-cube", Verdict::Passed, &[], checks, runs)
}

fn failed() -> Grade {
    let run_at_fault = Schedule { policy: Policy::Random, seed: 7 };
    let order = Explanation::new(
        "Line 1, `Done!`, came before `Cube: 1000`. Main has to wait for both children: try `join` on each.",
    )
    .with_line("1", "Done!", Mark::Wrong, "too early")
    .with_line("2", "Square: 100", Mark::Plain, "")
    .with_line("3", "Cube: \\u{1b}[31m1000", Mark::Wrong, "expected `Cube: 1000`")
    .with_line("expected", "Done!", Mark::Right, "after both");
    let checks = vec![
        explained(check(TEXT, "output", Verdict::Failed, 4), order, Some(run_at_fault)),
        check(WRITERS, "output", Verdict::Passed, 4),
        explained(check(END, "exit", Verdict::GraderFault, 2), Explanation::new("No run was made."), None),
    ];
    let runs = vec![run(Policy::Free, 1, Verdict::Passed), run(Policy::Random, 7, Verdict::Failed)];
    let rows = vec![
        row("main", 0, &[3], None, Some(3)),
        row("child 1", 1, &[4], Some(6), None),
        row("child 2", 2, &[5], Some(7), None),
    ];
    let timeline = Timeline { schedule: run_at_fault, rows, more: 2, columns: 9 };
    Grade { timeline: Some(timeline), ..grade("python3 my_answer.py", Verdict::Failed, &[], checks, runs) }
}

fn provisional() -> Grade {
    let written = |name, verdict| CheckResult { provisional: true, ..check(name, "written", verdict, 2) };
    let missing =
        Explanation::new("In `exercises/q3-square-cube/answer.md` this idea was not found: “the lock”.");
    let checks = vec![
        check(TEXT, "output", Verdict::Passed, 4),
        written("the answer says what a child is", Verdict::Passed),
        explained(written("the answer says why", Verdict::Failed), missing, None),
    ];
    let runs = vec![run(Policy::Free, 0, Verdict::Passed)];
    grade("exercises/q3-square-cube", Verdict::Failed, &[], checks, runs)
}

fn not_run() -> Grade {
    let unseen = || Explanation::new(NOT_SEEN);
    let other = Explanation::new("This takes two runs under the schedule `free`, and fewer were made.");
    let checks = vec![
        check(TEXT, "output", Verdict::Passed, 4),
        explained(check(WRITERS, "output", Verdict::NotRun, 4), unseen(), None),
        explained(check("two runs print different lines", "varies", Verdict::NotRun, 2), other, None),
    ];
    grade(
        "solutions/q3-square-cube",
        Verdict::NotRun,
        &[NOT_SEEN],
        checks,
        vec![run(Policy::Free, 0, Verdict::Passed)],
    )
}

fn timed_out() -> Grade {
    let why = Explanation::new(
        "The program was ended after 10 s, the time that this question gives it. Nothing was printed.",
    );
    let at = Schedule { policy: Policy::Free, seed: 0 };
    let checks = vec![
        explained(check(TEXT, "output", Verdict::TimedOut, 4), why, Some(at)),
        explained(
            check(END, "exit", Verdict::Crashed, 2),
            Explanation::new("Main crashed: it was ended by SIGSEGV."),
            Some(at),
        ),
    ];
    grade(
        "exercises/q3-square-cube",
        Verdict::TimedOut,
        &[],
        checks,
        vec![run(Policy::Free, 0, Verdict::TimedOut)],
    )
}

fn did_not_build() -> Grade {
    let note = "error: this file contains an unclosed delimiter\n  --> exercises/q3-square-cube/src/main.rs:14:3\n   |\n\
                14 | }\n   |  ^\n";
    let checks =
        vec![check(TEXT, "output", Verdict::DidNotBuild, 4), check(END, "exit", Verdict::DidNotBuild, 2)];
    grade("exercises/q3-square-cube", Verdict::DidNotBuild, &[note], checks, Vec::new())
}

fn not_started() -> Grade {
    let note = "Not started: the code still contains `todo!`.";
    let checks =
        vec![check(TEXT, "output", Verdict::NotStarted, 4), check(END, "exit", Verdict::NotStarted, 2)];
    grade("exercises/q3-square-cube", Verdict::NotStarted, &[note], checks, Vec::new())
}

fn all() -> [(&'static str, Grade); 7] {
    [
        ("passed", passed()),
        ("failed", failed()),
        ("provisional", provisional()),
        ("not_run", not_run()),
        ("timed_out", timed_out()),
        ("did_not_build", did_not_build()),
        ("not_started", not_started()),
    ]
}

/// The text report, with its styles or without.
fn text(grade: &Grade, width: usize) -> String {
    let mut out = Vec::new();
    report::text::write_grade(grade, width, &mut out).expect("memory can be written to");
    String::from_utf8(out).expect("a report is UTF-8")
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn assert_committed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_text_report_reads_well_in_a_wide_and_in_a_narrow_terminal() {
    for (name, grade) in all() {
        for width in [40, 100] {
            assert_committed(&format!("text_report_{name}_{width}"), &plain(&text(&grade, width)));
        }
    }
}

#[test]
fn styles_mark_what_matters_and_end_where_they_began() {
    let shown = text(&failed(), 100).replace('\u{1b}', "^");
    assert_committed("text_report_styles", &shown);
}

#[test]
fn the_sum_counts_what_was_passed_and_what_was_not_run() {
    for (name, grades) in
        [("all_passed", vec![passed(), passed()]), ("some", all().map(|(_, grade)| grade).to_vec())]
    {
        let mut out = Vec::new();
        report::text::write_sum(&grades, &mut out).unwrap();
        assert_committed(&format!("text_report_sum_{name}"), &plain(&String::from_utf8(out).unwrap()));
    }
}

#[test]
fn the_json_report_keeps_its_form() {
    let grades = all().map(|(_, grade)| grade);
    let mut out = Vec::new();
    report::json::write(&grades, &mut out).unwrap();
    assert_committed("json_report", &String::from_utf8(out).unwrap());
}

#[test]
fn every_command_tells_how_it_is_used() {
    let course = Course::asking("output = \"hello\"", "");
    for (name, words) in [
        ("help", &["--help"][..]),
        ("help_grade", &["grade", "--help"]),
        ("help_grade_short", &["grade", "-h"]),
        ("help_new", &["new", "--help"]),
        ("help_release", &["release", "--help"]),
        ("help_record", &["record", "--help"]),
        ("help_check", &["check", "--help"]),
        ("help_list", &["list", "--help"]),
        ("help_schema", &["schema", "--help"]),
        ("help_doctor", &["doctor", "--help"]),
        ("help_watch", &["watch", "--help"]),
        ("help_show", &["show", "--help"]),
        ("help_hint", &["hint", "--help"]),
        ("help_solution", &["solution", "--help"]),
        ("help_reset", &["reset", "--help"]),
    ] {
        let output = grader(course.path()).args(words).assert().success();
        assert_committed(name, &String::from_utf8_lossy(&output.get_output().stdout));
    }
}

#[test]
fn the_list_shows_topics_points_and_how_far_the_learner_is() {
    let course = Course::asking("output = \"hello\"", "");
    let exercises = course.path().join("exercises");
    for (id, source) in
        [("q2-a-longer-name", Some("fn main() { todo!() }")), ("q10", Some("fn main() {}")), ("q3", None)]
    {
        fs::create_dir_all(exercises.join(id).join("src")).unwrap();
        fs::copy(exercises.join("hello/question.toml"), exercises.join(id).join("question.toml")).unwrap();
        if let Some(source) = source {
            fs::write(exercises.join(id).join("src/main.rs"), source).unwrap();
        }
    }
    let output = grader(course.path()).arg("list").assert().success();
    assert_committed("list", &String::from_utf8_lossy(&output.get_output().stdout));
}

#[test]
fn the_committed_schema_is_what_the_grader_reads() {
    let path = tests::root().join("docs/question.schema.json");
    let committed = fs::read_to_string(path).unwrap();
    let output = grader(&tests::root()).arg("schema").assert().success();
    let current = String::from_utf8_lossy(&output.get_output().stdout);
    assert_eq!(committed, current, "write it anew: `cargo grader schema > docs/question.schema.json`");
}
