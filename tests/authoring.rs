//! What instructors do: their commands and what those print, held against committed texts.
//!
//! After a change that is meant, record the texts anew with `INSTA_UPDATE=always cargo test -p tests --test authoring`,
//! and read the difference.

use std::fs;
use std::path::Path;

use grader::author::Template;
use grader::model::{About, Holding, Limit, Margin, Soundness, Statement};
use grader::report::soundness;
use serde_json::Value;
use tests::folder::{Copy, Course};
use tests::program::{executable, grader};
use tests::terminal::Terminal;

/// The copy of the workspace, in a folder that cargo keeps for tests.
fn copy() -> Copy {
    Copy::of_the_workspace(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy"))
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).expect("what the grader prints is UTF-8")
}

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
        Statement::remark(About::Untested, "one check is untested: no wrong program names it", untested),
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

#[test]
fn a_new_question_is_sound_from_the_first_second_whatever_its_template() {
    let copy = copy();
    let id = |template: Template| format!("new-{template}");
    for template in Template::ALL {
        copy.grader().args(["new", &id(template), "--template", template.name]).assert().success();
    }
    let ids = Template::ALL.map(id);
    let proof =
        copy.grader().args(["check", "--format", "json", "--seeds", "2"]).args(&ids).output().unwrap();
    let report: Value = serde_json::from_slice(&proof.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&proof.stderr)));
    let questions = report["questions"].as_array().unwrap();
    assert_eq!(questions.len(), ids.len());
    for question in questions {
        assert_eq!(question["verdict"], "sound", "{question:#}");
        let about = |one: &Value| one["about"].as_str().unwrap().to_owned();
        let abouts: Vec<String> = question["statements"].as_array().unwrap().iter().map(about).collect();
        assert_eq!(
            abouts,
            ["texts", "solution", "load", "starter", "wrong", "right", "limits"],
            "{question:#}"
        );
    }
    assert_eq!(proof.status.code(), Some(0));

    break_everything(&copy);
    let proof = copy.grader().args(["check", "new-one-process", "--seeds", "2"]).assert().code(1);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(?s)uses .* output", "uses […]");
    settings.bind(|| assert_committed("check_finds_everything", &text(&proof.get_output().stdout)));
}

/// Makes wrong all that can be wrong with the question `new-one-process`.
fn break_everything(copy: &Copy) {
    let exercise = |file: &str| format!("exercises/new-one-process/{file}");
    let fixture = |file: &str| format!("tests/submissions/new-one-process/{file}");
    copy.edit("solutions/new-one-process/src/main.rs", |text| text.replace("Hello", "Hallo"));
    copy.edit(&exercise("question.md"), |text| text + "\nSee [more](more.md).\n");
    copy.edit(&exercise("question.toml"), |text| {
        let check = "[[check]]\nname = \"no line is torn\"\npoints = 1\ntorn = 0\n";
        let few =
            text.replace("points = 2\n", "points = 4\n").replace("hints = [", "hints = []\nignored = [");
        let (head, rest) = few.split_once("ignored = [").expect("it was put there");
        let (_, checks) = rest.split_once("]\n").expect("a list has an end");
        format!("{head}{checks}\n{check}\n[limits]\nprocesses = 3\n")
    });
    // A starter that has nothing left to do, a right program that is wrong, a wrong one that is right.
    let right = tests::root().join("grader/src/author/templates/one-process/passed/worker.rs");
    let right = fs::read_to_string(right).expect("the template has this file");
    copy.write(&exercise("starter/src/main.rs"), &right);
    copy.write(&fixture("failed/threads.rs"), &right);
    copy.edit(&fixture("passed/worker.rs"), |text| text.replace("Hello", "Hullo"));
    let why = "why = \"Main prints the line.\"\ncaught_by = [\"prints the line and nothing else\"]\n";
    copy.write(&fixture("failed/misdeclared.rs"), "fn main() { println!(\"Hello from a child\") }\n");
    copy.write(&fixture("failed/misdeclared.toml"), why);
    // One that prints what was asked for before the question was changed.
    copy.edit(&fixture("failed/hard-coded.rs"), |text| text.replace("Hello", "Hi"));
    copy.write(&fixture("failed/unknown.txt"), "");
}

#[test]
fn a_new_question_tells_what_was_made_and_what_to_do_next() {
    let course = Course::asking("output = \"hello\"", "");
    let made = grader(course.path()).args(["new", "q7-greeting"]).assert().success();
    assert_committed("new", &text(&made.get_output().stdout));
    let listed = grader(course.path()).arg("list").assert().success();
    assert!(text(&listed.get_output().stdout).contains("q7-greeting"));
}

#[test]
fn a_question_that_cannot_be_made_is_told_why_and_leaves_nothing() {
    let course = Course::asking("output = \"hello\"", "");
    course.write("Cargo.lock", "[[package]]\nname = \"serde\"\n");
    let mut told = String::new();
    for arguments in [
        &["new", "Q7"][..],
        &["new", "hello", "--template", "pool"],
        &["new", "exercise-hello"],
        &["new", "match"],
        &["new", "serde"],
        &["new", "q7", "--template", "pools"],
        &["new"],
    ] {
        let refused = grader(course.path()).args(arguments).assert().code(2);
        told += &format!("$ grader {}\n{}", arguments.join(" "), text(&refused.get_output().stderr));
    }
    assert_committed("new_refused", &told);
    let exercises = fs::read_dir(course.path().join("exercises")).unwrap().count();
    assert_eq!((exercises, course.path().join("solutions").exists()), (1, false));
}

