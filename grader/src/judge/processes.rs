//! What a run's processes are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::count;
use super::helper::is_helper;
use super::outcome::Outcome;
use super::shown::{children as children_counted, listed, listed_in_short, plural};
use crate::model::{
    By, Check, Condition, Count, ExitStatus, Explanation, Number, Observation, Policy, Process,
    ProcessesCondition, Question, Relation, RunRecord, Schedule, Stream, signal_name,
};

/// What must be seen of one run: how many children there were and how they ended.
///
/// `alive_together`, `busy` and `needed` are not judged here: one run that shows them is enough.
pub(super) fn judge(condition: &ProcessesCondition, run: &RunRecord) -> Outcome {
    if let Observation::OutputOnly { reason } = &run.observation {
        return Outcome::Unseen(reason.clone());
    }
    created(condition, run).and(|| threads(condition, run)).and(|| ended_by(condition, run))
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

fn threads(condition: &ProcessesCondition, run: &RunRecord) -> Outcome {
    let Some(count) = condition.threads else { return Outcome::Holds };
    let seen = run.processes.first().map_or(0, |main| main.threads as usize);
    if count::holds(count, seen, &run.machine) {
        return Outcome::Holds;
    }
    let started = match seen {
        0 => "Main started no thread".to_owned(),
        seen => format!("Main started {}", plural(seen, "thread")),
    };
    Outcome::Broken(Explanation::new(format!("{started}; {} expected.", count::described(count))))
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
    let who = if ended.is_empty() { "No process".to_owned() } else { listed_in_short(&ended) };
    Outcome::Broken(Explanation::new(format!(
        "{who} ended by {}; {} expected.",
        signal_name(ended_by.signal),
        count::described(ended_by.count)
    )))
}

/// Which children have to be alive at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    /// Any.
    All,
    /// Those who print, each with whoever it has started to do so and waits for.
    Writers,
}

impl Together {
    /// Where a question asks for as many lines by children of their own, it is these that have to be alive together: a
    /// process that only stands beside them is not meant.
    pub(super) fn asked_by(question: &Question, count: Count) -> Together {
        let own_lines = |check: &Check| match &check.condition {
            Condition::Output(expectation) => expectation.lines_by(By::OwnChild),
            _ => 0,
        };
        let own_lines = question.checks.iter().map(own_lines).max().unwrap_or(0);
        match (count.relation, count.number) {
            (Relation::AtLeast, Number::Given(number)) if own_lines >= number => Together::Writers,
            _ => Together::All,
        }
    }
}

/// The greatest number of children alive at one moment.
pub(super) fn most_together(run: &RunRecord, together: Together) -> usize {
    let counted: Vec<&Process> = match together {
        Together::All => children(run).collect(),
        Together::Writers => writers(run),
    };
    let alive_at = |moment| {
        counted
            .iter()
            .filter(|process| process.born <= moment && process.done.is_none_or(|done| done > moment))
            .count()
    };
    counted.iter().map(|process| alive_at(process.born)).max().unwrap_or(0)
}

/// For each process below main that prints, the first one of those that it descends from, that stand for nobody else who
/// does, and that end after it.
pub(super) fn writers(run: &RunRecord) -> Vec<&Process> {
    let printed: BTreeSet<u32> = run.stream(Stream::Stdout).iter().filter_map(|line| line.writer).collect();
    let printed: Vec<&Process> =
        printed.into_iter().filter(|number| *number != 0).filter_map(|number| run.process(number)).collect();
    let line = |writer| {
        std::iter::once(writer)
            .chain(run.ancestors(writer))
            .take_while(|process: &&Process| process.number != 0)
    };
    // How many of those who print descend from each process, or are it.
    let mut descendants: BTreeMap<u32, usize> = BTreeMap::new();
    for process in printed.iter().copied().flat_map(line) {
        *descendants.entry(process.number).or_default() += 1;
    }
    let stands_for_one = |process: &&Process| descendants.get(&process.number) == Some(&1);
    let first = printed.iter().copied().map(|writer| {
        let ends_before = |ended| writer.ended.is_none_or(|end| end > ended);
        let outlives = |process: &&Process| !process.ended.is_some_and(ends_before);
        line(writer)
            .take_while(|process| stands_for_one(process) && outlives(process))
            .last()
            .unwrap_or(writer)
    });
    first.collect()
}

