//! What a learner is told: a check, an output, and the explanation, side by side.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use grader::judge::{Evidence, judge, judge_unrun};
use grader::model::{
    Ending, ExitStatus, Line, Machine, Observation, Points, Policy, Process, RunRecord, Schedule, Stream,
    Verdict, Waited,
};
use grader::question::parse;
use grader::schedule::Selection;

fn question(check: &str) -> grader::model::Question {
    let text = format!("title = \"t\"\ntopic = \"t\"\n[[check]]\nname = \"n\"\npoints = 1\n{check}\n");
    parse("q", Path::new("question.toml"), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn process(number: u32, status: ExitStatus) -> Process {
    Process {
        number,
        parent: (number > 0).then_some(0),
        program: "program".to_owned(),
        executed: false,
        born: Duration::ZERO,
        done: Some(Duration::from_millis(5)),
        ended: Some(Duration::from_millis(5)),
        status: Some(status),
        waited: Waited::Unknown,
        threads: 0,
        cpu: Duration::ZERO,
        peak_memory: 0,
    }
}

/// A run that was seen only from outside and printed these lines.
fn run(lines: &[&str]) -> RunRecord {
    RunRecord {
        schedule: Schedule { policy: Policy::Free, seed: 0 },
        steps: Vec::new(),
        observation: Observation::OutputOnly { reason: "Nobody looked.".to_owned() },
        machine: Machine { cpus: [2].into() },
        processes: vec![process(0, ExitStatus::Code(0))],
        lines: lines
            .iter()
            .map(|text| Line {
                text: (*text).to_owned(),
                invalid_utf8: text.contains('\u{fffd}'),
                stream: Stream::Stdout,
                writer: None,
                begun: Duration::ZERO,
                at: Duration::ZERO,
                torn: false,
            })
            .collect(),
        ending: Ending::Finished,
        wall: Duration::from_millis(5),
    }
}

/// The same run with every line's writer seen.
fn observed(lines: &[(&str, u32)]) -> RunRecord {
    let mut run = run(&lines.iter().map(|(text, _)| *text).collect::<Vec<_>>());
    run.observation = Observation::Full;
    for (line, (_, writer)) in run.lines.iter_mut().zip(lines) {
        line.writer = Some(*writer);
    }
    run.processes.extend((1..=4).map(|number| process(number, ExitStatus::Code(0))));
    run
}

fn verdict(check: &str, run: RunRecord) -> String {
    let grade = judge(&question(check), "it", &Evidence { runs: vec![run], ..Evidence::default() });
    let result = &grade.checks[0];
    match &result.explanation {
        Some(explanation) => format!("{}: {explanation}", result.verdict),
        None => result.verdict.to_string(),
    }
}

const SQUARE_CUBE: &str = "output.sequence = [{ any_order = [\"Square: 100\", \"Cube: 1000\"] }, \"Done!\"]";

#[test]
fn a_text_that_is_not_as_expected_is_explained() {
    let four = "output.any_order = [\"Process 1: 1\", \"Process 2: 2\", \"Process 3: 3\", \"Process 4: 4\"]";
    let numbers = "output = \"[{list int 0..=49 len 5}]\"";
    let same = "output.sequence = [\"first {n: int}\", \"second {n}\"]";
    let phases = "output.sequence = [{ repeat = \"working {int}\", min = 1 }, \"phase 2\", { repeat = \"resting {int}\", min = 1 }, \"end\"]";
    let long = format!("{}x", "a".repeat(300));
    let cases: [(&str, &str, Vec<&str>); 28] = [
        ("right", SQUARE_CUBE, vec!["Cube: 1000", "Square: 100", "Done!"]),
        (
            "right with empty lines at the end",
            SQUARE_CUBE,
            vec!["Cube: 1000", "Square: 100", "Done!", "", ""],
        ),
        ("nothing", SQUARE_CUBE, vec![]),
        ("too early", SQUARE_CUBE, vec!["Square: 100", "Done!", "Cube: 1000"]),
        ("first of all", SQUARE_CUBE, vec!["Done!", "Square: 100", "Cube: 1000"]),
        ("missing last", SQUARE_CUBE, vec!["Square: 100", "Cube: 1000"]),
        ("missing first", SQUARE_CUBE, vec!["Cube: 1000", "Done!"]),
        ("wrong value", SQUARE_CUBE, vec!["Square: 100", "Cube: 100", "Done!"]),
        ("wrong case", SQUARE_CUBE, vec!["square: 100", "Cube: 1000", "Done!"]),
        ("space at the end", SQUARE_CUBE, vec!["Square: 100 ", "Cube: 1000", "Done!"]),
        ("space inside", SQUARE_CUBE, vec!["Square:100", "Cube: 1000", "Done!"]),
        ("twice", SQUARE_CUBE, vec!["Square: 100", "Square: 100", "Cube: 1000", "Done!"]),
        ("too much", SQUARE_CUBE, vec!["Square: 100", "Cube: 1000", "Done!", "Bye"]),
        ("noise before", SQUARE_CUBE, vec!["starting", "Square: 100", "Cube: 1000", "Done!"]),
        ("something else", SQUARE_CUBE, vec!["Hello, world!"]),
        ("two wrong", SQUARE_CUBE, vec!["Square: 10", "Cube: 100", "Done!"]),
        ("empty line between", SQUARE_CUBE, vec!["Square: 100", "", "Cube: 1000", "Done!"]),
        (
            "a number out of order is fine, a number twice is not",
            four,
            vec!["Process 2: 2", "Process 1: 1", "Process 2: 2", "Process 4: 4"],
        ),
        ("out of range", numbers, vec!["[1, 2, 50, 4, 5]"]),
        ("too few in a list", numbers, vec!["[1, 2, 3, 4]"]),
        ("cut off", numbers, vec!["[1, 2"]),
        ("no number", "output = \"n = {int}\"", vec!["n = many"]),
        ("CPUs", "output = \"CPUs: {cpus}\"", vec!["CPUs: 3"]),
        ("names disagree", same, vec!["first 1", "second 2"]),
        (
            "phases in the wrong order",
            phases,
            vec!["working 1", "resting 1", "working 2", "phase 2", "resting 2", "end"],
        ),
        ("control sequences", SQUARE_CUBE, vec!["\u{1b}[32mSquare: 100\u{1b}[0m", "Cube: 1000", "Done!"]),
        ("bytes that are no text", SQUARE_CUBE, vec!["Square: 100", "Cube: \u{fffd}", "Done!"]),
        ("a long line", "output = \"a\"", vec![&long]),
    ];
    let mut all = String::new();
    for (name, check, lines) in cases {
        writeln!(all, "== {name}\n{}\n", verdict(check, run(&lines))).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_long_output_in_the_wrong_order_names_the_right_place() {
    let workers: Vec<String> = (1..=20).map(|number| format!("\"worker {number}\"")).collect();
    let check = format!("output.sequence = [{{ any_order = [{}] }}, \"all done\"]", workers.join(", "));
    let mut lines: Vec<String> = (1..=20).map(|number| format!("worker {number}")).collect();
    lines.insert(3, "all done".to_owned());
    insta::assert_snapshot!(verdict(&check, run(&lines.iter().map(String::as_str).collect::<Vec<_>>())));
}

#[test]
fn the_wrong_writer_is_named() {
    let own = "output.sequence = [{ any_order = [\"Square: 100\", \"Cube: 1000\"], by = \"own child\" }, { line = \"Done!\", by = \"main\" }]";
    let mut all = String::new();
    for (name, lines) in [
        ("right", [("Square: 100", 1), ("Cube: 1000", 2), ("Done!", 0)]),
        ("from main", [("Square: 100", 0), ("Cube: 1000", 2), ("Done!", 0)]),
        ("one child for both", [("Square: 100", 1), ("Cube: 1000", 1), ("Done!", 0)]),
        ("end from a child", [("Square: 100", 1), ("Cube: 1000", 2), ("Done!", 3)]),
        ("main too early", [("Square: 100", 1), ("Done!", 0), ("Cube: 1000", 2)]),
    ] {
        writeln!(all, "== {name}\n{}\n", verdict(own, observed(&lines))).unwrap();
    }
    writeln!(all, "== not seen\n{}", verdict(own, run(&["Square: 100", "Cube: 1000", "Done!"]))).unwrap();
    insta::assert_snapshot!(all);
}

#[test]
fn how_a_child_repeats_what_main_has_printed_is_told() {
    let (square, cube, done) = ("Square: 100", "Cube: 1000", "Done!");
    let mut all = String::new();
    for (name, executed, lines) in [
        ("a copy of main", false, &[(square, 0), (square, 1), (cube, 2), (done, 0)][..]),
        ("the program anew", true, &[(square, 1), (square, 0), (cube, 2), (done, 0)]),
        ("and another line is missing", true, &[(done, 0), (done, 1), (cube, 2)]),
        ("main itself", true, &[(square, 0), (square, 0), (cube, 2), (done, 0)]),
        ("two children", true, &[(square, 1), (square, 2), (cube, 3), (done, 0)]),
    ] {
        let mut run = observed(lines);
        run.processes[1..].iter_mut().for_each(|child| child.executed = executed);
        writeln!(all, "== {name}\n{}\n", verdict(SQUARE_CUBE, run)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_end_of_a_run_is_explained() {
    let exit = "exit = { code = 0, crashed = 0, left_behind = 0, waited = true }";
    let ended = |status, ending| {
        let mut run = run(&["Square: 100"]);
        run.processes[0].status = status;
        run.processes[0].ended = run.processes[0].ended.filter(|_| status.is_some());
        run.ending = ending;
        run
    };
    let mut all = String::new();
    for (name, check, run) in [
        ("clean but unseen", exit, ended(Some(ExitStatus::Code(0)), Ending::Finished)),
        ("wrong code", exit, ended(Some(ExitStatus::Code(3)), Ending::Finished)),
        ("panicked", exit, ended(Some(ExitStatus::Code(101)), Ending::Finished)),
        ("crashed", exit, ended(Some(ExitStatus::Signal(11)), Ending::Finished)),
        (
            "crashed after a right text",
            "output = \"Square: 100\"",
            ended(Some(ExitStatus::Signal(6)), Ending::Finished),
        ),
        ("timed out", SQUARE_CUBE, ended(None, Ending::TimedOut)),
        (
            "deadlocked",
            SQUARE_CUBE,
            ended(None, Ending::Deadlocked { waits: vec!["Main waits for child 1.".to_owned()] }),
        ),
        ("flooded", SQUARE_CUBE, ended(None, Ending::LimitExceeded(grader::model::Limit::Output))),
    ] {
        writeln!(all, "== {name}\n{}\n", verdict(check, run)).unwrap();
    }
    let mut left = observed(&[]);
    left.processes.truncate(3);
    left.processes[1].ended = None;
    left.processes[2].waited = Waited::No;
    writeln!(all, "== left behind\n{}\n", verdict(exit, left.clone())).unwrap();
    left.processes[1].ended = Some(Duration::from_millis(1));
    writeln!(all, "== not waited for\n{}\n", verdict(exit, left.clone())).unwrap();
    left.processes[2].status = Some(ExitStatus::Signal(6));
    writeln!(all, "== a child crashed\n{}\n", verdict(exit, left.clone())).unwrap();
    let ended_before = "exit = { ended_before = \"Done!\" }";
    let mut early = observed(&[("Square: 100", 1), ("Cube: 1000", 2), ("Done!", 0)]);
    writeln!(all, "== still running\n{}\n", verdict(ended_before, early.clone())).unwrap();
    early.lines[2].begun = Duration::from_millis(6);
    writeln!(all, "== ended in time\n{}\n", verdict(ended_before, early.clone())).unwrap();
    early.lines.pop();
    writeln!(all, "== without the line\n{}\n", verdict(ended_before, early)).unwrap();
    let mut failed =
        observed(&[("Square: 100", 1), ("thread 'main' panicked at main.rs:3:5:", 2), ("oops", 2)]);
    failed.processes[2].status = Some(ExitStatus::Code(101));
    failed.lines[1..].iter_mut().for_each(|line| line.stream = Stream::Stderr);
    let no_failure = "exit = { code = 0, failed = 0 }";
    writeln!(all, "== a child failed\n{}\n", verdict(no_failure, failed.clone())).unwrap();
    let mut hung_up = failed.clone();
    hung_up.processes[2].status = Some(ExitStatus::Signal(1));
    writeln!(all, "== a signal ended a child\n{}\n", verdict(no_failure, hung_up.clone())).unwrap();
    hung_up.processes[2].status = Some(ExitStatus::Signal(15));
    writeln!(all, "== a child was ended by another process\n{}\n", verdict(no_failure, hung_up)).unwrap();
    writeln!(all, "== a child failed before its line\n{}\n", verdict(SQUARE_CUBE, failed)).unwrap();
    let mut refused = observed(&[("MemoryError", 1)]);
    refused.lines[0].stream = Stream::Stderr;
    writeln!(all, "== without memory\n{}\n", verdict(SQUARE_CUBE, refused)).unwrap();
    let mut steered = observed(&[("Done!", 0), ("Square: 100", 1), ("Cube: 1000", 2)]);
    steered.schedule.policy = Policy::ChildrenLast;
    writeln!(all, "== in an order of the grader's\n{}\n", verdict(SQUARE_CUBE, steered)).unwrap();
    writeln!(all, "== too few\n{}\n", verdict("processes = { created = 4 }", left.clone())).unwrap();
    writeln!(all, "== no thread\n{}\n", verdict("processes = { threads = 4 }", left.clone())).unwrap();
    let mut uneven = left.clone();
    uneven.processes[1].cpu = Duration::from_millis(300);
    uneven.processes[2].cpu = Duration::from_millis(50);
    writeln!(all, "== one works\n{}\n", verdict("processes = { busy = 2 }", uneven.clone())).unwrap();
    uneven.processes[2].cpu = Duration::from_millis(60);
    writeln!(all, "== both work\n{}\n", verdict("processes = { busy = 2 }", uneven)).unwrap();
    let together = "processes = { alive_together = 2 }";
    let mut alone = observed(&[("hello", 0)]);
    alone.processes.truncate(1);
    writeln!(all, "== no child at all\n{}\n", verdict(together, alone)).unwrap();
    let mut one_by_one = observed(&[]);
    for (number, process) in (0..).zip(&mut one_by_one.processes[1..]) {
        process.born = Duration::from_millis(10 * number);
        process.ended = Some(process.born + Duration::from_millis(5));
    }
    writeln!(all, "== one by one\n{}\n", verdict(together, one_by_one)).unwrap();
    writeln!(
        all,
        "== none alive together\n{}\n",
        verdict("processes = { alive_together = 4 }", left.clone())
    )
    .unwrap();
    writeln!(
        all,
        "== none killed\n{}",
        verdict("processes.ended_by = { signal = \"SIGKILL\", count = 1 }", left)
    )
    .unwrap();
    insta::assert_snapshot!(all);
}

#[test]
fn no_output_makes_judging_panic() {
    use proptest::prelude::*;
    let checks = [
        SQUARE_CUBE,
        "output.any_order = [{ sequence = [\"a {n: int}\", { optional = \"b {n}\" }] }, { repeat = \"{word}\", max = 3 }, \"{list int len 2}\"]",
        "output = \"{x: any}-{y: any}\"\ndistinct = { x = 2 }",
        "output = { any_order = [\"{int}\", \"{float}\", \"{any}\"], by = \"own child\" }",
    ]
    .map(question);
    let line = prop_oneof![
        "[a-b0-9 ,.é-]{0,12}",
        prop::sample::select(vec!["Square: 100", "Cube: 1000", "Done!", "1, 2"]).prop_map(str::to_owned),
        any::<String>(),
    ];
    proptest!(|(lines in prop::collection::vec((line, 0..5u32), 0..8), check in 0..checks.len(), seen: bool)| {
        let borrowed: Vec<(&str, u32)> = lines.iter().map(|(text, writer)| (text.as_str(), *writer)).collect();
        let run = if seen { observed(&borrowed) } else { run(&borrowed.iter().map(|(text, _)| *text).collect::<Vec<_>>()) };
        let grade = judge(&checks[check], "it", &Evidence { runs: vec![run], ..Evidence::default() });
        let result = &grade.checks[0];
        prop_assert_eq!(result.verdict == grader::model::Verdict::Passed, result.explanation.is_none());
        if let Some(explanation) = &result.explanation {
            prop_assert!(!explanation.text.is_empty());
            prop_assert!(!explanation.to_string().chars().any(|c| c.is_control() && c != '\n'));
        }
    });
}

#[test]
fn children_that_can_be_missed_are_named_unless_others_took_their_place() {
    let check = "processes = { needed = 8 }\n\n[[check]]\nname = \"m\"\npoints = 1\noutput = \"8\"";
    let judged = |schedule: Schedule, created: u32| {
        let mut run = observed(&[("8", 0)]);
        run.schedule = schedule;
        run.processes.extend((5..=created).map(|number| process(number, ExitStatus::Code(0))));
        let runs = vec![observed(&[("8", 0)]), run];
        let grade = judge(&question(check), "it", &Evidence { runs, ..Evidence::default() });
        let explanation = grade.checks[0].explanation.as_ref().map(ToString::to_string);
        (grade.checks[0].verdict, explanation.unwrap_or_default())
    };
    let schedules = Schedule::without_children(8);
    let [others, _, some] = schedules.as_slice() else { panic!("{schedules:?}") };
    assert_eq!(some.missing(), 3..5);
    for (schedule, created, told) in [
        (
            *others,
            8,
            "With the first 7 children alone the program prints the same: so the others do none of the work.",
        ),
        (
            *others,
            20,
            "With the first 7 children alone the program prints the same: so the others do none of the work.",
        ),
        (*some, 9, "Children 3 to 4 do none of the work: without them the program prints the same."),
    ] {
        let (verdict, explanation) = judged(schedule, created);
        assert_eq!(verdict, Verdict::Failed, "{schedule} {created}");
        assert!(explanation.starts_with(told), "{explanation}");
    }
    // Eight are alive, as many as it takes: two took the place of those that were missing.
    assert_eq!(judged(*some, 10), (Verdict::Passed, String::new()));
}

#[test]
fn nothing_is_told_of_a_hidden_check_but_its_verdict_and_its_points() {
    let checks =
        "output = \"a secret\"\nhidden = true\n\n[[check]]\nname = \"m\"\npoints = 2\noutput = \"a\"\n";
    let question = question(checks);
    let evidence = Evidence { runs: vec![observed(&[("b", 1)])], ..Evidence::default() };
    let grade = judge(&question, "it", &evidence);
    let hidden = &grade.checks[0];
    assert_eq!((hidden.name.as_str(), hidden.kind.as_str()), ("hidden check 1", "hidden"));
    assert_eq!((hidden.verdict, hidden.points), (Verdict::Failed, Points { earned: 0, possible: 1 }));
    assert_eq!((&hidden.explanation, hidden.run), (&None, None));
    assert!(grade.checks[1].explanation.is_some());
    let mut json = Vec::new();
    grader::report::json::write(&[grade], &mut json).unwrap();
    assert!(!String::from_utf8(json).unwrap().contains("secret"));

    let unrun = judge_unrun(&question, "it", Verdict::NotStarted, vec!["Not started.".to_owned()]);
    assert_eq!(unrun.checks[0].name, "hidden check 1");
    let revealed = judge(&question.revealed(), "it", &evidence);
    assert_eq!(revealed.checks[0].name, "n");
    assert!(revealed.checks[0].explanation.is_some());
}

#[test]
fn a_timeline_shows_no_line_that_breaks_a_hidden_check_alone() {
    let question = question("output = \"a secret\"\nhidden = true");
    let evidence = Evidence { runs: vec![observed(&[("b", 1)])], ..Evidence::default() };
    assert_eq!(judge(&question, "it", &evidence).timeline, None);
    assert_ne!(judge(&question.revealed(), "it", &evidence).timeline, None);
}

#[test]
fn points_that_are_kept_back_are_told() {
    let text = "title = 't'\ntopic = 't'\nwithheld = 3\n[[check]]\nname = 'n'\npoints = 1\noutput = 'a'\n";
    let question =
        parse("q", Path::new("question.toml"), text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let grade = judge(&question, "it", &Evidence { runs: vec![run(&["a"])], ..Evidence::default() });
    assert_eq!((grade.verdict, grade.points.possible), (Verdict::Passed, 1));
    assert_eq!(
        grade.notes,
        ["3 more points are given by checks that your instructor keeps; they are not part of this copy."]
    );
}

/// What is told where the runs under these schedules, of the quick ones, print nothing.
fn told(broken: &[&str]) -> String {
    told_of("quick", broken)
}

/// The same where these runs were made.
fn told_of(selection: &str, broken: &[&str]) -> String {
    let selected: Selection = selection.parse().expect("a selection of that name");
    let is_broken = |schedule: Schedule| broken.contains(&schedule.to_string().as_str());
    let runs = selected.schedules().iter();
    let runs = runs
        .map(|&schedule| RunRecord { schedule, ..run(if is_broken(schedule) { &[] } else { &["a"] }) })
        .collect();
    let grade = judge(&question("output = \"a\""), "s", &Evidence { runs, ..Evidence::default() });
    grade.checks[0].explanation.as_ref().expect("one of them is wrong").text.clone()
}

#[test]
fn what_depends_on_a_terminal_is_told() {
    let quick: Selection = "quick".parse().expect("a selection of that name");
    let names: Vec<String> = quick.schedules().iter().map(ToString::to_string).collect();
    let elsewhere: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| *name != "children-last:1").collect();
    assert!(told(&["children-last:1"]).contains("It shows on a terminal"));
    assert!(!told_of("children-last:1", &["children-last:1"]).contains("terminal"));
    assert!(told(&elsewhere).contains("On a terminal it is right"));
    for broken in [&elsewhere[1..], &["children-last", "children-last:1"], &["free"]] {
        assert!(!told(broken).contains("terminal"), "{broken:?}");
    }
    assert!(!told(&names.iter().map(String::as_str).collect::<Vec<_>>()).contains("terminal"));
}

#[test]
fn a_wrong_line_that_only_the_graders_order_brings_is_told_to_be_that() {
    for broken in [["children-last"], ["reverse"], ["random:2"]] {
        assert!(told(&broken).contains("Left alone, the program printed what it should"), "{broken:?}");
    }
    assert!(!told(&["free:1", "children-last"]).contains("Left alone"));
}

#[test]
fn children_that_print_nothing_are_told_not_to_count() {
    let own_lines = question(
        "output = { any_order = [\"a\", \"b\"], by = \"own child\" }\n\
         [[check]]\nname = \"together\"\npoints = 1\nprocesses = { alive_together = 2 }",
    );
    let told = |lines: &[(&str, u32)]| {
        let evidence = Evidence { runs: vec![observed(lines)], ..Evidence::default() };
        let grade = judge(&own_lines, "s", &evidence);
        grade.checks[1].explanation.as_ref().map(|explanation| explanation.text.clone())
    };
    let by_main = told(&[("a", 0), ("b", 0)]);
    assert!(
        by_main.is_some_and(|text| text.contains("none of the children prints; at least 2 are expected"))
    );
    assert!(told(&[("a", 1), ("b", 1)]).is_some_and(|text| text.contains("1 child prints")));
    assert_eq!(told(&[("a", 1), ("b", 2)]), None);
}

/// The run that is shown where those under these schedules, of the quick ones, print the wrong line.
fn shown(broken: &[&str]) -> String {
    let quick: Selection = "quick".parse().expect("a selection of that name");
    let runs = quick.schedules().iter().map(|&schedule| RunRecord {
        schedule,
        ..run(&[if broken.contains(&schedule.to_string().as_str()) { "b" } else { "a" }])
    });
    let grade =
        judge(&question("output = \"a\""), "s", &Evidence { runs: runs.collect(), ..Evidence::default() });
    grade.checks[0].run.expect("one of them is wrong").to_string()
}

#[test]
fn the_run_is_shown_that_is_likeliest_to_come_out_so_again() {
    assert_eq!(shown(&["free", "free:1"]), "free");
    assert_eq!(shown(&["free:1", "reverse"]), "reverse");
    // It has to do with the order of births.
    assert_eq!(shown(&["children-last", "messages"]), "children-last");
    assert_eq!(shown(&["reverse", "messages:1", "random:1", "random:3"]), "reverse");
    // It has not.
    assert_eq!(shown(&["free", "children-first", "random:2", "messages:1"]), "messages:1");
    assert_eq!(shown(&["reverse", "memory:2", "memory:3"]), "memory:2");
}
