//! From run records and a question to verdicts, points and explanations.
//!
//! Judging is pure: the same records and question give the same grade, whatever the time, the machine or the files.
//! A check fails as soon as anything that was seen disproves it, and passes only when all that it asks for was seen;
//! what could not be seen makes it *not run*, never a pass.

mod assignment;
mod circumstances;
mod count;
mod difference;
mod exit;
mod helper;
mod hidden;
mod last_words;
mod order;
mod outcome;
mod output;
mod prediction;
mod processes;
mod shown;
mod telling;
mod text;
mod timeline;
mod written;

use crate::model::{
    Answer, Check, CheckResult, Condition, Ending, ExitStatus, Explanation, Grade, Mark, Orders, Points,
    Policy, Prediction, ProcessesCondition, Question, Remark, Review, RunRecord, RunSummary, Schedule,
    Stream, Timeline, ValidatorAnswer, Verdict,
};
use outcome::Outcome;

/// What is known of a submission's runs.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// One record a run, in the order in which they were made.
    pub runs: Vec<RunRecord>,
    /// What the validator of the check with this index said of each run, in the order of `runs`.
    pub validated: std::collections::BTreeMap<usize, Vec<ValidatorAnswer>>,
    /// The written answer.
    pub answer: Answer,
    /// What an instructor said of it.
    pub review: Review,
    /// The marks on outputs that are to be predicted.
    pub prediction: Prediction,
    /// How many of all orders the runs are.
    pub orders: Orders,
}

/// Judges the runs of a submission.
#[must_use]
pub fn judge(question: &Question, submission: &str, evidence: &Evidence) -> Grade {
    let mut checks: Vec<CheckResult> =
        question.checks.iter().enumerate().map(|(index, _)| judge_check(index, question, evidence)).collect();
    last_words::add(&mut checks, evidence, &question.limits);
    hidden::conceal(question, &mut checks);
    let runs = evidence.runs.iter().map(|run| summary(run, &checks)).collect();
    let timeline = checks.iter().find_map(|check| draw(check, evidence));
    Grade { timeline, ..grade(question, submission, checks, runs) }
}

/// The run that broke a check, or for one that no run showed, the one in which most happened.
fn draw(check: &CheckResult, evidence: &Evidence) -> Option<Timeline> {
    // A written answer is no matter of runs, and what no run prints no run shows.
    if check.kind == "written" || (check.kind == "predict" && check.run.is_none()) {
        return None;
    }
    let explanation = check.explanation.as_ref().filter(|_| check.verdict != Verdict::NotRun)?;
    let run = match check.run {
        Some(schedule) => evidence.runs.iter().find(|run| run.schedule == schedule)?,
        None => evidence
            .runs
            .iter()
            .filter(|run| has_children(run))
            .max_by_key(|run| processes::most_together(run, processes::Together::All))?,
    };
    timeline::draw(run, explanation.broken_line)
}

/// The grade of a submission that could not be run at all; every check gets `verdict`.
#[must_use]
pub fn judge_unrun(question: &Question, submission: &str, verdict: Verdict, notes: Vec<String>) -> Grade {
    let check = |check: &Check| CheckResult {
        name: check.name.clone(),
        kind: check.condition.kind().to_owned(),
        verdict,
        points: Points { earned: 0, possible: check.points },
        explanation: None,
        run: None,
        provisional: false,
    };
    let mut checks: Vec<CheckResult> = question.checks.iter().map(check).collect();
    hidden::conceal(question, &mut checks);
    let mut grade = grade(question, submission, checks, Vec::new());
    grade.notes.splice(0..0, notes);
    grade
}

fn grade(question: &Question, submission: &str, checks: Vec<CheckResult>, runs: Vec<RunSummary>) -> Grade {
    let mut unpassed = checks.iter().map(|check| check.verdict).filter(|verdict| *verdict != Verdict::Passed);
    Grade {
        question: question.id.clone(),
        title: question.title.clone(),
        submission: submission.to_owned(),
        verdict: unpassed.next().unwrap_or(Verdict::Passed),
        points: checks.iter().map(|check| check.points).sum(),
        notes: withheld(question).into_iter().collect(),
        checks,
        runs,
        timeline: None,
        again: None,
    }
}

/// That there is more to earn than this copy can tell.
fn withheld(question: &Question) -> Option<String> {
    let points = match question.withheld {
        0 => return None,
        1 => "1 more point is".to_owned(),
        points => format!("{points} more points are"),
    };
    Some(format!("{points} given by checks that your instructor keeps; they are not part of this copy."))
}

