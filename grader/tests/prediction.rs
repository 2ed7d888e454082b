//! Predictions: marks held against runs, what a learner is told, and what is wrong with a question.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use grader::judge::{Evidence, judge};
use grader::model::{
    Answer, Ending, ExitStatus, Grade, Held, Line, Machine, Observation, Orders, Point, Policy, Prediction,
    Process, Question, RunRecord, Schedule, Stream, Waited,
};
use grader::question::{parse, parse_prediction};

/// A question whose folder has a `program.rs`; only the file's text is made up here.
const FILE: &str = "../exercises/q7-predict-join/question.toml";

const HEAD: &str = "title = \"t\"\ntopic = \"t\"\n";

const OUTPUTS: &str = "[predict.outputs]\nboth = [\"left\", \"right\", \"main\"]\nearly = [\"main\", \"left\", \"right\"]\n\
                       late = [\"left\", \"main\", \"right\"]\nshort = [\"left\"]\nlong = [\"left\", \"main\", \"right\", \"end\"]\n\
                       other = [\"left\", \"mian\", \"right\"]\n";

const CHECK: &str = "[[check]]\nname = \"marked as they are\"\npoints = 2\n";

/// A question with a check for these outputs, and one for the rest, which the grade comes to second.
fn question(names: &[&str], pattern: &str) -> Question {
    let all = ["both", "early", "late", "long", "other", "short"];
    let text = format!(
        "{HEAD}[predict]\n{pattern}\n{OUTPUTS}\n{CHECK}predict = {names:?}\n\n{}predict = {all:?}\n",
        CHECK.replace("marked", "all marked")
    );
    parse("q", Path::new(FILE), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
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
        waited: Waited::Yes,
        threads: 0,
        cpu: Duration::ZERO,
        peak_memory: 0,
    }
}

/// A run in which main and two children print these lines, each its own.
fn run(policy: Policy, seed: u64, lines: &[&str]) -> RunRecord {
    let writer = |text: &str| match text {
        "left" => 1,
        "right" => 2,
        _ => 0,
    };
    RunRecord {
        schedule: Schedule { policy, seed },
        steps: lines.iter().map(|text| Held { process: writer(text), point: Point::Output }).collect(),
        observation: Observation::Full,
        machine: Machine::default(),
        processes: (0..3).map(|number| process(number, ExitStatus::Code(0))).collect(),
        lines: lines
            .iter()
            .map(|text| Line {
                text: (*text).to_owned(),
                invalid_utf8: false,
                stream: Stream::Stdout,
                writer: Some(writer(text)),
                begun: Duration::ZERO,
                at: Duration::ZERO,
                torn: false,
            })
            .collect(),
        ending: Ending::Finished,
        wall: Duration::from_millis(5),
    }
}

/// Main waits for the left child before it prints, and for the right one afterwards.
fn every_order() -> Vec<RunRecord> {
    let orders = [["left", "main", "right"], ["left", "right", "main"], ["right", "left", "main"]];
    let mut runs = vec![run(Policy::Free, 0, &orders[0])];
    runs.extend((0..).zip(&orders).map(|(seed, lines)| run(Policy::Exhaustive, seed, lines)));
    runs
}

fn marks(question: &Question, text: &str) -> Prediction {
    let file = "exercises/q/prediction.toml".to_owned();
    let predict = question.predict.as_ref().expect("there is something to predict");
    parse_prediction(predict, Answer::Text { file, text: text.to_owned() })
}

/// What is said of the check that names `names`, for the marks of all outputs in the order of their names.
fn told(names: &[&str], text: &str, change: impl FnOnce(&mut Evidence)) -> String {
    let question = question(names, "");
    told_of(&question, text, change)
}

fn told_of(question: &Question, text: &str, change: impl FnOnce(&mut Evidence)) -> String {
    let prediction = marks(question, text);
    let mut evidence =
        Evidence { runs: every_order(), orders: Orders::All, prediction, ..Evidence::default() };
    change(&mut evidence);
    first_check(&judge(question, "it", &evidence))
}

fn first_check(grade: &Grade) -> String {
    let check = &grade.checks[0];
    let run = check.run.map_or(String::new(), |run| format!(" [{run}]"));
    let explanation = check.explanation.as_ref().map_or(String::new(), |text| format!(": {text}"));
    format!("{}{run}{explanation}", check.verdict)
}

const RIGHT: &str = "both = 'possible'\nearly = 'impossible'\nlate = 'possible'\nlong = 'impossible'\nother = 'impossible'\n\
                     short = 'impossible'\n";

