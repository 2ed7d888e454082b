//! A program, a question and a selection of schedules give run records.
//!
//! Responsible for which runs are made and when to stop making them; how one is made is the observer's business.

use crate::model::{Condition, Ending, ExitStatus, Orders, Policy, Question, RunRecord, Schedule, Stream};
use crate::observe::{self, Plan, RunError, Sharing, TraceError, TracedRun};
use crate::schedule::{Selection, TooManyChoices, next_path};
use crate::submission::Program;

/// So many orders are tried at most.
const MOST_ORDERS: usize = 5_000;

/// SIGBUS and SIGSEGV.
const FAULTS: [i32; 2] = [7, 11];

/// The runs of a submission.
#[derive(Debug, Default)]
pub struct Runs {
    /// One record a run, in the order in which they were made.
    pub records: Vec<RunRecord>,
    /// How many of the orders of births and outputs were tried.
    pub orders: Orders,
    /// How many programs main is before the one that is graded, once a run has told.
    wrappers: Option<u32>,
    /// What memory the processes of a run may share.
    sharing: Sharing,
    /// Whether processes may have sent each other messages.
    sends_messages: bool,
    /// Whether a process has asked whether an output is a terminal.
    asks_for_terminal: bool,
    /// Whether a run at the accesses to shared memory proved nothing, as others would not.
    is_spoilt: bool,
    /// Whether a run for an order could not be steered to its end.
    is_unsteered: bool,
    /// How many lines main writes to standard error in a free run.
    complaints: usize,
}

/// Runs a program as a question asks, once for each schedule of a selection.
///
/// Where tracing is refused nobody can be made to wait, so that only the free runs are made, and two of them where the
/// selection has none.
/// After a run that timed out or reached a limit there is no other: nobody waits for one endless loop several times.
///
/// # Errors
///
/// A run could not be made.
pub fn run_all(program: &Program, question: &Question, selection: &Selection) -> Result<Runs, RunError> {
    run_until(program, question, selection, |_| false)
}

/// The same, but no run is made any more as soon as those that were made are enough.
///
/// # Errors
///
/// A run could not be made.
pub fn run_until(
    program: &Program,
    question: &Question,
    selection: &Selection,
    is_enough: impl Fn(&[RunRecord]) -> bool,
) -> Result<Runs, RunError> {
    let orders = if selection.every_order() { Orders::TooMany } else { Orders::Some };
    let mut runs = Runs { orders, ..Runs::default() };
    for schedule in schedules(question, selection) {
        if !runs.is_worth_its_time(schedule, selection) {
            continue;
        }
        match one(program, question, schedule, &mut runs) {
            Ok(_) if runs.at_a_limit() || is_enough(&runs.records) => return Ok(runs),
            Ok(_) => {}
            Err(TraceError::Refused(error)) => return plain(program, question, selection, &error),
            Err(TraceError::Run(error)) => return Err(error),
        }
    }
    if runs.records.iter().all(|run| run.schedule.policy.is_without_children()) {
        // No run of the whole program was worth anything: at least what happens by itself is to be judged.
        let free = Schedule { policy: Policy::Free, seed: 0 };
        one(program, question, free, &mut runs).map_err(|error| cannot_follow(program, error))?;
    }
    if selection.every_order() {
        every_order(program, question, &mut runs).map_err(|error| cannot_follow(program, error))?;
    }
    Ok(runs)
}

/// The error of a run after another one that could be followed.
fn cannot_follow(program: &Program, error: TraceError) -> RunError {
    match error {
        TraceError::Refused(source) => RunError::Follow { executable: program.executable.clone(), source },
        TraceError::Run(error) => error,
    }
}

impl Runs {
    /// Whether races in shared memory may have gone unseen, since a run that would have shown them proved nothing.
    #[must_use]
    pub fn may_have_missed_races(&self) -> bool {
        self.is_spoilt && self.sharing == Sharing::Memory
    }

    /// Whether a run on a terminal, at messages or at the accesses to shared memory may show what others do not; nothing is
    /// known of that before the first run.
    ///
    /// Pools and queues have semaphores too, and most programs none of their own: these get a third of the runs at memory.
    fn is_worth_its_time(&self, schedule: Schedule, selection: &Selection) -> bool {
        match schedule.policy {
            _ if schedule.is_on_terminal() => return self.asks_for_terminal || self.records.is_empty(),
            Policy::Messages => return self.sends_messages || self.records.is_empty(),
            Policy::Memory if self.is_spoilt => return false,
            Policy::Memory => {}
            _ => return true,
        }
        let mut seeds = selection.schedules().iter().filter(|other| other.policy == Policy::Memory);
        match self.sharing {
            Sharing::Nothing => self.records.is_empty(),
            Sharing::Semaphores => {
                let of = seeds.clone().count();
                seeds.position(|other| *other == schedule).is_some_and(|place| place < of.div_ceil(3))
            }
            Sharing::Memory => true,
        }
    }

    /// Whether the last run used up its time or reached another limit, as the next would too.
    fn at_a_limit(&self) -> bool {
        let ending = self.records.last().map(|record| &record.ending);
        matches!(ending, Some(Ending::TimedOut | Ending::LimitExceeded(_)))
    }
}

