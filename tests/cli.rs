//! The grader's command line, as people and scripts meet it: bad input, hostile programs, exit codes.
//!
//! Every test has a workspace of its own with the one question `hello`, and grades commands as its answer.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tests::folder::Course;
use tests::program::{self, cargo, grader};

const SAYS_HELLO: &str = "output = \"hello\"";

/// Long enough for any program here that ends by itself, on a machine that is busy.
const PATIENCE: &str = "wall = \"300s\"";

/// Far less than any program here would go on for by itself, and far more than a busy machine needs to end it.
const SOON: Duration = Duration::from_secs(600);

fn grade(course: &Course, command: &str) -> Assert {
    grader(course.path()).args(["grade", "hello", "--command", command]).assert()
}

fn quoted(script: &str) -> String {
    assert!(!script.contains('\''), "{script}");
    format!("sh -c '{script}'")
}

/// What a shell script earns as the answer to a question whose output is to be `hello`.
fn grade_script(script: &str, limits: &str) -> Assert {
    grade(&Course::asking(SAYS_HELLO, limits), &quoted(script))
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone())
        .expect("a report is UTF-8, whatever the submission printed")
}

#[test]
fn a_program_that_does_as_asked_earns_full_points_and_exit_code_0() {
    grade_script("echo hello", PATIENCE).code(0).stdout(contains("passed, 10 of 10 points")).stderr("");
}

#[test]
fn what_was_printed_in_place_of_what_was_asked_is_shown_with_exit_code_1() {
    grade_script("echo hallo", PATIENCE)
        .code(1)
        .stdout(contains("hallo").and(contains("hello")).and(contains("failed, 0 of 10 points")));
}

#[test]
fn an_unknown_question_is_told_with_those_that_are_known() {
    let course = Course::asking(SAYS_HELLO, "");
    let known =
        contains("failed to find a question `helo` (did you mean `hello`?); the questions are `hello`");
    grader(course.path()).args(["grade", "helo"]).assert().code(2).stderr(known).stdout("");
}

#[test]
fn a_folder_that_is_no_workspace_is_told() {
    let folder = tempfile::tempdir().unwrap();
    grader(folder.path()).arg("list").assert().code(2).stderr(contains("failed to find the workspace"));
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let course = Course::asking(SAYS_HELLO, "");
    for (arguments, told) in [
        (&["grade", "--command", "true"][..], "name exactly one ID"),
        (&["grade", "hello", "--command", ""], "`--command` is empty"),
        (
            &["grade", "--answer", "answer.md"],
            "`--answer` is about the answer to one question: name exactly one ID",
        ),
        (
            &["grade", "hello", "--answer", "answer.md"],
            "`hello` asks for neither a written answer nor a prediction",
        ),
        (&["grade", "--review", "review.toml"], "`--review` is about the answer to one question"),
        (&["grade", "hello", "--command", "echo 'hello"], "failed to split the command"),
        (&["grade", "hello", "--solutions", "--command", "true"], "cannot be used with"),
        (&["grade", "--schedules", "fast"], "failed to read the schedules `fast`: allowed are `quick`"),
        (&["grade", "--format", "xml"], "[possible values: text, json]"),
        (&["grad"], "a similar subcommand exists: 'grade'"),
    ] {
        grader(course.path()).args(arguments).assert().code(2).stderr(contains(told)).stdout("");
    }
}