fn judge_check(index: usize, question: &Question, evidence: &Evidence) -> CheckResult {
    let check = &question.checks[index];
    if let Condition::Written(written) = &check.condition {
        return judge_written(
            check,
            written::judge(written, &evidence.answer),
            evidence.review.of(&check.name),
        );
    }
    let result = |verdict, explanation, run: Option<&RunRecord>| CheckResult {
        name: check.name.clone(),
        kind: check.condition.kind().to_owned(),
        verdict,
        points: Points {
            earned: if verdict == Verdict::Passed { check.points } else { 0 },
            possible: check.points,
        },
        explanation,
        run: run.map(|run| run.schedule),
        provisional: false,
    };
    if let (Condition::Predict { outputs }, Some(predict)) = (&check.condition, &question.predict) {
        let (outcome, run) = prediction::judge(predict, outputs, evidence);
        return match (outcome, run) {
            (Outcome::Holds, _) => result(Verdict::Passed, None, None),
            (Outcome::Broken(explanation), run) => result(Verdict::Failed, Some(explanation), run),
            (Outcome::Unseen(why), _) => result(Verdict::NotRun, Some(Explanation::new(why)), None),
            (Outcome::Fault(why), _) => result(Verdict::GraderFault, Some(Explanation::new(why)), None),
        };
    }
    let mut unseen = None;
    let (mut broken, mut explanations) = (Vec::new(), Vec::new());
    for (number, run) in evidence.runs.iter().enumerate().filter(|(_, run)| has_children(run)) {
        match judge_run(index, check, number, evidence) {
            Outcome::Holds => {}
            Outcome::Broken(explanation) => {
                broken.push(run);
                explanations.push(explanation);
            }
            Outcome::Fault(why) => {
                return result(Verdict::GraderFault, Some(Explanation::new(why)), Some(run));
            }
            Outcome::Unseen(why) => unseen = unseen.or(Some(why)),
        }
    }
    if let Some(place) = telling::place(&broken, &evidence.runs) {
        let (run, explanation) = (broken[place], explanations.swap_remove(place));
        let explanation = circumstances::add(explanation, run, &broken, evidence, &question.limits);
        return result(broken_verdict(run), Some(explanation), Some(run));
    }
    match over_all_runs(check, question, evidence) {
        Outcome::Broken(explanation) => {
            let verdict = evidence
                .runs
                .iter()
                .filter(|run| has_children(run))
                .map(broken_verdict)
                .find(|verdict| *verdict != Verdict::Failed);
            return result(verdict.unwrap_or(Verdict::Failed), Some(explanation), None);
        }
        Outcome::Fault(why) => return result(Verdict::GraderFault, Some(Explanation::new(why)), None),
        Outcome::Unseen(why) => unseen = unseen.or(Some(why)),
        Outcome::Holds => {}
    }
    match unseen {
        Some(why) => result(Verdict::NotRun, Some(Explanation::new(why)), None),
        None => result(Verdict::Passed, None, None),
    }
}

/// What the search for words came to, or what an instructor said in its place.
fn judge_written(check: &Check, outcome: Outcome, remark: Option<&Remark>) -> CheckResult {
    let result = |verdict, earned, explanation, provisional| CheckResult {
        name: check.name.clone(),
        kind: check.condition.kind().to_owned(),
        verdict,
        points: Points { earned, possible: check.points },
        explanation,
        run: None,
        provisional,
    };
    let told = |text: String| Some(Explanation::new(text));
    if let Some(remark) = remark {
        let verdict = if remark.points == check.points { Verdict::Passed } else { Verdict::Failed };
        let comment = remark.comment.as_ref().map(|comment| shown::escaped(comment));
        let text = match (comment, verdict) {
            (Some(comment), _) => told(format!("Your instructor says: {comment}")),
            (None, Verdict::Passed) => None,
            (None, _) => told("Your instructor has read the answer and given these points.".to_owned()),
        };
        return result(verdict, remark.points, text, false);
    }
    match outcome {
        Outcome::Holds => result(Verdict::Passed, check.points, None, true),
        Outcome::Broken(explanation) => result(Verdict::Failed, 0, Some(explanation), true),
        Outcome::Unseen(why) => result(Verdict::NotRun, 0, told(why), false),
        Outcome::Fault(why) => result(Verdict::GraderFault, 0, told(why), false),
    }
}

