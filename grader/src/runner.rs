//! A program, a question and a selection of schedules give run records.
//!
//! Responsible for which runs are made and when to stop making them; how one is made is the observer's business.

use crate::model::{Ending, Policy, Question, RunRecord, Schedule};
use crate::observe::{self, PLAIN_REASON, RunError};
use crate::schedule::Selection;
use crate::submission::Program;

/// Runs a program as a question asks, once for each schedule that can be had here.
///
/// Without observation nobody can be made to wait, so that only the free runs of a selection are made, and two
/// of them where it has none.
/// After a run that timed out there is no other: nobody waits for one endless loop several times.
///
/// # Errors
///
/// A run could not be made.
pub fn run_all(
    program: &Program,
    question: &Question,
    selection: &Selection,
) -> Result<Vec<RunRecord>, RunError> {
    let mut records = Vec::new();
    for schedule in free_schedules(selection) {
        let record = observe::run_plain(program, &question.run, &question.limits, schedule, PLAIN_REASON)?;
        let timed_out = record.ending == Ending::TimedOut;
        records.push(record);
        if timed_out {
            break;
        }
    }
    Ok(records)
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
    fn only_the_free_runs_of_a_selection_are_made() {
        let names = |text: &str| -> Vec<String> {
            free_schedules(&text.parse().unwrap()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(names("quick"), ["free", "free:1"]);
        assert_eq!(names("free:5"), ["free:5"]);
        assert_eq!(names("children-last"), ["free", "free:1"]);
    }
}
