//! Written answers: what is found in them, what a learner is told, and an instructor's review.

use std::fmt::Write;
use std::path::Path;

use grader::judge::{Evidence, judge};
use grader::model::{Answer, Grade, Question, Review};
use grader::question::{parse, parse_review};

const QUESTION: &str = r#"
title = "t"
topic = "concepts"

[[check]]
name = "says what it is"
points = 2
written.ideas = [
  { idea = "memory of its own", any = ["own memory", "address space*", ["memory", "not share*"]] },
  { idea = "the interpreter's lock", any = ["GIL", "global interpreter lock"] },
]

[[check]]
name = "gives two reasons"
points = 3
written.at_least = 2
written.ideas = [
  { idea = "speed", any = ["faster"] },
  { idea = "isolation", any = ["isolat*"] },
  { idea = "limits", any = ["limit*"] },
]
"#;

fn question() -> Question {
    parse("q1", Path::new("exercises/q1/question.toml"), QUESTION)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn text(text: &str) -> Answer {
    Answer::Text { file: "exercises/q1/answer.md".to_owned(), text: text.to_owned() }
}

fn grade(answer: Answer, review: Review) -> Grade {
    judge(&question(), "exercises/q1", &Evidence { answer, review, ..Evidence::default() })
}

/// The verdicts of both checks.
fn verdicts(answer: &str) -> [String; 2] {
    let grade = grade(text(answer), Review::default());
    [0, 1].map(|index| grade.checks[index].verdict.to_string())
}

/// Whether the first idea of the first check is found; the second one is there.
fn has_first_idea(answer: &str) -> bool {
    verdicts(&format!("{answer}\n\nThe GIL.")).first().is_some_and(|verdict| verdict == "passed")
}

#[test]
fn an_idea_is_found_by_whole_words_however_they_are_set() {
    for found in [
        "Each has its own memory.",
        "OWN MEMORY",
        "its *own* `memory`",
        "own-memory",
        "own\nmemory",
        "An address space, and",
        "Address spaces differ.",
        "- memory is\n- not shared",
        "| memory | not shared |",
    ] {
        assert!(has_first_idea(found), "{found}");
    }
    for not_found in [
        "known memory",
        "own memories",
        "memory of its own",
        "own, and then memory",
        "a memory\n\nnot shared",
        "a memory\n# heading\nnot shared",
        "# own memory",
        "<!-- own memory -->",
        "<!-- own memory",
        "",
    ] {
        assert!(!has_first_idea(not_found), "{not_found}");
    }
}

#[test]
fn so_many_ideas_as_are_asked_for_are_enough() {
    assert_eq!(verdicts("faster")[1], "failed");
    assert_eq!(verdicts("faster, isolated")[1], "passed");
    assert_eq!(verdicts("faster, isolated, limited")[1], "passed");
}

/// Each check in a line, and what is said of it below.
fn told(grade: &Grade) -> String {
    let checks = grade.checks.iter().map(|check| {
        let provisional = if check.provisional { ", provisional" } else { "" };
        let explanation = check.explanation.as_ref().map_or(String::new(), |text| format!("  {text}\n"));
        format!("{}: {}, {}{provisional}\n{explanation}", check.name, check.verdict, check.points)
    });
    checks.collect()
}

#[test]
fn a_learner_is_told_which_idea_was_not_found_and_who_has_the_last_word() {
    let mut all = String::new();
    for (name, answer) in [
        ("everything", text("Own memory, a GIL: faster and isolated.")),
        ("one idea and one reason", text("A GIL is faster.")),
        ("no idea and no reason", text("I do not know.")),
        ("nothing", text("# Title\n\n<!-- Not written yet. -->\n")),
        ("no file", Answer::Unreadable("`exercises/q1/answer.md` is a link.".to_owned())),
        ("no answer", Answer::default()),
    ] {
        writeln!(all, "== {name}\n{}", told(&grade(answer, Review::default()))).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_instructor_has_the_last_word() {
    let review = r#"
        [[check]]
        name = "says what it is"
        points = 2
        comment = "It is there, in your own words."

        [[check]]
        name = "gives two reasons"
        points = 1
    "#;
    let review = parse_review(&question(), Path::new("review.toml"), review).unwrap();
    insta::assert_snapshot!(told(&grade(text("Faster, isolated."), review)), @r"
    says what it is: passed, 2 of 2
      Your instructor says: It is there, in your own words.
    gives two reasons: failed, 1 of 3
      Your instructor has read the answer and given these points.
    ");
}

#[test]
fn a_mistake_in_a_review_is_told_with_its_place() {
    let mut all = String::new();
    for review in [
        "",
        "[[check]]\nname = \"says what it was\"\npoints = 1\n",
        "[[check]]\nname = \"says what it is\"\npoints = 3\n",
        "[[check]]\nname = \"says what it is\"\npoints = -1\ncommment = \"\"\n",
        "[[check]]\nname = \"says what it is\"\npoints = 1\n[[check]]\nname = \"says what it is\"\npoints = 2\n",
    ] {
        let mistakes = parse_review(&question(), Path::new("review.toml"), review).unwrap_err();
        writeln!(all, "{mistakes}").unwrap();
    }
    insta::assert_snapshot!(all);
}
