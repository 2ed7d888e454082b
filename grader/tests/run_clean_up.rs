//! What runs leave behind in the grader's own process, and what a grader leaves behind that is killed itself.
//!
//! These tests count the descriptors and children of their process, so that each is in a process of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grader::model::{Ending, ExitStatus, Invocation, Limits, Policy, Schedule};
use grader::observe::{run_plain, run_traced};
use grader::submission::Program;

const FREE: Schedule = Schedule { policy: Policy::Free, seed: 0 };

fn shell(script: &str) -> Program {
    Program { executable: "/bin/sh".into(), args: vec!["-c".into(), script.into()], folder: "/".into() }
}

fn open_descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let mut links: Vec<String> = entries
        .filter_map(|entry| Some(format!("{:?} {:?}", entry.file_name(), fs::read_link(entry.path()).ok()?)))
        .filter(|link| !link.contains("/fd\""))
        .collect();
    links.sort();
    links
}

fn stat(folder: &Path) -> Option<(String, u32)> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
    Some((stat, parent))
}

/// The lines of `/proc/PID/stat` of this process's children, the ended ones too.
fn children() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| stat(&entry.path()));
    stats.filter(|(_, parent)| *parent == std::process::id()).map(|(stat, _)| stat).collect()
}

/// How many processes have this text in their command line.
fn holders(token: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
    lines.filter(|line| String::from_utf8_lossy(line).contains(token)).count()
}

#[expect(clippy::disallowed_methods, reason = "the test starts itself once more, and waits for it")]
fn this_test_again(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", name]);
    command
}

#[test]
fn no_descriptor_and_no_child_is_left_after_two_hundred_runs() {
    let status = this_test_again("helper_two_hundred_runs").stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "counts the descriptors and children of its own process; started by the test above"]
fn helper_two_hundred_runs() {
    let (descriptors, others) = (open_descriptors(), children());
    for number in 0..200 {
        let (script, ending) = match number % 4 {
            0 => ("echo x; exit 1", Ending::Finished),
            1 => ("( setsid sleep 1000 >/dev/null 2>&1 & ) ; echo x", Ending::Finished),
            2 => ("kill -KILL $PPID; sleep 1000", Ending::Finished),
            _ => ("while :; do :; done", Ending::TimedOut),
        };
        let limits = Limits {
            wall: Duration::from_millis(if number % 4 == 3 { 20 } else { 10_000 }),
            ..Limits::default()
        };
        let record = run_plain(&shell(script), &Invocation::default(), &limits, FREE, "").unwrap();
        assert_eq!(record.ending, ending, "{script}");
    }
    assert_eq!(open_descriptors(), descriptors);
    assert_eq!(children(), others);
}

/// Kills a grader in the middle of a run, which the helper of this name makes.
fn nothing_is_left_by(helper: &str) {
    let token = format!("97{:07}.5{}", std::process::id(), helper.len());
    // Nobody removes the temporary folder of a grader that was killed, so that it gets one of this test's.
    let folder = tempfile::tempdir().unwrap();
    let mut grader = this_test_again(helper);
    // The keeper is a copy of the grader, and shows by its command line too.
    grader.args(["--skip", &token]);
    grader.env("TOKEN", &token).env("TMPDIR", folder.path()).stdout(Stdio::piped());
    let mut grader = grader.spawn().unwrap();
    // The helper's submission has started all of its processes when it says so in a file that this end reads.
    let mut output = BufReader::new(grader.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap().contains("all are there")));
    assert!(holders(&token) >= 6);
    grader.kill().unwrap();
    assert_eq!(grader.wait().unwrap().signal(), Some(9));
    let deadline = Instant::now() + Duration::from_secs(10);
    while holders(&token) > 0 {
        assert!(Instant::now() < deadline, "{} are alive", holders(&token));
        std::thread::yield_now();
    }
}

/// A submission that starts processes in several ways, tells the test when all are there, and never ends.
fn endless() -> Program {
    let token = std::env::var("TOKEN").unwrap();
    // The submission's own output is a pipe to its grader; what the test waits for goes the long way round.
    let to_test = format!("/proc/{}/fd/1", std::process::id());
    shell(&format!(
        "sleep {token} & ( env -i setsid sleep {token} & ) ; ( trap '' TERM HUP; setsid sleep {token} & ) ; \
         while [ \"$(grep -lsa {token} /proc/[0-9]*/cmdline | wc -l)\" -lt 6 ]; do :; done; \
         echo all are there > {to_test}; sleep {token}"
    ))
}

fn a_minute() -> Limits {
    Limits { wall: Duration::from_secs(60), ..Limits::default() }
}

#[test]
fn a_grader_that_is_killed_leaves_nothing() {
    nothing_is_left_by("helper_endless_run");
}

#[test]
#[ignore = "runs until it is killed; started by the test above"]
fn helper_endless_run() {
    let record = run_plain(&endless(), &Invocation::default(), &a_minute(), FREE, "").unwrap();
    panic!("nobody killed this process: {record:?}");
}

#[test]
fn a_grader_that_is_killed_while_it_traces_leaves_nothing() {
    nothing_is_left_by("helper_endless_traced_run");
}

#[test]
#[ignore = "runs until it is killed; started by the test above"]
fn helper_endless_traced_run() {
    let reverse = Schedule { policy: Policy::Reverse, seed: 0 };
    let run = run_traced(&endless(), &Invocation::default(), &a_minute(), reverse);
    panic!("nobody killed this process: {run:?}");
}

#[test]
fn a_run_in_a_thread_that_ends_is_as_good_as_any() {
    let run = || {
        run_plain(&shell("sleep 0.05; exit 4"), &Invocation::default(), &Limits::default(), FREE, "").unwrap()
    };
    let record = std::thread::spawn(run).join().unwrap();
    assert_eq!(record.main_status(), Some(ExitStatus::Code(4)));
}