#[test]
fn a_mistake_in_a_question_is_told_with_its_place_and_what_is_allowed() {
    let head = "title = \"T\"\ntopic = \"t\"\n[[check]]\nname = \"n\"\n";
    for (rest, place, told) in [
        ("points = \"ten\"\noutput = \"a\"\n", "5:10", "points"),
        ("points = 10\noutpt = \"a\"\n", "6:1", "outpt"),
        ("points = 10\noutput = \"a {integer}\"\n", "6:13", "integer"),
        ("points = 0\noutput = \"a\"\n", "5:10", "points"),
        ("points = 10\noutput.sequence = []\n", "6:19", "empty"),
        ("points = 10\n", "3:1", "output"),
    ] {
        let course = Course::with(&format!("{head}{rest}"));
        let place = format!("exercises/hello/question.toml:{place}: ");
        let told = contains(place).and(contains(told)).and(contains("^"));
        grade(&course, "echo a").code(3).stderr(told).stdout("");
        grader(course.path()).arg("list").assert().code(3);
    }
}

#[test]
fn a_program_that_is_not_there_did_not_build() {
    let course = Course::asking(SAYS_HELLO, "");
    grade(&course, "pythn3 x.py").code(1).stdout(
        contains("There is no program `pythn3` in PATH.").and(contains("did not build, 0 of 10 points")),
    );
    grade(&course, "./x").code(1).stdout(contains("There is no file `./x`."));
    fs::write(course.path().join("x"), "hello").unwrap();
    grade(&course, "./x").code(1).stdout(contains("`chmod +x ./x` allows it"));
}

