//! What observing costs: whole runs under the tracer beside the bare program, in turn, as ratios of medians.
//!
//! `cargo bench -p grader` prints a table; nothing here passes or fails.
//! Machines are shared and noisy: read the ratios, not the times.

#![expect(clippy::disallowed_methods, reason = "the bare program has to be started without the grader")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grader::grading::{Options, grade_built};
use grader::model::{Invocation, Limits, Policy, Schedule, Verdict};
use grader::observe::{run_plain, run_traced};
use grader::question::Course;
use grader::submission::{self, Build, Colour, Program, Submission, Workspace};

/// So many runs of each kind, taken in turn.
const ROUNDS: usize = 25;

/// Four children that each print a line, started by the fork of an interpreter.
const PYTHON: &str = "import os\nfor n in range(1, 5):\n    if os.fork() == 0:\n        os.write(1, f'Process {n}: {n}\\n'.encode())\n        os._exit(0)\nfor n in range(4): os.wait()\n";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a package has a workspace around it");
    let workspace = Workspace::find(root).expect("a workspace around this package");
    let rust = solution(&workspace, "q6");
    println!(
        "{:<28} {:>10} {:>10} {:>10} {:>14}",
        "program", "bare", "untraced", "free", "free against bare"
    );
    row("solutions/q6 (Rust)", &rust);
    match python() {
        Some(python) => row("four forks (Python)", &python),
        None => println!("{:<28} no python3 in PATH", "four forks (Python)"),
    }
    let (quick, runs) = grade_time(&workspace, "q6", &rust);
    println!("\na quick grading of q6, {runs} runs: {:.0} ms", milliseconds(quick));
}

/// The reference answer of a question, built.
fn solution(workspace: &Workspace, id: &str) -> Program {
    let submissions = [Submission::Solution { question: id.to_owned() }];
    let builds = submission::build(workspace, &submissions, Colour::Never).expect("cargo builds");
    match builds.into_iter().next() {
        Some(Build::Ready(program)) => program,
        other => panic!("the solution does not build: {other:?}"),
    }
}

/// A program in Python, run by the interpreter itself.
fn python() -> Option<Program> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    let executable = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let args = vec!["-c".into(), PYTHON.into()];
    Some(Program { executable, args, folder: std::env::temp_dir() })
}

/// Measures one program in all three ways, in turn, and prints the medians.
fn row(name: &str, program: &Program) {
    let schedule = Schedule { policy: Policy::Free, seed: 0 };
    let (limits, invocation) = (Limits::default(), Invocation::default());
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        times[0].push(timed(|| bare(program)));
        times[1].push(timed(|| {
            run_plain(program, &invocation, &limits, schedule, "a benchmark").expect("a run");
        }));
        times[2].push(timed(|| {
            run_traced(program, &invocation, &limits, schedule).expect("a traced run");
        }));
    }
    let [bare, plain, traced] = times.map(median);
    println!(
        "{name:<28} {:>7.1} ms {:>7.1} ms {:>7.1} ms {:>8.2} x {:>+.1} ms",
        milliseconds(bare),
        milliseconds(plain),
        milliseconds(traced),
        traced.as_secs_f64() / bare.as_secs_f64(),
        milliseconds(traced) - milliseconds(bare),
    );
}

fn bare(program: &Program) {
    let status = Command::new(&program.executable)
        .args(&program.args)
        .current_dir(&program.folder)
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success(), "the program fails: {status}");
}

/// One quick grading of a question, built beforehand, and how many runs it makes.
fn grade_time(workspace: &Workspace, id: &str, program: &Program) -> (Duration, usize) {
    let question = Course::find(workspace.root()).expect("a course").question(id).expect("a question");
    let submission = Submission::Solution { question: id.to_owned() };
    let build = Build::Ready(program.clone());
    let mut runs = 0;
    let mut grade = || {
        let graded = grade_built(workspace, &question, &submission, &build, &Options::default());
        assert_eq!(graded.grade.verdict, Verdict::Passed, "a reference answer is right");
        runs = graded.grade.runs.len();
    };
    let time = median((0..ROUNDS).map(|_| timed(&mut grade)).collect());
    (time, runs)
}

fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
