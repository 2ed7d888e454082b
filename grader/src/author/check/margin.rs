//! How much of each limit the solution uses.

use std::time::Duration;

use super::job::{Job, Outcome};
use crate::model::{About, Limit, Margin, Question, RunRecord, Statement, size};

/// The margins of a question's limits; none where no run of its solution was made.
pub(super) fn of(question: &Question, graded: &[(&Job<'_>, &Outcome)]) -> Vec<Margin> {
    // On a busy machine time says nothing.
    let Some((_, outcome)) = graded.iter().find(|(job, _)| job.is_solution()) else { return Vec::new() };
    let runs = &outcome.graded.runs;
    if runs.is_empty() {
        return Vec::new();
    }
    let most = |used: &dyn Fn(&RunRecord) -> u64| runs.iter().map(used).max().unwrap_or(0);
    let limits = &question.limits;
    let margin = |limit, allowed, used: u64| Margin { limit, used, allowed };
    vec![
        margin(None, nanoseconds(limits.wall), most(&|run| nanoseconds(run.wall))),
        margin(
            Some(Limit::Cpu),
            nanoseconds(limits.cpu),
            most(&|run| of_processes(run, |p| nanoseconds(p.cpu))),
        ),
        margin(Some(Limit::Memory), limits.memory, most(&|run| of_processes(run, |p| p.peak_memory))),
        margin(Some(Limit::Processes), limits.processes, most(&|run| most_alive(run))),
        margin(
            Some(Limit::Output),
            limits.output,
            most(&|run| run.lines.iter().map(|line| line.text.len() as u64 + 1).sum()),
        ),
    ]
}

/// What the margins come to.
pub(super) fn statement(margins: &[Margin]) -> Option<Statement> {
    if margins.is_empty() {
        return None;
    }
    let used: Vec<String> = margins.iter().map(in_words).collect();
    let text = format!("the solution uses {}", used.join(", "));
    let narrow: Vec<String> = margins
        .iter()
        .filter(|margin| margin.is_narrow())
        .map(|margin| format!("more than half of its {} is used: raise the limit", name(margin.limit)))
        .collect();
    Some(match narrow.is_empty() {
        true => Statement::new(About::Limits, text, Vec::new()),
        false => Statement::remark(About::Limits, text, narrow),
    })
}

fn of_processes(run: &RunRecord, used: impl Fn(&crate::model::Process) -> u64) -> u64 {
    run.processes.iter().map(used).max().unwrap_or(0)
}

/// The most processes alive at one moment, main included.
fn most_alive(run: &RunRecord) -> u64 {
    let alive_at = |moment: Duration| {
        let alive = run
            .processes
            .iter()
            .filter(|one| one.born <= moment && one.ended.is_none_or(|ended| ended > moment));
        alive.count() as u64
    };
    run.processes.iter().map(|one| alive_at(one.born)).max().unwrap_or(0)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn name(limit: Option<Limit>) -> String {
    limit.map_or_else(|| "time".to_owned(), |limit| limit.to_string())
}

/// `31 ms of 10 s`, `5 of 64 processes`.
fn in_words(margin: &Margin) -> String {
    let Margin { limit, used, allowed } = *margin;
    match limit {
        None => format!("{} of {}", time(used), time(allowed)),
        Some(Limit::Cpu) => format!("{} of {} CPU time", time(used), time(allowed)),
        Some(Limit::Memory) => format!("{} of {} memory", size(used), size(allowed)),
        Some(Limit::Processes) => format!("{used} of {allowed} processes"),
        Some(Limit::Output) => format!("{} of {} output", size(used), size(allowed)),
    }
}

fn time(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds as f64 / 1e6;
    if milliseconds >= 1000.0 {
        let seconds = (milliseconds / 100.0).round() / 10.0;
        return format!("{seconds} s");
    }
    format!("{} ms", milliseconds.ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_units_that_fit() {
        assert_eq!(time(10_000_000_000), "10 s");
        assert_eq!(time(1_260_000_000), "1.3 s");
        assert_eq!(time(30_100_000), "31 ms");
    }

    #[test]
    fn a_limit_of_which_more_than_half_is_used_is_told() {
        let margin = |used| Margin { limit: Some(Limit::Processes), used, allowed: 64 };
        assert_eq!(statement(&[margin(32)]).unwrap().details, Vec::<String>::new());
        let narrow = statement(&[margin(33)]).unwrap();
        assert_eq!(narrow.text, "the solution uses 33 of 64 processes");
        assert_eq!(narrow.details, ["more than half of its processes is used: raise the limit"]);
        assert_eq!(statement(&[]), None);
    }
}
