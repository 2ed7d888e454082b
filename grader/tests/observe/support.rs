//! Running a script under a schedule.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use grader::model::{
    Ending, ExitStatus, Invocation, Limits, Observation, Policy, Question, RunRecord, Schedule, Stream,
};
use grader::observe::{TracedRun, run_traced};
use grader::submission::Program;

pub const FREE: Schedule = Schedule { policy: Policy::Free, seed: 0 };

/// What most scripts begin with.
const IMPORTS: &str = "import os, sys, time, signal, threading, ctypes, select, socket, mmap, errno\n\
    def say(text):\n    os.write(1, (text + '\\n').encode())\n";

pub fn program(executable: &str, args: &[&str]) -> Program {
    Program {
        executable: PathBuf::from(executable),
        args: args.iter().map(Into::into).collect(),
        folder: std::env::temp_dir(),
    }
}

/// A script for the interpreter itself: what is found first may be a wrapper of it.
pub fn python(script: &str) -> Program {
    static INTERPRETER: OnceLock<String> = OnceLock::new();
    let interpreter = INTERPRETER.get_or_init(|| {
        let asks = shell("python3 -S -c 'import sys; print(sys.executable)'");
        let record = run_with(&asks, "", &patient(), FREE).record;
        record.lines.first().expect("python3 is needed for this test").text.clone()
    });
    program(interpreter, &["-S", "-c", &format!("{IMPORTS}{script}")])
}

pub fn shell(script: &str) -> Program {
    program("/bin/sh", &["-c", script])
}

/// Limits that no test reaches because its machine is busy.
pub fn patient() -> Limits {
    Limits { wall: Duration::from_secs(60), ..Limits::default() }
}

pub fn run_with(program: &Program, stdin: &str, limits: &Limits, schedule: Schedule) -> TracedRun {
    let invocation = Invocation { args: Vec::new(), stdin: stdin.to_owned() };
    run_traced(program, &invocation, limits, schedule).unwrap()
}

/// A question without checks.
pub fn question() -> Question {
    Question {
        id: "q".to_owned(),
        title: "A question".to_owned(),
        topic: "processes".to_owned(),
        hints: Vec::new(),
        run: Invocation::default(),
        limits: patient(),
        checks: Vec::new(),
        predict: None,
        withheld: 0,
    }
}

/// One run, of which all has to be seen.
pub fn run(program: &Program, schedule: Schedule) -> RunRecord {
    let record = run_with(program, "", &patient(), schedule).record;
    assert_eq!(record.observation, Observation::Full, "{schedule}: {:?}", record.lines);
    record
}

/// One free run of a script.
pub fn free(script: &str) -> RunRecord {
    run(&python(script), FREE)
}

pub fn schedules() -> Vec<Schedule> {
    let named =
        [Policy::Free, Policy::ChildrenLast, Policy::ChildrenFirst, Policy::Reverse, Policy::Messages];
    let mut all: Vec<Schedule> = named.into_iter().map(|policy| Schedule { policy, seed: 0 }).collect();
    all.extend((1..=20).map(|seed| Schedule { policy: Policy::Random, seed }));
    all.extend((0..4).map(|seed| Schedule { policy: Policy::Exhaustive, seed }));
    all.extend((1..=2).map(|seed| Schedule { policy: Policy::Memory, seed }));
    all
}

pub fn texts(record: &RunRecord) -> Vec<&str> {
    record.stream(Stream::Stdout).iter().map(|line| line.text.as_str()).collect()
}

/// Each line with its writer, in alphabetical order.
pub fn written(record: &RunRecord) -> Vec<(&str, u32)> {
    let lines = record.stream(Stream::Stdout).into_iter();
    let mut lines: Vec<_> = lines.map(|line| (line.text.as_str(), line.writer.unwrap())).collect();
    lines.sort_unstable();
    lines
}

pub fn statuses(record: &RunRecord) -> Vec<Option<ExitStatus>> {
    record.processes.iter().map(|process| process.status).collect()
}

pub fn code(code: i32) -> Option<ExitStatus> {
    Some(ExitStatus::Code(code))
}

pub fn signal(number: i32) -> Option<ExitStatus> {
    Some(ExitStatus::Signal(number))
}

/// Main has ended by itself with code 0.
pub fn assert_right_end(record: &RunRecord) {
    let shown = (record.schedule, &record.lines, &record.processes);
    assert_eq!((&record.ending, record.main_status()), (&Ending::Finished, code(0)), "{shown:?}");
}
