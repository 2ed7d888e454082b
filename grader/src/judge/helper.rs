//! Processes that a program starts beside those that do its work.
//!
//! Fork servers, the copies that they make ahead, and Python's resource tracker are such helpers: programs of their own
//! that print nothing, that nobody waits for, and that end by themselves as soon as the process has that they serve: main
//! or one below it.

use std::time::Duration;

use crate::model::{ExitStatus, Process, RunRecord, Stream};

/// Whether a process is still alive when main ends, or is only just ending then.
pub(super) fn outlives_main(process: &Process, run: &RunRecord) -> bool {
    let main_ended = run.processes.first().and_then(|main| main.ended);
    process.number != 0 && main_ended.is_some_and(|main_ended| is_alive_after(process, main_ended))
}

fn is_alive_after(process: &Process, moment: Duration) -> bool {
    process.ended.is_none_or(|ended| ended > moment)
}

/// Whether a process is the same program as its parent, as the helpers of libraries are, and is still alive when one ends
/// that it descends from.
fn outlives_maker(process: &Process, run: &RunRecord) -> bool {
    run.is_as_parent(process)
        && run.ancestors(process).any(|maker| maker.ended.is_some_and(|ended| is_alive_after(process, ended)))
}

/// Whether a process is a helper rather than one that the program left behind.
///
/// A copy of main is none: that is how workers are made; nor is one that the grader had to end. It may have a warning to
/// give, but prints nothing.
pub(super) fn is_helper(process: &Process, run: &RunRecord) -> bool {
    let has_printed = || run.stream(Stream::Stdout).iter().any(|line| line.writer == Some(process.number));
    (outlives_main(process, run) || outlives_maker(process, run))
        && process.executed
        && process.status == Some(ExitStatus::Code(0))
        && process.ended.is_some()
        && !has_printed()
}
