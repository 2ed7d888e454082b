//! A learner's prediction held against all that the program can print.
//!
//! The runs are of the question's own program, in every order of births and outputs. So an output is possible when a run
//! prints it, and impossible when all orders were run and none does; whoever was wrong is shown the run, or the line
//! that no order brings about.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Evidence;
use super::circumstances::with_steps;
use super::outcome::Outcome;
use super::output;
use super::shown::{clipped, listed, plural, quoted};
use crate::model::{
    Candidate, Claim, Ending, ExitStatus, Explanation, Line, Mark, Observation, Orders, Policy, Predict,
    Prediction, RunRecord, Stream, signal_name,
};

/// What a check comes to, and the run that shows it.
pub(super) type Judged<'a> = (Outcome, Option<&'a RunRecord>);

/// Whether the outputs that a check names are marked as they are.
pub(super) fn judge<'a>(predict: &Predict, outputs: &[String], evidence: &'a Evidence) -> Judged<'a> {
    let (file, claims) = match &evidence.prediction {
        Prediction::Marks { file, claims } => (file, claims),
        Prediction::Unreadable(explanation) => return (Outcome::Broken(explanation.clone()), None),
        Prediction::NotGiven(why) => return (Outcome::Unseen(why.clone()), None),
    };
    if let Some(fault) = fault(predict, evidence) {
        return (Outcome::Fault(fault), None);
    }
    let possibilities = Possibilities { runs: &evidence.runs, orders: evidence.orders };
    let candidates = predict.outputs.iter().filter(|candidate| outputs.contains(&candidate.name));
    let marked: Vec<(&Candidate, Claim, Truth<'_>)> = candidates
        .map(|candidate| {
            let claim = claims.get(&candidate.name).copied().unwrap_or(Claim::Open);
            (candidate, claim, possibilities.truth(candidate))
        })
        .collect();
    if let Some(fault) = all_alike(&marked) {
        return (Outcome::Fault(fault), None);
    }
    let is_wrong = |claim: &Claim, truth: &Truth<'_>| {
        matches!(
            (claim, truth),
            (Claim::Impossible, Truth::Possible(_)) | (Claim::Possible, Truth::Impossible)
        )
    };
    let mut wrong = marked.iter().filter(|(_, claim, truth)| is_wrong(claim, truth));
    if let Some((candidate, _, truth)) = wrong.next() {
        let others = wrong.count();
        return match truth {
            Truth::Possible(run) => {
                let explanation = with_steps(explain_possible(candidate, run), run);
                (Outcome::Broken(with_others(explanation, others)), Some(*run))
            }
            _ => (Outcome::Broken(with_others(possibilities.explain_impossible(candidate), others)), None),
        };
    }
    let open: Vec<String> = marked
        .iter()
        .filter(|(_, claim, _)| *claim == Claim::Open)
        .map(|(candidate, ..)| quoted(&candidate.name))
        .collect();
    if !open.is_empty() {
        let verb = if open.len() == 1 { "is" } else { "are" };
        let text = format!(
            "{} {verb} not marked yet: write `possible` or `impossible` into {}.",
            listed(&open),
            quoted(file)
        );
        return (Outcome::Broken(Explanation::new(text)), None);
    }
    let unseen = marked.iter().find_map(|(_, _, truth)| match truth {
        Truth::Unknown(why) => Some(why.clone()),
        _ => None,
    });
    (unseen.map_or(Outcome::Holds, Outcome::Unseen), None)
}

/// What is known of an output.
enum Truth<'a> {
    /// This run prints it.
    Possible(&'a RunRecord),
    /// All orders were run, and none prints it.
    Impossible,
    /// No run that was made prints it, and there are others, for this reason.
    Unknown(String),
}

/// All that the program was seen to print.
struct Possibilities<'a> {
    runs: &'a [RunRecord],
    orders: Orders,
}