/// What has to hold in every run.
fn judge_run(index: usize, check: &Check, number: usize, evidence: &Evidence) -> Outcome {
    let run = &evidence.runs[number];
    match &check.condition {
        Condition::Output(expectation) => output::judge(run, Stream::Stdout, expectation, &[]),
        Condition::Stderr(expectation) => output::judge(run, Stream::Stderr, expectation, &[]),
        Condition::Distinct { expectation, counts } => {
            output::judge(run, Stream::Stdout, expectation, counts)
        }
        Condition::Processes(condition) => processes::judge(condition, run),
        Condition::Exit(condition) => exit::judge(condition, run),
        Condition::Torn(most) => torn(*most, run),
        Condition::Varies | Condition::Written(_) | Condition::Predict { .. } => Outcome::Holds,
        Condition::Snapshot { expected, .. } => snapshot(expected, run),
        Condition::Validator { .. } => {
            match evidence.validated.get(&index).and_then(|answers| answers.get(number)) {
                Some(ValidatorAnswer::Accepted) => Outcome::Holds,
                Some(ValidatorAnswer::Rejected(text)) => {
                    Outcome::Broken(Explanation::new(shown::escaped(text)))
                }
                Some(ValidatorAnswer::Broken(why)) => {
                    Outcome::Fault(format!("The check's validator failed: {why}"))
                }
                None => Outcome::Fault("The check's validator was not run.".to_owned()),
            }
        }
    }
}

/// What one run has to show, and what only several show together.
fn over_all_runs(check: &Check, question: &Question, evidence: &Evidence) -> Outcome {
    if evidence.runs.is_empty() {
        return Outcome::Fault("No run was made.".to_owned());
    }
    match &check.condition {
        Condition::Processes(condition) => alive_together(condition, question, evidence)
            .and(|| busy(condition, evidence))
            .and(|| needed(condition, question, evidence)),
        Condition::Varies => varies(evidence),
        _ => Outcome::Holds,
    }
}

/// Whether a run was made with its children; the one without proves that they are needed, and nothing else.
fn has_children(run: &RunRecord) -> bool {
    !run.schedule.policy.is_without_children()
}

fn alive_together(condition: &ProcessesCondition, question: &Question, evidence: &Evidence) -> Outcome {
    let Some(count) = condition.alive_together else { return Outcome::Holds };
    let together = processes::Together::asked_by(question, count);
    let seen: Vec<&RunRecord> =
        evidence.runs.iter().filter(|run| has_children(run) && is_observed(run)).collect();
    let most = seen.iter().map(|run| processes::most_together(run, together)).max();
    match (most, seen.first()) {
        (Some(most), Some(run)) if !count::holds(count, most, &run.machine) => {
            Outcome::Broken(processes::explain_together(most, &seen, together, count))
        }
        _ => Outcome::Holds,
    }
}

fn busy(condition: &ProcessesCondition, evidence: &Evidence) -> Outcome {
    let Some(count) = condition.busy else { return Outcome::Holds };
    let seen = evidence.runs.iter().filter(|run| has_children(run) && is_observed(run));
    match seen.max_by_key(|run| processes::busy(run)) {
        Some(run) if !count::holds(count, processes::busy(run), &run.machine) => {
            Outcome::Broken(processes::explain_busy(run, count))
        }
        _ => Outcome::Holds,
    }
}

/// Whether the expected output comes out with the children, and not with the first few alone.
fn needed(condition: &ProcessesCondition, question: &Question, evidence: &Evidence) -> Outcome {
    let Some(needed) = condition.needed else { return Outcome::Holds };
    let with_too_few = Schedule::without_children(needed);
    let is_meant = |run: &RunRecord| with_too_few.contains(&run.schedule) && is_observed(run);
    let mut without = evidence.runs.iter().enumerate().filter(|(_, run)| is_meant(run)).peekable();
    if without.peek().is_none() {
        let why = "No run was made without the children, so nobody knows whether they are needed.";
        return Outcome::Unseen(why.to_owned());
    }
    let text_holds = |number: usize, (index, check): (usize, &Check)| match &check.condition {
        Condition::Output(expectation) | Condition::Distinct { expectation, .. } => {
            output::judge_text(&evidence.runs[number], expectation)
        }
        Condition::Snapshot { .. } | Condition::Validator { .. } => judge_run(index, check, number, evidence),
        _ => Outcome::Holds,
    };
    let prints_all = |(number, _): (usize, &RunRecord)| {
        question.checks.iter().enumerate().all(|check| text_holds(number, check) == Outcome::Holds)
    };
    // Some may have been replaced.
    let has_too_few = |run: &RunRecord| {
        let missing = run.schedule.missing();
        let alive = (1..run.processes.len() as u64).filter(|child| !missing.contains(child));
        (alive.count() as u64) < needed
    };
    if let Some((_, run)) = without.find(|(number, run)| has_too_few(run) && prints_all((*number, *run))) {
        return Outcome::Broken(processes::explain_missing(run.schedule, needed));
    }
    let mut with = evidence.runs.iter().enumerate().filter(|(_, run)| has_children(run));
    if !with.any(prints_all) {
        let text = "The program does not print what is asked for with its children either, so nothing shows that they \
                    are needed.";
        return Outcome::Broken(Explanation::new(text));
    }
    Outcome::Holds
}

