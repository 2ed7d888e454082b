//! Processes that a program starts beside those that do its work.
//!
//! Fork servers, the copies that they make ahead, and Python's resource tracker are such helpers: programs of their own
//! that print nothing, that nobody waits for, and that end by themselves as soon as main has.

use crate::model::{ExitStatus, Process, RunRecord};

/// Whether a process is still alive when main ends, or is only just ending then.
pub(super) fn outlives_main(process: &Process, run: &RunRecord) -> bool {
    let main_ended = run.processes.first().and_then(|main| main.ended);
    let after = |main_ended| process.number != 0 && process.ended.is_none_or(|ended| ended > main_ended);
    main_ended.is_some_and(after)
}

/// Whether a process is a helper rather than one that the program left behind.
///
/// A copy of main is none: that is how workers are made; nor is one that the grader had to end.
pub(super) fn is_helper(process: &Process, run: &RunRecord) -> bool {
    outlives_main(process, run)
        && process.executed
        && process.status == Some(ExitStatus::Code(0))
        && process.ended.is_some()
        && !run.lines.iter().any(|line| line.writer == Some(process.number))
}