impl<'a> Possibilities<'a> {
    fn truth(&self, candidate: &Candidate) -> Truth<'a> {
        // A run that can be made again proves more than a free one, and of several the shortest shows it best.
        let shows = self.runs.iter().filter(|run| texts(run) == candidate.lines);
        let best = shows.min_by_key(|run| (run.schedule.policy == Policy::Free, run.steps.len()));
        match (best, self.orders) {
            (Some(run), _) => Truth::Possible(run),
            (None, Orders::All) => Truth::Impossible,
            (None, Orders::Some | Orders::TooMany | Orders::Unsure) => Truth::Unknown(self.why_unknown()),
        }
    }

    fn why_unknown(&self) -> String {
        let unobserved = self.runs.iter().find_map(|run| match &run.observation {
            Observation::OutputOnly { reason } => Some(reason.clone()),
            Observation::Full => None,
        });
        unobserved.unwrap_or_else(|| {
            "Only some of the orders were run, so that nobody knows what the others print: leave `--schedules` out \
             to have all of them run."
                .to_owned()
        })
    }

    /// The orders in which the program was run.
    fn every_order(&self) -> impl Iterator<Item = &'a RunRecord> {
        self.runs.iter().filter(|run| run.schedule.policy == Policy::Exhaustive)
    }

    /// Where an output leaves what the program can print.
    fn explain_impossible(&self, candidate: &Candidate) -> Explanation {
        let outputs: BTreeSet<Vec<String>> = self.every_order().map(texts).collect();
        let count = plural(self.every_order().count(), "order");
        let like = |output: &&Vec<String>, length: usize| {
            output.len() >= length && output[..length] == candidate.lines[..length]
        };
        let right = (0..=candidate.lines.len())
            .rev()
            .find(|length| outputs.iter().any(|output| like(&output, *length)))
            .unwrap_or(0);
        let name = quoted(&candidate.name);
        let all = format!("all {count} in which processes can begin and print");
        let Some(wrong) = candidate.lines.get(right) else {
            let next: BTreeSet<&String> = outputs
                .iter()
                .filter(|output| like(output, right))
                .filter_map(|output| output.get(right))
                .collect();
            let text = format!(
                "{name} is impossible: it ends too early. In {all}, what begins like it goes on with {}.",
                alternatives(&next)
            );
            return listing(Explanation::new(text), candidate, None, &[]);
        };
        let before: Vec<&String> = always_before(&outputs, wrong)
            .into_iter()
            .filter(|line| !candidate.lines[..right].contains(line))
            .collect();
        let place = format!("line {}, {}", right + 1, quoted(wrong));
        let text = if !before.is_empty() {
            let names: Vec<String> = before.iter().map(|line| quoted(line)).collect();
            let verb = if names.len() == 1 { "comes" } else { "come" };
            format!(
                "{name} is impossible: {place}, comes too early. In {all}, {} {verb} before it.",
                listed(&names)
            )
        } else if outputs.iter().any(|output| output.contains(wrong)) {
            let next: BTreeSet<&String> = outputs
                .iter()
                .filter(|output| like(output, right))
                .filter_map(|output| output.get(right))
                .collect();
            let what = match next.is_empty() {
                true => "ends there".to_owned(),
                false => format!("goes on with {}", alternatives(&next)),
            };
            format!("{name} is impossible: {place}. In {all}, what begins like it {what}.")
        } else {
            format!("{name} is impossible: {place}. In {all}, nobody prints it.")
        };
        listing(Explanation::new(text), candidate, Some(right), &before)
    }
}

/// Lines that stand before `line` in every output; each of them, like `line` itself, stands in every output once.
fn always_before<'a>(outputs: &'a BTreeSet<Vec<String>>, line: &String) -> Vec<&'a String> {
    let only_place = |output: &[String], line: &String| {
        let mut places = (0..output.len()).filter(|index| output[*index] == *line);
        places.next().filter(|_| places.next().is_none())
    };
    let Some(first) = outputs.first() else { return Vec::new() };
    let comes_before = |other: &&String| {
        outputs.iter().all(|output| match (only_place(output, other), only_place(output, line)) {
            (Some(other), Some(line)) => other < line,
            _ => false,
        })
    };
    first.iter().filter(comes_before).collect()
}

/// The lines of an output that cannot be, with the one marked at which it goes wrong.
fn listing(
    mut explanation: Explanation,
    candidate: &Candidate,
    wrong: Option<usize>,
    before: &[&String],
) -> Explanation {
    for (index, line) in candidate.lines.iter().enumerate() {
        let number = wrong.map_or(0, |wrong| wrong + 1);
        let (mark, note) = match wrong {
            Some(wrong) if index == wrong && !before.is_empty() => (Mark::Wrong, "too early".to_owned()),
            Some(wrong) if index == wrong => (Mark::Wrong, "not here".to_owned()),
            Some(wrong) if index > wrong && before.contains(&line) => {
                (Mark::Right, format!("has to come before line {number}"))
            }
            _ => (Mark::Plain, String::new()),
        };
        explanation = explanation.with_line((index + 1).to_string(), clipped(line, 0).0, mark, &note);
    }
    explanation
}

/// The run that prints an output which was held for impossible.
fn explain_possible(candidate: &Candidate, run: &RunRecord) -> Explanation {
    let mut explanation = Explanation::new(format!(
        "{} is possible: under the schedule {} the program prints just that.",
        quoted(&candidate.name),
        run.schedule
    ));
    for (index, line) in run.stream(Stream::Stdout).into_iter().enumerate() {
        let writer = line.writer.and_then(|writer| run.processes.iter().find(|one| one.number == writer));
        let note = writer.map_or(String::new(), |writer| format!("by {}", writer.label()));
        explanation =
            explanation.with_line((index + 1).to_string(), clipped(&line.text, 0).0, Mark::Plain, &note);
    }
    explanation
}