/// The schedules of a selection, and those with too few children where a check asks whether they are needed.
fn schedules(question: &Question, selection: &Selection) -> Vec<Schedule> {
    let mut schedules = selection.schedules().to_vec();
    let needed = |condition: &Condition| match condition {
        Condition::Processes(condition) => condition.needed,
        _ => None,
    };
    for needed in question.checks.iter().filter_map(|check| needed(&check.condition)) {
        for schedule in Schedule::without_children(needed) {
            if !schedules.contains(&schedule) {
                schedules.push(schedule);
            }
        }
    }
    schedules
}

/// Makes one run; returns the choices that its schedule made.
fn one(
    program: &Program,
    question: &Question,
    schedule: Schedule,
    runs: &mut Runs,
) -> Result<Vec<crate::schedule::Choice>, TraceError> {
    let wrappers = match runs.wrappers {
        None if schedule.policy != Policy::Free => {
            // Only a run tells how many programs main is before the one that is graded.
            let scout = Schedule { policy: Policy::Free, seed: 0 };
            let scout = observe::run_traced(program, &question.run, &question.limits, scout)?;
            runs.complaints = complaints(&scout.record);
            scout.wrappers
        }
        wrappers => wrappers.unwrap_or(0),
    };
    let mut plan = Plan { wrappers, ..Plan::from(schedule) };
    let mut run = observe::run_traced(program, &question.run, &question.limits, plan)?;
    while gave_up(&run, runs.complaints)
        && let Some(more_patient) = plan.more_patient(&run)
    {
        plan = more_patient;
        run = observe::run_traced(program, &question.run, &question.limits, plan)?;
    }
    if schedule.policy == Policy::Free {
        runs.complaints = complaints(&run.record);
    }
    runs.sharing = runs.sharing.max(run.sharing);
    runs.sends_messages |= run.sends_messages;
    runs.asks_for_terminal |= run.asks_for_terminal;
    runs.is_unsteered |= schedule.policy == Policy::Exhaustive && run.is_unsteered;
    if run.is_disturbed || is_spoilt(&run.record) {
        runs.is_spoilt = true;
        return Ok(run.choices);
    }
    runs.wrappers = Some(if schedule.policy == Policy::Free { run.wrappers } else { wrappers });
    runs.records.push(run.record);
    Ok(run.choices)
}

/// Whether a run proves nothing: it ended badly while processes were kept out of what they share, and nobody knows whether
/// it would have without.
fn is_spoilt(run: &RunRecord) -> bool {
    let has_faulted = |status| matches!(status, Some(ExitStatus::Signal(signal)) if FAULTS.contains(&signal));
    run.schedule.policy == Policy::Memory
        && (matches!(run.ending, Ending::TimedOut | Ending::LimitExceeded(_))
            || run.processes.iter().any(|process| has_faulted(process.status)))
}

/// Whether somebody gave up in a run since a generous timeout was over, which it was only since others were held.
///
/// Whoever gives up says so: by how it ends, or by words that it has no use for in a free run.
fn gave_up(run: &TracedRun, usual_complaints: usize) -> bool {
    let ended_badly = |number: &u32| match run.record.process(*number).and_then(|one| one.status) {
        Some(ExitStatus::Code(code)) => code != 0,
        Some(signal) => *number == 0 || !signal.is_by_others(),
        None => false,
    };
    let mut concerned = std::iter::once(&0).chain(&run.hurried);
    !run.hurried.is_empty() && (concerned.any(ended_badly) || complaints(&run.record) > usual_complaints)
}

/// How many lines main has written to standard error.
fn complaints(run: &RunRecord) -> usize {
    run.stream(Stream::Stderr).iter().filter(|line| line.writer == Some(0)).count()
}

/// Makes a run for every order, as far as their number and their seeds go.
fn every_order(program: &Program, question: &Question, runs: &mut Runs) -> Result<(), TraceError> {
    let mut next = Some(0);
    for _ in 0..MOST_ORDERS {
        let Some(seed) = next else { break };
        let choices = one(program, question, Schedule { policy: Policy::Exhaustive, seed }, runs)?;
        if runs.at_a_limit() {
            break;
        }
        match next_path(&choices) {
            Ok(seed) => next = seed,
            Err(TooManyChoices) => break,
        }
    }
    if next.is_none() {
        runs.orders = if runs.is_unsteered { Orders::Unsure } else { Orders::All };
    }
    Ok(())
}

/// The free runs alone, of which nothing but the output and the end of main are seen.
fn plain(
    program: &Program,
    question: &Question,
    selection: &Selection,
    refused: &std::io::Error,
) -> Result<Runs, RunError> {
    let reason = format!(
        "This machine does not let the grader observe processes ({refused}), so only the output and the end of main \
         were looked at. `cargo grader doctor` says what can be done about it."
    );
    let mut runs = Runs::default();
    for schedule in free_schedules(selection) {
        let record = observe::run_plain(program, &question.run, &question.limits, schedule, &reason)?;
        runs.records.push(record);
        if runs.at_a_limit() {
            break;
        }
    }
    Ok(runs)
}

fn free_schedules(selection: &Selection) -> Vec<Schedule> {
    let is_free = |schedule: &Schedule| schedule.policy == Policy::Free;
    let free: Vec<Schedule> = selection.schedules().iter().copied().filter(is_free).collect();
    if free.is_empty() { Selection::free().schedules().to_vec() } else { free }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_free_runs_of_a_selection_are_made_where_nobody_can_be_held() {
        let names = |text: &str| -> Vec<String> {
            free_schedules(&text.parse().unwrap()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(names("quick"), ["free", "free:1"]);
        assert_eq!(names("free:5"), ["free:5"]);
        assert_eq!(names("children-last"), ["free", "free:1"]);
    }
}