#[test]
fn bytes_that_are_no_text_are_shown_and_match_nothing() {
    grade_script(r#"printf "hel\377lo\n""#, PATIENCE)
        .code(1)
        .stdout(contains("hel\u{fffd}lo").and(contains("UTF-8")));
    grade_script(r#"printf "hello\0\n""#, PATIENCE)
        .code(1)
        .stdout(contains("hello\\0").or(contains("hello\\u{0}")));
}

#[test]
fn control_sequences_reach_no_terminal() {
    let assert = grade_script(r#"printf "\033[2J\033]0;title\007hell\ro\n\302\233m\n""#, PATIENCE).code(1);
    let report = stdout(&assert);
    assert!(report.contains("\\u{1b}[2J"), "{report}");
    let control = report.chars().find(|one| one.is_control() && *one != '\n');
    assert_eq!(control, None, "{report:?}");
}

#[test]
fn a_program_that_prints_nothing_is_told_so() {
    grade_script("true", PATIENCE).code(1).stdout(contains("Nothing was printed; 1 line is expected."));
}

#[test]
fn a_flood_of_100_megabytes_ends_at_the_limit() {
    grade_script("head -c 100000000 /dev/zero", PATIENCE).code(1).stdout(
        contains("limit exceeded, 0 of 10 points").and(predicate::function(|text: &str| text.len() < 4000)),
    );
}

#[test]
fn one_line_of_50_megabytes_is_shown_in_part() {
    let limits = format!("{PATIENCE}\noutput = \"64 MiB\"");
    let course = Course::asking(SAYS_HELLO, &limits);
    let script = quoted("head -c 50000000 /dev/zero | tr \"\\0\" x");
    // Two runs are enough: a schedule decides who prints, not how much.
    let arguments = ["grade", "hello", "--schedules", "free", "--command", &script];
    let shown = contains("xxx").and(predicate::function(|text: &str| text.len() < 4000));
    grader(course.path()).args(arguments).assert().code(1).stdout(shown);
}

#[test]
fn a_program_that_never_ends_is_ended() {
    assert_timed_out("while :; do :; done");
}

#[test]
fn a_program_that_sleeps_is_ended() {
    assert_timed_out("sleep 1000");
}

#[test]
fn a_program_that_ignores_sigterm_is_ended() {
    assert_timed_out("trap \"\" TERM INT HUP; while :; do :; done");
}

fn assert_timed_out(script: &str) {
    let start = Instant::now();
    let course = Course::asking(SAYS_HELLO, "wall = \"2s\"");
    let script = format!("echo $$ > pid; {script}");
    grade(&course, &quoted(&script))
        .code(1)
        .stdout(contains("timed out, 0 of 10 points").and(contains("after 2 s")));
    assert_ended(&course);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn a_daemon_that_holds_the_output_is_not_waited_for_and_does_not_live_on() {
    // The daemon is a session of its own, and its parent is gone; main goes on only when the daemon has said so.
    let daemon = r#"(setsid sh -c "echo \$\$ > pid; echo > gate; exec sleep 1000" &)"#;
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    let start = Instant::now();
    let script = format!("rm -f gate; mkfifo gate; {daemon}; read line < gate; echo hello");
    grade(&course, &quoted(&script)).code(0).stdout(contains("passed"));
    assert_ended(&course);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// The process that wrote its number into the file `pid` is no more.
fn assert_ended(course: &Course) {
    let pid = fs::read_to_string(course.path().join("pid")).expect("the program wrote its number");
    let command = fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&command), "", "process {pid} lives on");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    for format in ["text", "json"] {
        let mut command = program::command(program::executable(), course.path());
        command.args(["grade", "hello", "--format", format, "--command", "echo hello"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // From here on nobody reads the report.
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(told, "");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    let in_colour = |variables: &[(&str, &str)]| {
        let mut command = grader(course.path());
        command.args(["grade", "hello", "--command", "echo hello"]).envs(variables.iter().copied());
        stdout(&command.assert().code(0)).contains('\u{1b}')
    };
    assert!(!in_colour(&[]));
    assert!(in_colour(&[("CLICOLOR_FORCE", "1")]));
    assert!(!in_colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn the_json_report_has_the_keys_that_scripts_rely_on() {
    let check = "output = \"hello\"\n\n[[check]]\nname = \"has a child\"\npoints = 2\nprocesses.created = 1";
    let course = Course::asking(check, PATIENCE);
    let mut command = grader(course.path());
    let assert = command
        .args(["grade", "hello", "--schedules", "free", "--format", "json", "--command", "echo hallo"])
        .assert()
        .code(1);
    let report: Value = serde_json::from_str(&stdout(&assert)).unwrap();
    assert_eq!(report["format"], 1);
    let grade = &report["grades"][0];
    assert_eq!(grade["question"], "hello");
    assert_eq!(grade["submission"], "echo hallo");
    assert_eq!(grade["verdict"], "failed");
    assert_eq!(grade["points"], serde_json::json!({"earned": 0, "possible": 12}));
    let check = &grade["checks"][0];
    assert_eq!(check["name"], "says hello");
    assert_eq!(check["kind"], "output");
    assert_eq!(check["verdict"], "failed");
    assert_eq!(check["points"], serde_json::json!({"earned": 0, "possible": 10}));
    assert!(check["explanation"].as_str().unwrap().contains("hallo"));
    assert_eq!(check["run"], serde_json::json!({"schedule": "free", "seed": 0}));
    assert_eq!(grade["checks"][1]["kind"], "processes");
    let run = &grade["runs"][0];
    assert_eq!((&run["schedule"], &run["seed"]), (&"free".into(), &0.into()));
    assert_eq!(run["verdict"], "failed");
    assert!(run["wall_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(run["lines"], 1);
    assert!(run["processes"].as_u64().unwrap() >= 1);
}

#[test]
fn children_are_not_needed_for_what_is_not_printed() {
    let needed = "[[check]]\nname = \"needs its children\"\npoints = 2\nprocesses = { needed = true }\n";
    let course = Course::asking(&format!("{SAYS_HELLO}\n\n{needed}"), PATIENCE);
    grader(course.path()).args(["grade", "hello", "--command", "true"]).assert().code(1).stdout(
        contains("does not print what is asked for with its children either").and(contains("0 of 12")),
    );
}

/// Says hello, and shares memory with a child meanwhile.
const SHARES_MEMORY: &str = "import ctypes, mmap, os
memory = mmap.mmap(-1, 4096)
if os.fork() == 0:
    memory[0] = 1
    os._exit(0)
os.wait()
";

#[test]
fn that_races_may_have_gone_unseen_is_told() {
    // A learner's machine may have none.
    let Some(python) = grader::author::python() else { return };
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    let script = course.path().join("hello.py");
    let grade = |last: &str| {
        std::fs::write(&script, format!("{SHARES_MEMORY}{last}\nprint('hello')\n")).unwrap();
        let command = format!("{python} -S {}", script.display());
        grader(course.path()).args(["grade", "hello", "--command", &command]).assert().code(0)
    };
    grade("").stdout(contains("Races in shared memory").not());
    // That the kernel cannot write there may be since it was kept out, for all that is known.
    grade("ctypes.CDLL(None).pipe(ctypes.c_void_p(1))").stdout(contains("Races in shared memory"));
}

#[test]
fn a_question_that_is_named_twice_is_graded_once() {
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    grader(course.path())
        .args(["grade", "hello", "hello", "--command", "echo hello"])
        .assert()
        .code(0)
        .stdout(contains("passed, 10 of 10 points").count(1));
}

#[test]
fn a_written_answer_goes_with_a_program_and_an_instructor_has_the_last_word() {
    let written = "[[check]]\nname = \"says why\"\npoints = 2\nwritten.ideas = [{ idea = \"the lock\", any = [\"GIL\"] }]\n";
    let course = Course::asking(&format!("{SAYS_HELLO}\n\n{written}"), PATIENCE);
    let grade = |arguments: &[&str]| {
        let mut command = grader(course.path());
        command
            .args(["grade", "hello", "--schedules", "free", "--command", "echo hello"])
            .args(arguments)
            .assert()
    };
    grade(&[]).code(1).stdout(
        contains("not run: No written answer was handed in with this program: `--answer FILE` names one.")
            .and(contains("not run, 10 of 12 points")),
    );
    grade(&["--answer", "nowhere.md"]).code(1).stdout(contains("`nowhere.md` is not there"));
    fs::write(course.path().join("answer.md"), "The GIL.\n").unwrap();
    grade(&["--answer", "answer.md"])
        .code(0)
        .stdout(contains("passed, 12 of 12 points").and(contains("2 points are provisional")));
    let review = "[[check]]\nname = \"says why\"\npoints = 1\ncomment = \"Why is it there?\"\n";
    fs::write(course.path().join("review.toml"), review).unwrap();
    grade(&["--answer", "answer.md", "--review", "review.toml"]).code(1).stdout(
        contains("Your instructor says: Why is it there?")
            .and(contains("failed, 11 of 12 points"))
            .and(contains("provisional").not()),
    );
    let told = "grader: failed to read `no.toml`: No such file or directory";
    grade(&["--review", "no.toml"]).code(2).stderr(contains(told)).stdout("");
    fs::write(course.path().join("review.toml"), review.replace("says why", "says how")).unwrap();
    let told = contains("failed to read a review:\nreview.toml:2:8: `hello` has no written check `says how`");
    grade(&["--review", "review.toml"]).code(2).stderr(told).stdout("");
}

#[test]
fn a_program_that_fails_in_one_run_alone_is_told_by_that_run() {
    let course = Course::asking(SAYS_HELLO, PATIENCE);
    let script = quoted("if mkdir seen 2>&1; then echo hello; else echo again; fi");
    let arguments = ["grade", "hello", "--schedules", "free", "--command", &script];
    // The second run finds what the first has left.
    grader(course.path())
        .args(arguments)
        .assert()
        .code(1)
        .stdout(contains("free:1").and(contains("2 | again")));
}

#[test]
fn the_aliases_reach_the_grader() {
    cargo(&tests::root())
        .args(["grade", "--help"])
        .assert()
        .success()
        .stdout(contains("Usage: cargo grader grade"));
    cargo(&tests::root())
        .args(["grader", "--help"])
        .assert()
        .success()
        .stdout(contains("Usage: cargo grader <COMMAND>"));
}
