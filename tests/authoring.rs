//! What instructors do: their commands and what those print, held against committed texts.
//!
//! After a change that is meant, record the texts anew with `INSTA_UPDATE=always cargo test -p tests --test authoring`,
//! and read the difference.

use grader::model::{About, Holding, Limit, Margin, Soundness, Statement};
use grader::report::soundness;

fn assert_committed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A question with nothing to complain of, one with remarks, one that is not sound and one that cannot be read.
fn proved() -> Vec<Soundness> {
    let holds = |about, text: &str| Statement::new(about, text, Vec::new());
    let soundness = |question: &str, title: &str, statements| Soundness {
        question: question.to_owned(),
        title: title.to_owned(),
        statements,
        margins: Vec::new(),
    };
    let margins = vec![
        Margin { limit: None, used: 31_000_000, allowed: 10_000_000_000 },
        Margin { limit: Some(Limit::Processes), used: 5, allowed: 64 },
    ];
    let solution = || holds(About::Solution, "the solution earns 10 of 10 points in 17 runs");
    let sound = soundness(
        "q3",
        "A process of its own",
        vec![holds(About::Texts, "a text, 3 hints, 3 checks, 10 points"), solution()],
    );
    let untested = vec!["`main waits for all workers, exits with 0 and leaves nothing behind`".to_owned()];
    let remarks = vec![
        solution(),
        Statement::remark(About::Untested, "one check is untested: no wrong program fails it", untested),
    ];
    let laid_out =
        "`prints 1 to 4` failed (run children-last): Line 2 is wrong.\n1 | 1\n2 | 3   <- expected `2`";
    let broken = vec![
        Statement::new(About::Solution, "the solution earns 8 of 10 points in 17 runs", vec![laid_out.to_owned()]),
        Statement::new(
            About::Wrong,
            "1 of 3 wrong programs are not refused as declared",
            vec!["tests/submissions/q6/failed/a.rs has to be graded `failed` by `prints 1 to 4`, but it earns full points".to_owned()],
        ),
    ];
    let file = "exercises/q9/question.toml:5:10: `points` is a whole number of at least 1\n  5 | points = 0\n    |          ^";
    vec![
        Soundness { margins, ..sound },
        soundness("q5", "Squares from a pool of workers", remarks),
        soundness("q6", "Four processes", broken),
        soundness(
            "q9",
            "",
            vec![Statement::new(About::File, "its question.toml is not sound", vec![file.to_owned()])],
        ),
    ]
}

#[test]
fn a_proof_reads_well_in_a_wide_and_in_a_narrow_terminal() {
    for width in [40, 100] {
        let mut out = Vec::new();
        for one in proved() {
            soundness::write_text(&one, width, &mut out).unwrap();
        }
        soundness::write_sum(&proved(), &mut out).unwrap();
        let shown = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert_committed(&format!("soundness_{width}"), &shown);
    }
}

#[test]
fn a_proof_for_scripts_keeps_its_form() {
    let mut out = Vec::new();
    soundness::write_json(&proved(), &mut out).unwrap();
    assert_committed("soundness_json", &String::from_utf8(out).unwrap());
}

#[test]
fn a_question_is_as_sound_as_its_worst_statement() {
    let holdings: Vec<Holding> = proved().iter().map(Soundness::holding).collect();
    assert_eq!(holdings, [Holding::Holds, Holding::Remark, Holding::Broken, Holding::Broken]);
    let unreadable: Vec<bool> = proved().iter().map(Soundness::is_unreadable).collect();
    assert_eq!(unreadable, [false, false, false, true]);
}