/// All files below a folder, from it on, each with its text.
fn texts_below(folder: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = texts_below(&path)?;
            texts.extend(below.into_iter().map(|(path, text)| (format!("{name}/{path}"), text)));
        } else {
            texts.push((name, String::from_utf8_lossy(&fs::read(path)?).into_owned()));
        }
    }
    Ok(texts)
}

#[test]
fn a_released_copy_gives_nothing_away_and_grades_on_its_own() {
    let copy = copy();
    if !copy.path().join("solutions").is_dir() {
        eprintln!("not run: there is no folder `solutions`");
        return;
    }
    let hidden = "[[check]]\nname = \"the trapdoor\"\npoints = 2\nhidden = true\nsnapshot = \"trapdoor.txt\"\n\n[[check]]";
    copy.edit("exercises/q3/question.toml", |text| text.replacen("[[check]]", hidden, 1));
    copy.write("exercises/q3/trapdoor.txt", "Person 1 started\n");
    copy.edit("exercises/q6/src/main.rs", |text| text + "\n// The trapdoor of a neighbour.\n");
    copy.write("class/grades.csv", "the trapdoor\n");
    copy.write("tests/submissions/q3/failed/trapdoor.rs", "// the trapdoor\n");

    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("for/the class");
    let mut command = copy.grader();
    let released = command.arg("release").arg(&out).assert().success();
    let shown = text(&released.get_output().stdout).replace(out.to_str().unwrap(), "OUT");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+ questions in \d+ files", "[…]");
    settings.bind(|| assert_committed("release", &shown));
    assert_eq!(fs::read_dir(place.path().join("for")).unwrap().count(), 1, "something was left beside it");

    let texts = texts_below(&out).unwrap();
    for (path, text) in &texts {
        // The grader's own tests and documents speak of many things, but not of this check.
        let is_ours = path.starts_with("grader/")
            || path == "tests/authoring.rs"
            || path.starts_with("tests/snapshots/release");
        assert!(is_ours || !text.contains("trapdoor"), "{path}:\n{text}");
        assert!(!path.starts_with("solutions") && !path.starts_with("tests/submissions"), "{path}");
    }
    let text_of = |path: &str| &texts.iter().find(|(found, _)| found == path).expect(path).1;
    assert_eq!(text_of("exercises/q6/src/main.rs"), text_of("exercises/q6/starter/src/main.rs"));

    let readme = text_of("README.md");
    assert_committed("release_readme", readme);
    assert!(!readme.contains("solutions"), "a learner is told of what is not there");
    let told = predicates::str::contains("there is no `solutions/q3`, and a learner's copy comes without");
    copy.grader_in(&out).args(["grade", "q3", "--solutions"]).assert().code(2).stdout("").stderr(told);
    let more = predicates::str::contains("2 more points are given by checks that your instructor keeps");
    copy.grader_in(&out).args(["grade", "q3"]).assert().code(1).stdout(more);
    fs::copy(copy.path().join("solutions/q3/src/main.rs"), out.join("exercises/q3/src/main.rs")).unwrap();
    copy.grader_in(&out).args(["grade", "q3"]).assert().success();

    // A second copy, or one within the course, harms nothing.
    let mut told = String::new();
    for place in [out.clone(), copy.path().join("docs/class"), copy.path().join("Cargo.toml")] {
        let mut command = copy.grader();
        let refused = command.arg("release").arg(&place).assert().code(2);
        told += &text(&refused.get_output().stderr);
    }
    let told = told.replace(out.to_str().unwrap(), "OUT").replace(copy.path().to_str().unwrap(), "COURSE");
    assert_committed("release_refused", &told);
    assert!(fs::read_to_string(out.join("exercises/q3/src/main.rs")).unwrap().contains("spawn(start, 1)"));
}

#[test]
fn a_question_that_would_be_empty_is_not_released() {
    let course = Course::asking("output = \"hello\"\nhidden = true", "");
    fs::create_dir_all(course.path().join("tests")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let release = || {
        let mut command = grader(course.path());
        let refused = command.arg("release").arg(place.path().join("out")).assert().code(2);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "something is left");
        text(&refused.get_output().stderr)
    };
    let mut told = release();
    course.write(
        "exercises/hello/question.toml",
        &course.read("exercises/hello/question.toml").replace("hidden = true", ""),
    );
    told += &release();
    fs::create_dir_all(course.path().join("exercises/hello/starter")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", course.path().join("exercises/hello/notes.md")).unwrap();
    told += &release();
    course.write("exercises/hello/Cargo.toml", "[package]\nname = \"exercise-hallo\"\n");
    told += &release();
    let refused = grader(course.path()).arg("check").assert().code(3);
    told += &text(&refused.get_output().stderr);
    assert_committed("release_impossible", &told);
}

/// A question whose answer is recorded in `expected.txt`, and a solution with this body.
fn recorded(body: &str) -> Course {
    let course = Course::asking("snapshot = \"expected.txt\"", "wall = \"300s\"");
    course.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"solutions/*\"]\n");
    course.write("solutions/hello/Cargo.toml", "[package]\nname = \"hello\"\nedition = \"2024\"\n");
    write_solution(&course, body);
    course
}