fn is_observed(run: &RunRecord) -> bool {
    run.observation == crate::model::Observation::Full
}

fn varies(evidence: &Evidence) -> Outcome {
    let texts = |run: &RunRecord| -> Vec<String> {
        run.stream(Stream::Stdout).iter().map(|line| line.text.clone()).collect()
    };
    let free: Vec<Vec<String>> =
        evidence.runs.iter().filter(|run| run.schedule.policy == Policy::Free).map(texts).collect();
    match free.split_first() {
        Some((first, others)) if !others.is_empty() => {
            if others.iter().any(|other| other != first) {
                return Outcome::Holds;
            }
            let mut explanation = Explanation::new(format!(
                "All {} runs printed the same; the output has to change from run to run.",
                free.len()
            ));
            for (index, line) in first.iter().take(3).enumerate() {
                let shown = shown::clipped(line, 0).0;
                explanation = explanation.with_line((index + 1).to_string(), shown, Mark::Plain, "");
            }
            Outcome::Broken(explanation)
        }
        _ => {
            Outcome::Unseen("This takes two runs under the schedule `free`, and fewer were made.".to_owned())
        }
    }
}

fn torn(most: u64, run: &RunRecord) -> Outcome {
    if let crate::model::Observation::OutputOnly { reason } = &run.observation {
        return Outcome::Unseen(reason.clone());
    }
    let lines = run.stream(Stream::Stdout);
    let torn: Vec<usize> = (0..lines.len()).filter(|index| lines[*index].torn).collect();
    if torn.len() as u64 <= most {
        return Outcome::Holds;
    }
    let mut explanation = Explanation::new(
        "Lines of different processes were mixed. Print each line with one write: one `println!`, not several \
         `print!`.",
    );
    for index in torn.into_iter().take(5) {
        let shown = shown::clipped(&lines[index].text, 0).0;
        explanation =
            explanation.with_line((index + 1).to_string(), shown, Mark::Wrong, "mixed with another line");
    }
    Outcome::Broken(explanation)
}

/// Holds standard output against a file's text, line by line.
fn snapshot(expected: &str, run: &RunRecord) -> Outcome {
    let leaf = |line: &str| {
        let source = line.to_owned();
        let pieces =
            if line.is_empty() { Vec::new() } else { vec![crate::model::Piece::Text(source.clone())] };
        crate::model::Expectation::Line { pattern: crate::model::LinePattern { source, pieces }, by: None }
    };
    let lines = expected.trim_end_matches(['\n', '\r']).lines();
    output::judge(run, Stream::Stdout, &crate::model::Expectation::Sequence(lines.map(leaf).collect()), &[])
}

/// The verdict of a check that does not hold in a run.
fn broken_verdict(run: &RunRecord) -> Verdict {
    match &run.ending {
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Deadlocked { .. } => Verdict::Deadlocked,
        Ending::LimitExceeded(_) => Verdict::LimitExceeded,
        Ending::Finished if matches!(run.main_status(), Some(ExitStatus::Signal(_))) => Verdict::Crashed,
        Ending::Finished => Verdict::Failed,
    }
}

fn summary(run: &RunRecord, checks: &[CheckResult]) -> RunSummary {
    let failed_here = checks.iter().any(|check| {
        check.run == Some(run.schedule) && !matches!(check.verdict, Verdict::Passed | Verdict::NotRun)
    });
    RunSummary {
        schedule: run.schedule,
        verdict: match broken_verdict(run) {
            Verdict::Failed if failed_here => Verdict::Failed,
            Verdict::Failed => Verdict::Passed,
            abnormal => abnormal,
        },
        wall: run.wall,
        processes: run.processes.len(),
        lines: run.stream(Stream::Stdout).len(),
    }
}
