//! A question's file: what is read from a right one, and what is said of a wrong one.

use std::fmt::Write;
use std::path::Path;

use grader::question::{Diagnostics, parse};

const HEAD: &str = "title = \"t\"\ntopic = \"processes\"\n";

/// Conditions of a check, each with one mistake.
const WRONG_CONDITIONS: [(&str, &str); 40] = [
    ("wrong type", "output = 5"),
    ("unknown key", "outputs = \"a\""),
    ("unknown key in a pattern", "output = { lines = \"a\" }"),
    ("unknown placeholder", "output = \"a {number} b\""),
    ("placeholder behind an escape", "output = \"a\\tb {number}\""),
    ("open brace", "output = \"a {int\""),
    ("empty group", "output.sequence = [\"a\", { any_order = [] }]"),
    ("two ways at once", "output = { line = \"a\", sequence = [\"b\"] }"),
    ("two conditions", "output = \"a\"\ntorn = 0"),
    ("no condition", ""),
    ("unknown writer", "output = { line = \"a\", by = \"parent\" }"),
    ("repeat of nothing", "output = { repeat = { optional = \"a\" } }"),
    ("repeat bounds", "output = { repeat = \"a\", min = 3, max = 2 }"),
    ("bounds without repeat", "output = { line = \"a\", max = 2 }"),
    ("name with two kinds", "output.sequence = [\"{n: int}\", \"{n: float}\"]"),
    ("bad count", "processes = { created = -1 }"),
    ("bad count table", "processes = { created = { exactly = 1, at_most = 2 } }"),
    ("no process condition", "processes = {}"),
    ("children that are not needed", "processes = { needed = false }"),
    ("no child needed", "processes = { needed = 0 }"),
    ("needed by a word", "processes = { needed = \"all\" }"),
    ("unknown signal", "exit = { signal = \"SIGFOO\" }"),
    ("code and signal", "exit = { code = 0, signal = \"SIGTERM\" }"),
    ("line that cannot be read", "exit = { ended_before = \"Done {\" }"),
    ("code out of range", "exit = { code = 256 }"),
    ("false", "varies = false"),
    ("distinct without its name", "output = \"{int}\"\ndistinct = { values = 3 }"),
    ("distinct alone", "torn = 0\ndistinct = { values = 3 }"),
    ("missing snapshot", "snapshot = \"nowhere.txt\""),
    ("snapshot elsewhere", "snapshot = \"../x.txt\""),
    ("empty validator", "validator = []"),
    ("no ideas", "written = { ideas = [] }"),
    ("idea without a phrase", "written = { ideas = [{ idea = \"a\", any = [] }] }"),
    ("way without a phrase", "written = { ideas = [{ idea = \"a\", any = [[]] }] }"),
    ("phrase without a word", "written = { ideas = [{ idea = \"a\", any = [\"ok\", [\"fine\", \"--\"]] }] }"),
    ("phrase of another type", "written = { ideas = [{ idea = \"a\", any = [1] }] }"),
    ("star alone", "written = { ideas = [{ idea = \"a\", any = [\"own * memory\"] }] }"),
    ("star inside a word", "written = { ideas = [{ idea = \"a\", any = [\"is*lated\"] }] }"),
    ("one idea twice", "written.ideas = [{ idea = \"a\", any = [\"b\"] }, { idea = \"a\", any = [\"c\"] }]"),
    ("more than all ideas", "written = { at_least = 2, ideas = [{ idea = \"a\", any = [\"b\"] }] }"),
];

const CHECK: &str = "[[check]]\nname = \"n\"\npoints = 1\ntorn = 0\n";

/// Whole files, each with one mistake or a few.
fn wrong_files() -> Vec<(&'static str, String)> {
    vec![
        ("no TOML", "title = \n".to_owned()),
        ("no title", "topic = \"a\"\n".to_owned()),
        ("empty title", format!("title = \" \"\ntopic = \"a\"\n{CHECK}")),
        ("no check", HEAD.to_owned()),
        ("points of zero", format!("{HEAD}[[check]]\nname = \"n\"\npoints = 0\ntorn = 0\n")),
        ("points in quotes", format!("{HEAD}[[check]]\nname = \"n\"\npoints = \"4\"\ntorn = 0\n")),
        ("half points", format!("{HEAD}[[check]]\nname = \"n\"\npoints = 0.5\ntorn = 0\n")),
        ("hints as text", format!("hints = \"one\"\n{HEAD}{CHECK}")),
        ("two of one name", format!("{HEAD}{CHECK}{CHECK}")),
        ("unknown limit", format!("{HEAD}[limits]\ntime = \"3s\"\n{CHECK}")),
        (
            "limits without units",
            format!("{HEAD}[limits]\nwall = \"10\"\nmemory = \"1\"\nprocesses = 0\n{CHECK}"),
        ),
    ]
}

fn mistakes(text: &str) -> Diagnostics {
    parse("q", Path::new("exercises/q/question.toml"), text).expect_err(text)
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_is_allowed() {
    let mut all = String::new();
    for (name, condition) in WRONG_CONDITIONS {
        let file = format!("{HEAD}\n[[check]]\nname = \"n\"\npoints = 1\n{condition}\n");
        writeln!(all, "== {name}\n{}", mistakes(&file)).unwrap();
    }
    for (name, file) in wrong_files() {
        writeln!(all, "== {name}\n{}", mistakes(&file)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_of_any_text_gives_a_question_or_a_mistake_with_a_place() {
    use proptest::prelude::*;
    let words = prop::sample::select(vec![
        "title",
        "=",
        "\"a {int}\"",
        "\n",
        "[[check]]",
        "output",
        "{",
        "}",
        "[",
        "]",
        "points",
        "1",
        "sequence",
        ",",
        "any_order",
        ".",
        "\"{\"",
        "é",
        "true",
        "by",
        "topic",
        "name",
    ]);
    proptest!(|(text in prop::collection::vec(words, 0..40).prop_map(|words| words.join(" ")))| {
        if let Err(mistakes) = parse("q", Path::new("q.toml"), &text) {
            prop_assert!(!mistakes.0.is_empty());
            prop_assert!(mistakes.0.iter().all(|mistake| mistake.line >= 1 && mistake.column >= 1));
        }
    });
}
