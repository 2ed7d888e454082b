//! What of the grader's means works on this machine, found out by trying each.
//!
//! Nothing is concluded from a version number or a setting: a means works if it has just been seen to.

use std::path::Path;
use std::time::Duration;

use crate::model::{
    Ending, ExitStatus, Invocation, Limit, Limits, Observation, Policy, RunRecord, Schedule, Stream, Waited,
};
use crate::observe::{TraceError, run_plain, run_traced};
use crate::submission::{self, Program};

/// One means, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, for a person.
    pub what: &'static str,
    /// What was found.
    pub state: State,
}

/// Whether a means works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was tried and works.
    Works,
    /// It was tried and does not.
    Missing {
        /// What happened, and what to do about it.
        why: String,
        /// Whether checks are not run without it.
        needed: bool,
    },
}

/// Long enough for a shell on a busy machine.
const TIME: Duration = Duration::from_secs(10);

/// Tries everything, in the order in which it is worth telling.
#[must_use]
pub fn examine() -> Vec<Finding> {
    vec![
        Finding { what: "run a program under limits and read its output", state: plain() },
        Finding { what: "end everything that a program started, a daemon too", state: clean_up() },
        Finding { what: "follow every process, and see who writes each line", state: follow() },
        Finding { what: "hold processes, so that a missing wait shows every time", state: steer() },
        Finding { what: "tell a deadlock from a slow program", state: deadlock() },
        Finding { what: "limit the memory of a process", state: memory() },
        Finding {
            what: "build packages with cargo",
            state: program("cargo", "install Rust from https://rustup.rs", true),
        },
        Finding {
            what: "grade programs in Python",
            state: program("python3", "install the package python3 to grade programs in Python", false),
        },
    ]
}

fn shell(script: &str) -> Result<Program, State> {
    let words = ["/bin/sh", "-c", script].map(str::to_owned);
    submission::find_program(&words, Path::new("/")).map_err(|why| State::Missing { why, needed: true })
}

fn limits() -> Limits {
    Limits { wall: TIME, ..Limits::default() }
}

fn schedule(policy: Policy) -> Schedule {
    Schedule { policy, seed: 0 }
}

/// One traced run of a shell script.
fn traced(script: &str, policy: Policy) -> Result<RunRecord, State> {
    let run = run_traced(&shell(script)?, &Invocation::default(), &limits(), schedule(policy));
    run.map(|run| run.record).map_err(|error| State::Missing { why: refused(&error), needed: true })
}

fn refused(error: &TraceError) -> String {
    match error {
        TraceError::Refused(error) => format!(
            "ptrace(2) is refused: {error}. In a container, allow it (`--cap-add=SYS_PTRACE`); elsewhere look at \
             `/proc/sys/kernel/yama/ptrace_scope`, which has to be 0 or 1."
        ),
        TraceError::Run(error) => format!("The run failed to {}.", crate::grading::with_causes(error)),
    }
}

/// Works if the run was as it should be.
fn works(run: Result<RunRecord, State>, is_right: impl Fn(&RunRecord) -> bool) -> State {
    match run {
        Ok(run) if is_right(&run) => State::Works,
        Ok(run) => State::Missing {
            why: format!("The run was not as it should be: {:?}.", run.ending),
            needed: true,
        },
        Err(state) => state,
    }
}

fn output(run: &RunRecord) -> Vec<&str> {
    run.stream(Stream::Stdout).iter().map(|line| line.text.as_str()).collect()
}

/// One run of a shell script from outside.
fn untraced(script: &str, limits: &Limits) -> Result<RunRecord, State> {
    let run =
        run_plain(&shell(script)?, &Invocation::default(), limits, schedule(Policy::Free), "Not looked at.");
    run.map_err(|error| {
        let why = format!("The run failed to {}.", crate::grading::with_causes(&error));
        State::Missing { why, needed: true }
    })
}

fn plain() -> State {
    works(untraced("echo works", &limits()), |run| output(run) == ["works"])
}

/// A daemon prints its process id; afterwards nobody has it.
fn clean_up() -> State {
    works(untraced("(sleep 100 & echo $!)", &limits()), |run| {
        output(run).first().is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    })
}

fn follow() -> State {
    works(traced("(echo child) & wait; echo main", Policy::Free), |run| {
        let writers: Vec<Option<u32>> = run.stream(Stream::Stdout).iter().map(|line| line.writer).collect();
        run.observation == Observation::Full
            && writers == [Some(1), Some(0)]
            && run.processes.get(1).is_some_and(|child| child.waited == Waited::Yes)
    })
}

/// Nobody waits for the child, which therefore prints last.
fn steer() -> State {
    works(traced("(echo child) & echo main", Policy::ChildrenLast), |run| output(run) == ["main", "child"])
}

/// A shell reads from a pipe that only it could write to.
fn deadlock() -> State {
    let script = "mkfifo \"$TMPDIR/pipe\"; read line <> \"$TMPDIR/pipe\"";
    works(traced(script, Policy::Free), |run| matches!(run.ending, Ending::Deadlocked { .. }))
}

/// A shell that doubles a variable for ever comes to an end.
fn memory() -> State {
    let small = Limits { memory: 16 << 20, ..limits() };
    works(untraced("x=0123456789abcdef; while :; do x=$x$x; done", &small), |run| {
        run.ending != Ending::TimedOut
            && run.ending != Ending::LimitExceeded(Limit::Cpu)
            && run.main_status() != Some(ExitStatus::Code(0))
    })
}

fn program(name: &str, advice: &str, needed: bool) -> State {
    match submission::find_program(&[name.to_owned()], Path::new("/")) {
        Ok(_) => State::Works,
        Err(_) => State::Missing { why: format!("There is no `{name}` in PATH: {advice}."), needed },
    }
}
