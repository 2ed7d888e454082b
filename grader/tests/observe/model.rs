//! Random programs against a model of what must be recorded of them.
//!
//! A program is a tree of steps that a small interpreter runs: print a line or half of one, start a process and wait for
//! it at once, later or never, pass a byte through a pipe, sleep, kill a child, execute a shell, count in memory that all
//! share. Main ends with another code where one of these counts is not what it has to be.

use std::fmt::Write;

use grader::model::{ExitStatus, RunRecord, Schedule, Waited};
use proptest::prelude::*;

use crate::support::{patient, python, run_with, schedules};

#[derive(Debug, Clone)]
enum Step {
    Line,
    HalfLine,
    Sleep(u8),
    /// Counts in a word of its own.
    Count,
    /// Starts a process and waits for it at once.
    Run(Body),
    /// Starts a process and waits for it at the end.
    Start(Body),
    /// Starts a process that gives a byte through a pipe, which is waited for before the process is.
    Pass(Body),
    /// Starts a process that waits for ever, and kills it.
    Kill,
    /// Starts a process that executes a shell with this exit code.
    Shell(u8),
}

#[derive(Debug, Clone)]
struct Body {
    steps: Vec<Step>,
    code: u8,
}

fn body() -> impl Strategy<Value = Body> {
    let leaf = prop_oneof![
        4 => Just(Step::Line),
        2 => Just(Step::HalfLine),
        1 => (1_u8..40).prop_map(Step::Sleep),
        1 => Just(Step::Count),
        1 => Just(Step::Kill),
        1 => (0_u8..4).prop_map(Step::Shell),
    ];
    let whole = |steps| (steps, 0_u8..4).prop_map(|(steps, code)| Body { steps, code });
    let flat = whole(prop::collection::vec(leaf.clone(), 0..4).boxed());
    flat.prop_recursive(3, 14, 4, move |inner| {
        let step = prop_oneof![
            3 => leaf.clone(),
            1 => inner.clone().prop_map(Step::Run),
            2 => inner.clone().prop_map(Step::Start),
            1 => inner.prop_map(Step::Pass),
        ];
        whole(prop::collection::vec(step, 0..4).boxed())
    })
}

/// What must be recorded of one process.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Expected {
    /// The lines, which name the process by its place in the program.
    lines: Vec<String>,
    status: ExitStatus,
    children: Vec<Expected>,
}

/// Writes a body as the interpreter's nested lists and returns what must come of it.
fn write(body: &Body, place: &str, text: &mut String) -> Expected {
    let mut expected =
        Expected { lines: Vec::new(), status: ExitStatus::Code(body.code.into()), children: Vec::new() };
    let mut half = String::new();
    let leaf = |status| Expected { lines: Vec::new(), status, children: Vec::new() };
    text.push('[');
    for (number, step) in body.steps.iter().enumerate() {
        let name = format!("{place}.{number}");
        match step {
            Step::Line => {
                write!(text, "('say', '{name}\\n'),").unwrap();
                expected.lines.push(std::mem::take(&mut half) + &name);
            }
            Step::HalfLine => {
                write!(text, "('say', '{name}+'),").unwrap();
                half += &format!("{name}+");
            }
            Step::Sleep(milliseconds) => write!(text, "('sleep', {milliseconds}),").unwrap(),
            Step::Count => {
                let word = text.matches("'count'").count();
                write!(text, "('count', {word}),").unwrap();
            }
            Step::Kill => {
                text.push_str("('kill',),");
                expected.children.push(leaf(ExitStatus::Signal(9)));
            }
            Step::Shell(code) => {
                write!(text, "('shell', '{name}', {code}),").unwrap();
                let shell = leaf(ExitStatus::Code((*code).into()));
                expected.children.push(Expected { lines: vec![name], ..shell });
            }
            Step::Run(inner) | Step::Start(inner) | Step::Pass(inner) => {
                let how = match step {
                    Step::Run(_) => "run",
                    Step::Start(_) => "start",
                    _ => "pass",
                };
                write!(text, "('{how}', ").unwrap();
                expected.children.push(write(inner, &name, text));
                text.push_str("),");
            }
        }
    }
    if !half.is_empty() {
        expected.lines.push(half);
    }
    write!(text, "('end', {})]", body.code).unwrap();
    expected.children.sort();
    expected
}

const INTERPRETER: &str = "
shared = mmap.mmap(-1, 8192)
words = (ctypes.c_long * 1024).from_buffer(shared)

def counts(steps):
    for step in steps:
        if step[0] == 'count': yield step[1]
        elif isinstance(step[-1], list): yield from counts(step[-1])

def process(steps):
    started = []
    for step in steps:
        if step[0] == 'say': os.write(1, step[1].encode())
        elif step[0] == 'sleep': time.sleep(step[1] / 1000)
        elif step[0] == 'count': words[step[1]] += 1
        elif step[0] == 'end':
            for child in started: os.waitpid(child, 0)
            if steps is program and any(words[at] != 1 for at in counts(program)): os._exit(99)
            os._exit(step[1])
        else: make(step, started)

def make(step, started):
    ready, done = os.pipe()
    made = os.fork()
    if made == 0:
        if step[0] == 'kill': signal.pause()
        if step[0] == 'shell': os.execv('/bin/sh', ['sh', '-c', f'echo {step[1]}; exit {step[2]}'])
        if step[0] == 'pass': os.write(done, b'x')
        process(step[1])
    if step[0] == 'pass': os.read(ready, 1)
    if step[0] == 'kill': os.kill(made, 9)
    os.close(ready); os.close(done)
    if step[0] in ('start', 'pass'): started.append(made)
    else: os.waitpid(made, 0)
program = ";

/// What was recorded of a process, in the model's terms.
fn seen(record: &RunRecord, number: u32) -> Expected {
    let lines = record.lines.iter().filter(|line| line.writer == Some(number));
    let children = record.processes.iter().filter(|child| child.parent == Some(number));
    let mut children: Vec<Expected> = children.map(|child| seen(record, child.number)).collect();
    children.sort();
    Expected {
        lines: lines.map(|line| line.text.clone()).collect(),
        status: record.processes[number as usize].status.expect("an end of its own"),
        children,
    }
}

fn check(body: &Body, schedule: Schedule) {
    let mut text = String::new();
    let expected = write(body, "m", &mut text);
    let record =
        run_with(&python(&format!("{INTERPRETER}{text}\nprocess(program)")), "", &patient(), schedule).record;
    assert_eq!(seen(&record, 0), expected, "{schedule}: {text} {record:?}");
    let children = &record.processes[1..];
    assert!(children.iter().all(|child| child.waited == Waited::Yes), "{schedule}: {text} {record:?}");
    assert!(record.processes.iter().all(|process| process.born <= process.ended.unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_program_is_recorded_as_it_is(body in body(), schedule in prop::sample::select(schedules())) {
        check(&body, schedule);
    }
}
