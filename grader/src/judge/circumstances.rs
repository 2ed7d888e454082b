//! What an explanation says of the run that it is about: how that one ended, and why its author may never have seen the like.

use super::{Evidence, has_children, output, shown, telling};
use crate::model::{Ending, ExitStatus, Explanation, Limits, Policy, Process, RunRecord, signal_name};

/// Adds all that there is to say of `run`, one of those that broke the check.
pub(super) fn add(
    explanation: Explanation,
    run: &RunRecord,
    broken: &[&RunRecord],
    evidence: &Evidence,
    limits: &Limits,
) -> Explanation {
    let explanation = with_ending(explanation, run, limits);
    let explanation = with_steering(explanation, run, broken, &evidence.runs);
    with_terminal(with_steps(explanation, run), run, broken, &evidence.runs)
}

/// An explanation that begins with why the run was over, where that was not main's own end.
fn with_ending(mut explanation: Explanation, run: &RunRecord, limits: &Limits) -> Explanation {
    let why = match &run.ending {
        Ending::TimedOut => {
            let running = run.processes.iter().filter(|process| process.ended.is_none());
            let running: Vec<String> = running.map(Process::label).collect();
            let who = match running.as_slice() {
                [] => String::new(),
                running => format!(", with {} still running", shown::listed_in_short(running)),
            };
            format!(
                "The program was ended after {} s, the time that this question gives it{who}.",
                limits.wall.as_secs_f64()
            )
        }
        Ending::Deadlocked { waits } => format!("The program was stuck: {}", waits.join(" ")),
        Ending::LimitExceeded(limit) => {
            format!("The program was ended since it reached its limit for {limit}.")
        }
        Ending::Finished => match run.main_status() {
            Some(ExitStatus::Signal(signal)) => {
                format!("Main crashed: it was ended by {}.", signal_name(signal))
            }
            _ => return explanation,
        },
    };
    explanation.text = format!("{why} {}", explanation.text);
    explanation
}

/// An explanation that says where an order comes from which its author may never have seen.
fn with_steering(
    mut explanation: Explanation,
    run: &RunRecord,
    broken: &[&RunRecord],
    runs: &[RunRecord],
) -> Explanation {
    let is_steered = !matches!(run.schedule.policy, Policy::Free | Policy::Exhaustive);
    let by_births = telling::orders_births(run.schedule);
    let is_free = |run: &RunRecord| run.schedule.policy == Policy::Free;
    let goes_well_alone = runs.iter().any(is_free) && !broken.iter().any(|run| is_free(run));
    if is_steered && explanation.listing.iter().any(|line| line.note == output::TOO_EARLY) {
        explanation.text += " The grader chose this order, as a busy machine may; a sleep is no wait.";
    } else if by_births
        && goes_well_alone
        && !explanation.listing.is_empty()
        && run.ending == Ending::Finished
    {
        explanation.text += " Left alone, the program printed what it should; here the grader chose another order in \
                             which its processes go on, as a busy machine may. Wait for what has to be there first; a \
                             sleep is no wait.";
    }
    if run.schedule.policy == Policy::Messages
        && !explanation.listing.is_empty()
        && run.ending == Ending::Finished
    {
        explanation.text += " In this run what the processes send each other, or write into the same file, came in \
                             another order than usual, as it may on any machine.";
    }
    if run.schedule.policy == Policy::Memory {
        explanation.text += match run.ending {
            Ending::Deadlocked { .. } => {
                " It happens when one process comes between two steps of another: let all take their locks in the same \
                 order."
            }
            _ => {
                " It happens when one process comes between another's accesses to the memory that they share: hold a lock \
                 from reading a value until it is written back."
            }
        };
    }
    explanation
}

/// An explanation that ends with the order in which it happened, where every order was tried.
pub(super) fn with_steps(mut explanation: Explanation, run: &RunRecord) -> Explanation {
    if run.schedule.policy == Policy::Exhaustive && !run.steps.is_empty() {
        let steps: Vec<String> = run.steps.iter().map(ToString::to_string).collect();
        explanation.text = format!("{} It happens in this order: {}.", explanation.text, steps.join(", "));
    }
    explanation
}

/// An explanation that says so where it depends on whether the output is a terminal, on which a learner may never have seen
/// it, or never without.
fn with_terminal(
    mut explanation: Explanation,
    run: &RunRecord,
    broken: &[&RunRecord],
    runs: &[RunRecord],
) -> Explanation {
    let is_broken = |run: &RunRecord| broken.iter().any(|other| other.schedule == run.schedule);
    let (on_terminal, elsewhere): (Vec<&RunRecord>, Vec<&RunRecord>) =
        runs.iter().filter(|run| has_children(run)).partition(|run| run.schedule.is_on_terminal());
    let holds_there = on_terminal.iter().any(|run| !is_broken(run));
    // A run on a terminal alone tells nothing of others.
    let holds_elsewhere = !elsewhere.is_empty() && !elsewhere.iter().any(|run| is_broken(run));
    if run.schedule.is_on_terminal() && holds_elsewhere {
        explanation.text += " It shows on a terminal, where each line comes out as it is printed; into a pipe or a file a \
                             program may keep its lines until it ends, and that hides it.";
    } else if holds_there && !explanation.listing.is_empty() && elsewhere.iter().all(|run| is_broken(run)) {
        explanation.text += " On a terminal it is right, where each line comes out as it is printed; into a pipe or a file \
                             the program keeps its lines until it flushes them or ends in the usual way. Flush them, in \
                             Python with `flush=True`.";
    }
    explanation
}