fn write_solution(course: &Course, body: &str) {
    course.write("solutions/hello/src/main.rs", &format!("fn main() {{\n    {body}\n}}\n"));
}

#[test]
fn a_snapshot_is_recorded_from_what_the_solution_prints() {
    let course = recorded("println!(\"one\\ntwo\");");
    let solution = |body: &str| write_solution(&course, body);
    let mut told = String::new();
    let mut run = |words: &[&str], code: i32| {
        let mut command = grader(course.path());
        command.env_remove("CARGO_TARGET_DIR").args(words);
        let assert = command.assert().code(code);
        let output = assert.get_output();
        let errors = text(&output.stderr);
        // What a compiler says is its own affair.
        let errors = errors.split("error[").next().unwrap_or_default();
        told += &format!("$ grader {}\n{}{errors}\n", words.join(" "), text(&output.stdout));
    };
    let expected = || fs::read_to_string(course.path().join("exercises/hello/expected.txt")).ok();

    run(&["grade", "hello", "--command", "true"], 3);
    run(&["record", "hello"], 2);
    assert_eq!(expected(), None);
    run(&["record", "hello", "--yes"], 0);
    assert_eq!(expected().as_deref(), Some("one\ntwo\n"));
    run(&["record", "hello"], 0);
    solution("println!(\"one\\nthree\");");
    run(&["record", "hello", "--yes"], 0);
    assert_eq!(expected().as_deref(), Some("one\nthree\n"));

    solution("println!(\"{}\", std::process::id());");
    run(&["record", "hello", "--yes"], 2);
    solution("std::process::exit(3);");
    run(&["record", "hello", "--yes"], 2);
    solution("no_such_function();");
    run(&["record", "hello", "--yes"], 2);
    assert_eq!(expected().as_deref(), Some("one\nthree\n"));
    course.write(
        "exercises/hello/question.toml",
        &course.read("exercises/hello/question.toml").replace("snapshot =", "output ="),
    );
    run(&["record", "hello"], 2);
    let root = course.path().to_str().expect("folders of tests have names in UTF-8");
    assert_committed("record", &told.replace(root, "COURSE"));
}

#[test]
fn on_a_terminal_record_asks_and_check_says_how_far_it_is() {
    let course = recorded("println!(\"one\");");
    let start = |words: &[&str]| {
        let command = pty_process::blocking::Command::new(executable()).args(words);
        Terminal::start(
            command.current_dir(course.path()).env("TERM", "xterm").env_remove("CARGO_TARGET_DIR"),
            100,
            30,
        )
    };
    let snapshot = course.path().join("exercises/hello/expected.txt");
    for (answer, told, is_written) in [
        ("\n", "Nothing was changed.", false),
        ("no\n", "Nothing was changed.", false),
        ("y\n", "Written.", true),
    ] {
        let mut terminal = start(&["record", "hello"]);
        terminal.wait_for("Write it? [y/N]");
        assert!(terminal.shown().contains("+ one"), "{}", terminal.shown());
        terminal.press(answer);
        assert!(terminal.wait_for_end().success());
        assert!(terminal.shown().contains(told), "{}", terminal.shown());
        assert_eq!(snapshot.exists(), is_written);
    }
    let mut terminal = start(&["check", "hello", "--seeds", "1"]);
    terminal.wait_for_any_end();
    let written = text(&terminal.written);
    assert!(
        written.contains("\r\u{1b}[Kbuilding ") && written.contains("\r\u{1b}[Kgraded 1 of "),
        "{written}"
    );
    // Nothing of it is left.
    assert!(!terminal.shown().contains('…'), "{}", terminal.shown());
}

#[test]
fn errors_are_broken_at_words_in_a_narrow_terminal() {
    let course = recorded("println!(\"one\");");
    let command = pty_process::blocking::Command::new(executable()).args(["grade", "hullo"]);
    let mut terminal = Terminal::start(command.current_dir(course.path()).env("TERM", "xterm"), 30, 10);
    terminal.wait_for_any_end();
    let told =
        "grader: failed to find a\nquestion `hullo` (did you mean\n`hello`?); the questions are\n`hello`";
    assert_eq!(terminal.shown().trim_end(), told);
}

#[test]
fn check_tells_of_a_folder_that_has_lost_its_question() {
    let course = recorded("println!(\"one\");");
    course.write("exercises/half/src/main.rs", "fn main() {}\n");
    let mut command = grader(course.path());
    let checked = command.env_remove("CARGO_TARGET_DIR").args(["check", "--seeds", "1"]).output().unwrap();
    let told = text(&checked.stderr);
    assert!(told.contains("half/question.toml`; without it the folder holds no question"), "{told}");
}
