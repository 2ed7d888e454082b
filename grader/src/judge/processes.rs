//! What a run's processes are asked for.

use super::count;
use super::helper::is_helper;
use super::outcome::Outcome;
use super::shown::{listed, plural};
use crate::model::{
    Count, ExitStatus, Explanation, Observation, Process, ProcessesCondition, Relation, RunRecord,
    signal_name,
};

/// What must be seen of one run: how many children there were and how they ended.
///
/// `alive_together` and `needed` are not judged here: one run that shows them is enough.
pub(super) fn judge(condition: &ProcessesCondition, run: &RunRecord) -> Outcome {
    if let Observation::OutputOnly { reason } = &run.observation {
        return Outcome::Unseen(reason.clone());
    }
    created(condition, run).and(|| ended_by(condition, run))
}

/// The processes that main started for its work, directly or not.
fn children(run: &RunRecord) -> impl Iterator<Item = &Process> {
    run.processes.iter().filter(|process| process.number != 0 && !is_helper(process, run))
}

fn created(condition: &ProcessesCondition, run: &RunRecord) -> Outcome {
    let Some(count) = condition.created else { return Outcome::Holds };
    let seen = children(run).count();
    if count::holds(count, seen, &run.machine) {
        return Outcome::Holds;
    }
    let made = match seen {
        0 => "The program made no child process".to_owned(),
        seen => format!("The program made {} child process{}", seen, if seen == 1 { "" } else { "es" }),
    };
    Outcome::Broken(Explanation::new(format!("{made}; {} expected.", count::described(count))))
}

fn ended_by(condition: &ProcessesCondition, run: &RunRecord) -> Outcome {
    let Some(ended_by) = condition.ended_by else { return Outcome::Holds };
    let ended: Vec<String> = run
        .processes
        .iter()
        .filter(|process| process.status == Some(ExitStatus::Signal(ended_by.signal)))
        .map(Process::label)
        .collect();
    if count::holds(ended_by.count, ended.len(), &run.machine) {
        return Outcome::Holds;
    }
    let who = if ended.is_empty() { "No process".to_owned() } else { listed(&ended) };
    Outcome::Broken(Explanation::new(format!(
        "{who} ended by {}; {} expected.",
        signal_name(ended_by.signal),
        count::described(ended_by.count)
    )))
}

/// The greatest number of children alive at one moment.
pub(super) fn most_together(run: &RunRecord) -> usize {
    let alive_at = |moment| {
        children(run)
            .filter(|process| process.born <= moment && process.ended.is_none_or(|ended| ended > moment))
            .count()
    };
    children(run).map(|process| alive_at(process.born)).max().unwrap_or(0)
}

/// The greatest number of children that any of these runs had.
pub(super) fn most_created(runs: &[&RunRecord]) -> usize {
    runs.iter().map(|run| children(run).count()).max().unwrap_or(0)
}

/// What is told if no run showed enough children alive together, of `created` in all.
pub(super) fn explain_together(most: usize, created: usize, count: Count) -> Explanation {
    let advice = match created {
        0 => " The program starts no process; a thread is none.".to_owned(),
        created if created == most => {
            format!(" No more than {created} {} started.", if created == 1 { "is" } else { "are" })
        }
        _ => " Start all of them before you wait for the first; to drop a `Process` is to wait for it, too."
            .to_owned(),
    };
    Explanation::new(format!(
        "At most {} {} alive at one moment; {} expected.{}",
        plural(most, "child").replace("childs", "children"),
        if most == 1 { "was" } else { "were" },
        count::described(count),
        if count.relation == Relation::AtMost { String::new() } else { advice },
    ))
}