#[test]
fn a_wrong_mark_is_answered_with_the_run_or_with_the_line_that_goes_wrong() {
    let mut all = String::new();
    let held_for_possible = |name: &str| RIGHT.replace(&format!("{name} = 'im"), &format!("{name} = '"));
    for (name, marks) in [
        ("all right", RIGHT.to_owned()),
        ("too early", held_for_possible("early")),
        ("no such line", held_for_possible("other")),
        ("a line too many", held_for_possible("long")),
        ("a line too few", held_for_possible("short")),
        ("held for impossible", RIGHT.replace("both = '", "both = 'im")),
        ("two wrong", held_for_possible("early").replace("both = '", "both = 'im")),
        ("all the same", RIGHT.replace("impossible", "possible")),
        ("one open", RIGHT.replace("both = 'possible'", "both = '?'")),
        ("some not named", "late = 'possible'".to_owned()),
        ("one open and one wrong", held_for_possible("early").replace("both = 'possible'", "both = '?'")),
    ] {
        let told = told(&["both", "early", "late", "long", "other", "short"], &marks, |_| {});
        writeln!(all, "== {name}\n{told}\n").expect("memory can be written to");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_line_that_no_rule_explains_is_told_with_what_comes_in_its_place() {
    // No line comes always before another, and still no order begins with `main` and goes on with `left`.
    let orders = [["left", "right", "main"], ["main", "right", "left"], ["left", "main", "right"]];
    let told = told(&["both", "other", "early"], &RIGHT.replace("early = 'im", "early = '"), |evidence| {
        evidence.runs =
            (0..).zip(&orders).map(|(seed, lines)| run(Policy::Exhaustive, seed, lines)).collect();
    });
    insta::assert_snapshot!(told, @r"
    failed: `early` is impossible: line 2, `left`. In all 3 orders in which processes can begin and print, what begins like it goes on with `right`.
    1 | main
    2 | left   <- not here
    3 | right
    ");
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let mut all = String::new();
    for text in [
        "both = possible",
        "both = 'maybe'",
        "nobody = 'possible'",
        "both = true",
        "[marks]\nboth = 'possible'",
        "both = 'possible'\nboth = 'possible'",
    ] {
        writeln!(all, "{}\n", told(&["both", "early"], text, |_| {})).expect("memory can be written to");
    }
    for handed_in in [
        Answer::Unreadable("`exercises/q/prediction.toml` is a folder.".to_owned()),
        Answer::NotGiven("No prediction was handed in.".to_owned()),
    ] {
        let question = question(&["both", "early"], "");
        let told = told_of(&question, "", |evidence| {
            evidence.prediction = parse_prediction(question.predict.as_ref().expect("one"), handed_in);
        });
        writeln!(all, "{told}\n").expect("memory can be written to");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_question_that_cannot_be_decided_is_at_fault_and_not_the_learner() {
    let mut all = String::new();
    let names = ["both", "early"];
    let mut tell = |name: &str, told: String| {
        writeln!(all, "== {name}\n{told}\n").expect("memory can be written to");
    };
    tell("no run", told(&names, RIGHT, |evidence| evidence.runs.clear()));
    tell("too many orders", told(&names, RIGHT, |evidence| evidence.orders = Orders::TooMany));
    tell(
        "another output in a free run",
        told(&names, RIGHT, |evidence| {
            evidence.runs[0] = run(Policy::Free, 0, &["main", "left", "right"]);
        }),
    );
    tell(
        "stuck",
        told(&names, RIGHT, |evidence| {
            evidence.runs[1].ending =
                Ending::Deadlocked { waits: vec!["Main waits for child 1.".to_owned()] };
        }),
    );
    tell("out of time", told(&names, RIGHT, |evidence| evidence.runs[1].ending = Ending::TimedOut));
    tell(
        "crashed",
        told(&names, RIGHT, |evidence| {
            evidence.runs[1].processes[0] = process(0, ExitStatus::Signal(6));
        }),
    );
    tell("all possible", told(&["both", "late"], RIGHT, |_| {}));
    tell("all impossible", told(&["early", "short"], RIGHT, |_| {}));
    let pattern = "pattern = { any_order = [{ sequence = [\"left\", \"main\"] }, \"right\"] }";
    tell("a pattern that agrees", told_of(&question(&names, pattern), RIGHT, |_| {}));
    let narrow = "pattern = { sequence = [\"left\", { any_order = [\"main\", \"right\"] }] }";
    tell("a pattern that is too narrow", told_of(&question(&names, narrow), RIGHT, |_| {}));
    let wide = "pattern = { any_order = [\"left\", \"main\", \"right\"] }";
    tell("a pattern that is too wide", told_of(&question(&names, wide), RIGHT, |_| {}));
    insta::assert_snapshot!(all);
}

#[test]
fn what_was_not_seen_is_not_run_and_what_was_seen_is_proof_all_the_same() {
    let mut all = String::new();
    let mut tell = |name: &str, told: String| {
        writeln!(all, "== {name}\n{told}\n").expect("memory can be written to");
    };
    let one = |evidence: &mut Evidence| {
        evidence.runs.truncate(2);
        evidence.orders = Orders::Some;
    };
    tell("one schedule", told(&["both", "early"], RIGHT, one));
    tell(
        "one schedule that disproves",
        told(&["late", "early"], &RIGHT.replace("late = '", "late = 'im"), one),
    );
    tell(
        "not observed",
        told(&["both", "early"], RIGHT, |evidence| {
            one(evidence);
            for run in &mut evidence.runs {
                run.observation = Observation::OutputOnly { reason: "Nobody may look.".to_owned() };
            }
        }),
    );
    insta::assert_snapshot!(all);
}

#[test]
fn every_mistake_in_what_is_to_be_predicted_is_told_with_its_place() {
    let two = "[predict.outputs]\nA = [\"a\"]\nB = [\"b\"]\n";
    let both = format!("{CHECK}predict = [\"A\", \"B\"]\n");
    let mut all = String::new();
    for (name, file) in [
        ("no outputs", format!("[predict]\n{both}")),
        ("one output", format!("[predict.outputs]\nA = [\"a\"]\n{CHECK}predict = [\"A\", \"A\"]\n")),
        ("no line", format!("[predict.outputs]\nA = []\nB = [\"b\"]\n{both}")),
        ("two lines in one", format!("[predict.outputs]\nA = [\"a\\nb\"]\nB = [\"b\"]\n{both}")),
        ("one output twice", format!("[predict.outputs]\nA = [\"a\"]\nB = [\"a\"]\n{both}")),
        ("unknown output", format!("{two}{CHECK}predict = [\"A\", \"C\"]\n")),
        ("one output in a check", format!("{two}{both}{}predict = [\"A\"]\n", CHECK.replace("marked", "m"))),
        ("an output in no check", format!("{two}C = [\"c\"]\n{both}")),
        ("another check", format!("{two}{both}{}output = \"a\"\n", CHECK.replace("marked", "m"))),
        ("hidden check", format!("{two}{CHECK}hidden = true\npredict = [\"A\", \"B\"]\n")),
        ("pattern with a mistake", format!("[predict]\npattern = \"{{number}}\"\n{two}{both}")),
    ] {
        let mistakes = parse("q", Path::new(FILE), &format!("{HEAD}{file}")).expect_err(name);
        writeln!(all, "== {name}\n{mistakes}\n").expect("memory can be written to");
    }
    let elsewhere = Path::new("exercises/q/question.toml");
    for (name, file) in [("no program", format!("{two}{both}")), ("nothing to predict", both.clone())] {
        let mistakes = parse("q", elsewhere, &format!("{HEAD}{file}")).expect_err(name);
        writeln!(all, "== {name}\n{mistakes}\n").expect("memory can be written to");
    }
    let mistakes =
        parse("q", Path::new(FILE), &format!("{HEAD}{CHECK}output = \"a\"\n")).expect_err("a program");
    writeln!(all, "== a program that is not predicted\n{mistakes}").expect("memory can be written to");
    insta::assert_snapshot!(all);
}

#[test]
fn a_mark_is_right_exactly_when_it_says_whether_some_order_prints_the_output() {
    use proptest::prelude::*;
    let line = || prop::sample::select(vec!["a", "b", "c"]);
    let output = |least| prop::collection::vec(line(), least..5);
    proptest!(|(others in prop::collection::vec(output(0), 0..6), one in output(1), other in output(1))| {
        let printed: Vec<Vec<&str>> = others.into_iter().chain([one.clone()]).collect();
        // A check has to have an impossible one as well.
        prop_assume!(!printed.contains(&other));
        let file = format!(
            "{HEAD}[predict.outputs]\none = {one:?}\nother = {other:?}\n{CHECK}predict = [\"one\", \"other\"]\n"
        );
        let question = parse("q", Path::new(FILE), &file).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let runs: Vec<RunRecord> =
            (0..).zip(&printed).map(|(seed, lines)| run(Policy::Exhaustive, seed, lines)).collect();
        for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
            let word = |possible| if possible { "possible" } else { "impossible" };
            let marks = format!("one = '{}'\nother = '{}'\n", word(first), word(second));
            let told = told_of(&question, &marks, |evidence| evidence.runs = runs.clone());
            let is_right = (first, second) == (true, false);
            prop_assert_eq!(told == "passed", is_right, "{} for {:?}", told, printed);
            prop_assert!(is_right || told.starts_with("failed"), "{}", told);
        }
    });
}
