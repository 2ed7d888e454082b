//! How a run has to end.

use std::collections::BTreeMap;

use super::count;
use super::helper::{is_helper, outlives_main};
use super::outcome::Outcome;
use super::processes;
use super::shown::{listed_in_short, quoted};
use super::text;
use crate::model::{
    Count, Ending, ExitCondition, ExitStatus, Explanation, Line, Observation, Process, RunRecord, Stream,
    Waited, signal_name,
};

/// Signals that end a process for a mistake of its own: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV; see signal(7).
const CRASHES: [i32; 5] = [4, 6, 7, 8, 11];

/// Whether a run ended as asked for.
pub(super) fn judge(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    main_ended(condition, run).and(|| match &run.observation {
        Observation::Full => crashed(condition, run)
            .and(|| failed(condition, run))
            .and(|| left_behind(condition, run))
            .and(|| waited(condition, run))
            .and(|| ended_before(condition, run)),
        Observation::OutputOnly { reason } if asks_for_children(condition) => Outcome::Unseen(reason.clone()),
        Observation::OutputOnly { .. } => Outcome::Holds,
    })
}

fn asks_for_children(condition: &ExitCondition) -> bool {
    [condition.crashed, condition.failed, condition.left_behind].iter().any(Option::is_some)
        || condition.waited
        || condition.ended_before.is_some()
}

fn main_ended(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    let wanted = match (condition.code, condition.signal) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, Some(signal)) => ExitStatus::Signal(signal),
        (None, None) => return Outcome::Holds,
    };
    // How a run was ended or crashed is told in front of every explanation, so only a code is told here.
    let text = match (run.main_status(), &run.ending) {
        (Some(status), Ending::Finished) if status == wanted => return Outcome::Holds,
        (Some(ExitStatus::Code(code)), Ending::Finished) => {
            let cause = if code == 101 { " That is the code of a Rust program that panicked." } else { "" };
            format!("Main ended with exit code {code}; {} is expected.{cause}", wanted_end(wanted))
        }
        _ => format!("An end with {} is expected.", wanted_end(wanted)),
    };
    Outcome::Broken(Explanation::new(text))
}

fn wanted_end(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("exit code {code}"),
        ExitStatus::Signal(signal) => signal_name(signal),
    }
}

fn crashed(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    let is_crash =
        |process: &&Process| matches!(process.status, Some(ExitStatus::Signal(s)) if CRASHES.contains(&s));
    let found: Vec<&Process> = run.processes.iter().filter(is_crash).collect();
    counted(condition.crashed, &found, run, with_status).map_or(Outcome::Holds, |(who, wanted)| {
        Outcome::Broken(Explanation::new(format!("Crashed processes: {who}; {wanted} expected.")))
    })
}

fn failed(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    // Of what a child starts only a copy of it is meant: it may ask other programs for their exit codes.
    let is_meant = |process: &Process| process.parent == Some(0) || run.is_as_parent(process);
    let ended_badly = |process: &Process| match process.status {
        Some(ExitStatus::Code(code)) => code != 0,
        Some(ExitStatus::Signal(signal)) if CRASHES.contains(&signal) => false,
        // A pool ends workers that way which wait for work, and may have printed before.
        Some(status) => !status.is_by_others(),
        None => false,
    };
    let has_failed = |process: &&Process| process.number != 0 && is_meant(process) && ended_badly(process);
    let found: Vec<&Process> = run.processes.iter().filter(has_failed).collect();
    counted(condition.failed, &found, run, with_status).map_or(Outcome::Holds, |(who, wanted)| {
        let text = format!(
            "Children that failed: {who}; {wanted} expected. A child fails that panics, raises an exception that nobody \
             catches, or is ended by a signal, even if it has printed its line before."
        );
        Outcome::Broken(Explanation::new(text))
    })
}

/// "child 1 (exit code 101)".
fn with_status(process: &Process) -> String {
    let how = process.status.map_or_else(String::new, |status| format!(" ({status})"));
    format!("{}{how}", process.label())
}

fn left_behind(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    let left = |process: &&Process| outlives_main(process, run) && !is_helper(process, run);
    let found: Vec<&Process> = run.processes.iter().filter(left).collect();
    counted(condition.left_behind, &found, run, Process::label).map_or(Outcome::Holds, |(who, wanted)| {
        Outcome::Broken(Explanation::new(format!(
            "Still running when main ended: {who}; {wanted} expected. Wait for every child before main ends: try \
             `join` on each."
        )))
    })
}

fn waited(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    let forgotten =
        |process: &&Process| process.number != 0 && process.waited == Waited::No && !is_helper(process, run);
    let found: Vec<String> = run.processes.iter().filter(forgotten).map(Process::label).collect();
    if !condition.waited || found.is_empty() {
        return Outcome::Holds;
    }
    Outcome::Broken(Explanation::new(format!(
        "Nobody waited for {} before main ended; try `join` on each child.",
        listed_in_short(&found)
    )))
}

/// Whoever else prints, and was there before this line, has ended by then, but for those whom its writer descends from;
/// so has who stands for another one that prints.
///
/// A process has ended when its last thread is about to: whoever waits for it, or for the end of what it holds open, goes
/// on only after that.
/// Where nobody prints the line, main's last one stands for it: that it is wrong is told elsewhere.
fn ended_before(condition: &ExitCondition, run: &RunRecord) -> Outcome {
    let Some(pattern) = &condition.ended_before else { return Outcome::Holds };
    let lines = run.stream(Stream::Stdout);
    let is_meant = |line: &&Line| {
        text::matches(pattern, &line.text, &run.machine).is_ok_and(|ways| !ways.is_empty())
            && !line.invalid_utf8
    };
    let last_of_main = || lines.iter().rposition(|line| line.writer == Some(0));
    let Some(place) = lines.iter().position(is_meant).or_else(last_of_main) else {
        let text = format!("{} was not printed, before which others have to end.", quoted(&pattern.source));
        return Outcome::Broken(Explanation::new(text));
    };
    let line = lines[place];
    let may_go_on = |process: &Process| {
        let writer = line.writer.and_then(|writer| run.process(writer));
        writer.is_none_or(|writer| {
            std::iter::once(writer).chain(run.ancestors(writer)).any(|above| above.number == process.number)
        })
    };
    let still_runs = |process: &&Process| {
        process.born <= line.begun && process.ended.is_none_or(|ended| ended > line.begun)
    };
    let printed = lines.iter().filter_map(|line| run.process(line.writer?));
    let meant: BTreeMap<u32, &Process> =
        printed.chain(processes::writers(run)).map(|process| (process.number, process)).collect();
    let alive: Vec<String> = meant
        .into_values()
        .filter(|process| !may_go_on(process))
        .filter(still_runs)
        .map(Process::label)
        .collect();
    if alive.is_empty() {
        return Outcome::Holds;
    }
    let text = format!(
        "{} was printed while {} still ran. Wait for the end of every process that prints before it, as `join` does.",
        quoted(&line.text),
        listed_in_short(&alive)
    );
    Outcome::Broken(Explanation::new(text).about_line(place))
}

/// Who was found and what was wanted, where the two do not agree.
fn counted(
    wanted: Option<Count>,
    found: &[&Process],
    run: &RunRecord,
    label: impl Fn(&Process) -> String,
) -> Option<(String, String)> {
    let wanted = wanted.filter(|wanted| !count::holds(*wanted, found.len(), &run.machine))?;
    let labels: Vec<String> = found.iter().map(|process| label(process)).collect();
    let who = if labels.is_empty() { "none".to_owned() } else { listed_in_short(&labels) };
    Some((who, count::described(wanted)))
}