fn with_others(mut explanation: Explanation, others: usize) -> Explanation {
    match others {
        0 => {}
        1 => explanation.text.push_str(" One more mark of this check is wrong."),
        others => explanation.text.push_str(&format!(" {others} more marks of this check are wrong.")),
    }
    explanation
}

/// "`a`", "`a` or `b`".
fn alternatives(lines: &BTreeSet<&String>) -> String {
    let names: Vec<String> = lines.iter().map(|line| quoted(line)).collect();
    names.join(" or ")
}

fn texts(run: &RunRecord) -> Vec<String> {
    run.stream(Stream::Stdout).iter().map(|line| line.text.clone()).collect()
}

/// Why the question itself cannot be decided.
fn fault(predict: &Predict, evidence: &Evidence) -> Option<String> {
    let runs = &evidence.runs;
    if runs.is_empty() {
        return Some("No run was made.".to_owned());
    }
    if let Some(fault) = runs.iter().find_map(|run| fault_of_run(predict, run)) {
        return Some(fault);
    }
    match evidence.orders {
        Orders::Some => None,
        Orders::TooMany => {
            let count = runs.iter().filter(|run| run.schedule.policy == Policy::Exhaustive).count();
            Some(format!(
                "The question's program has more orders than the {count} that were run; it has to be made shorter."
            ))
        }
        Orders::Unsure => Some(
            "The question's program looks again and again for what it waits for, so that not every order can be run; it \
             has to wait for it, as `join` does."
                .to_owned(),
        ),
        Orders::All => {
            let (every, free): (Vec<&RunRecord>, Vec<&RunRecord>) =
                runs.iter().partition(|run| run.schedule.policy == Policy::Exhaustive);
            let known: BTreeSet<Vec<String>> = every.into_iter().map(texts).collect();
            unforeseen(&free, &known).or_else(|| too_wide(predict, &runs[0], &known))
        }
    }
}

/// Why trying all orders does not show all outputs of a program.
fn unforeseen(free: &[&RunRecord], known: &BTreeSet<Vec<String>>) -> Option<String> {
    let run = free.iter().find(|run| !known.contains(&texts(run)))?;
    Some(format!(
        "The run {} printed what no order of births and outputs prints: the output of the question's program depends on \
         something else as well, and cannot be predicted by trying all orders.",
        run.schedule
    ))
}

/// Why a pattern allows more than the program prints, as far as the outputs to mark tell.
fn too_wide(predict: &Predict, run: &RunRecord, known: &BTreeSet<Vec<String>>) -> Option<String> {
    let pattern = predict.pattern.as_ref()?;
    let line = |text: &String| Line {
        text: text.clone(),
        invalid_utf8: false,
        stream: Stream::Stdout,
        writer: None,
        begun: Duration::ZERO,
        at: Duration::ZERO,
        torn: false,
    };
    let printed =
        |output: &Candidate| RunRecord { lines: output.lines.iter().map(line).collect(), ..run.clone() };
    let mut outputs = predict.outputs.iter().filter(|output| !known.contains(&output.lines));
    let allowed = outputs.find(|output| output::judge_text(&printed(output), pattern) == Outcome::Holds)?;
    Some(format!("The `pattern` allows the output {}, which no order prints.", quoted(&allowed.name)))
}

/// Why a run of the question's program is none of a sound question.
fn fault_of_run(predict: &Predict, run: &RunRecord) -> Option<String> {
    let how = match (&run.ending, run.main_status()) {
        (Ending::TimedOut, _) => "used up its time".to_owned(),
        (Ending::Deadlocked { waits }, _) => format!("was stuck ({})", waits.join(" ")),
        (Ending::LimitExceeded(limit), _) => format!("reached its limit for {limit}"),
        (Ending::Finished, Some(ExitStatus::Signal(signal))) => {
            format!("was ended by {}", signal_name(signal))
        }
        (Ending::Finished, _) => {
            let pattern = predict.pattern.as_ref()?;
            return match output::judge_text(run, pattern) {
                Outcome::Broken(explanation) => Some(format!(
                    "In the run {} the question's program prints what its `pattern` does not allow. {}",
                    run.schedule, explanation.text
                )),
                Outcome::Fault(why) => Some(why),
                Outcome::Holds | Outcome::Unseen(_) => None,
            };
        }
    };
    Some(format!("In the run {} the question's program {how}.", run.schedule))
}

/// A check whose outputs are all possible, or all impossible, is passed by marking everything the same.
fn all_alike(marked: &[(&Candidate, Claim, Truth<'_>)]) -> Option<String> {
    let possible = marked.iter().filter(|(.., truth)| matches!(truth, Truth::Possible(_))).count();
    let impossible = marked.iter().filter(|(.., truth)| matches!(truth, Truth::Impossible)).count();
    let word = match (possible == marked.len(), impossible == marked.len()) {
        (true, _) => "possible",
        (_, true) => "impossible",
        _ => return None,
    };
    Some(format!(
        "All outputs of this check are {word}, so that it is passed without thinking; it has to name one of the other \
         kind as well."
    ))
}