/// This part of the busiest child's CPU time makes another one busy, too: a start alone takes less where there is much to
/// do, and who has the lighter half of the work has more.
const BUSY: u32 = 5;

/// The CPU times of a run's children, the longest first.
fn cpu_times(run: &RunRecord) -> Vec<Duration> {
    let mut times: Vec<Duration> = children(run).map(|child| child.cpu).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    times
}

/// How many children of a run did a good part of its work.
pub(super) fn busy(run: &RunRecord) -> usize {
    let times = cpu_times(run);
    let least = times.first().map_or(Duration::ZERO, |longest| *longest / BUSY);
    times.iter().filter(|time| **time >= least).count()
}

/// What is told if in no run enough children were busy; `run` is the one with most of them.
pub(super) fn explain_busy(run: &RunRecord, count: Count) -> Explanation {
    let times = cpu_times(run);
    let told = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
    let who = match times.as_slice() {
        [] => "There is no child".to_owned(),
        [one] => format!("The one child had {} of CPU time", told(*one)),
        times => {
            let first = times.iter().take(4).map(|time| told(*time)).collect::<Vec<_>>();
            format!(
                "The children had {} of CPU time{}",
                listed(&first),
                if times.len() > 4 { " and less" } else { "" }
            )
        }
    };
    Explanation::new(format!(
        "{who}, so {} did a good part of the work; {} expected. Give each of them its part, of about as much work.",
        children_counted(busy(run) as u64),
        count::described(count),
    ))
}

/// What is told if none of these runs showed more than `most` of the children alive together that count.
pub(super) fn explain_together(
    most: usize,
    runs: &[&RunRecord],
    together: Together,
    count: Count,
) -> Explanation {
    let greatest =
        |number: &dyn Fn(&RunRecord) -> usize| runs.iter().map(|run| number(run)).max().unwrap_or(0);
    let created = greatest(&|run| children(run).count());
    let printing = greatest(&|run| writers(run).len());
    if together == Together::Writers && printing == most && printing < created {
        let printing = match printing {
            0 => "none of the children prints".to_owned(),
            1 => "1 child prints".to_owned(),
            printing => format!("{printing} children print"),
        };
        return Explanation::new(format!(
            "Only children that print a line count here, and {printing}; {} expected. Let each child print its own.",
            count::described(count)
        ));
    }
    let advice = match created {
        0 => " The program starts no process; a thread is none.".to_owned(),
        created if created == most => {
            format!(" No more than {created} {} started.", if created == 1 { "is" } else { "are" })
        }
        _ => " Start all of them before you wait for the first; in Rust, to drop a `Process` is to wait for it, too."
            .to_owned(),
    };
    Explanation::new(format!(
        "At most {} {} alive at one moment; {} expected.{}",
        children_counted(most as u64),
        if most == 1 { "was" } else { "were" },
        count::described(count),
        if count.relation == Relation::AtMost { String::new() } else { advice },
    ))
}

/// Why children are not needed of which some were missing, where so many are to be.
pub(super) fn explain_missing(schedule: Schedule, needed: u64) -> Explanation {
    let missing = schedule.missing();
    let what = match (schedule.policy, needed) {
        (Policy::WithoutSome, _) => match (missing.start, missing.end - 1) {
            (first, last) if first == last => {
                format!("Child {first} does none of the work: without it the program prints the same.")
            }
            (first, last) => format!(
                "Children {first} to {last} do none of the work: without them the program prints the same."
            ),
        },
        (_, 1) => {
            "Without its children the program prints the same: so main does the work, not the children."
                .to_owned()
        }
        _ => format!(
            "With the first {} alone the program prints the same: so the others do none of the work.",
            children_counted(needed - 1)
        ),
    };
    Explanation::new(format!("{what} Let each child do its part, and bring its result back to main."))
}
