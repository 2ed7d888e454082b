//! The JSON report: format 1 of the grader's contract with scripts.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{CheckResult, Grade, Points, RunSummary, Schedule};

/// Rises when a key changes its meaning or goes; keys may be added without.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct WireReport<'a> {
    format: u32,
    grades: Vec<WireGrade<'a>>,
}

#[derive(Serialize)]
struct WireGrade<'a> {
    question: &'a str,
    submission: &'a str,
    verdict: String,
    points: WirePoints,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    checks: Vec<WireCheck<'a>>,
    runs: Vec<WireRun>,
}

#[derive(Serialize)]
struct WirePoints {
    earned: u32,
    possible: u32,
}

#[derive(Serialize)]
struct WireCheck<'a> {
    name: &'a str,
    kind: &'a str,
    verdict: String,
    points: WirePoints,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<WireSchedule>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    provisional: bool,
}

#[derive(Serialize)]
struct WireSchedule {
    schedule: &'static str,
    seed: u64,
}

#[derive(Serialize)]
struct WireRun {
    #[serde(flatten)]
    schedule: WireSchedule,
    verdict: String,
    wall_ms: f64,
    processes: usize,
    lines: usize,
}

/// Writes all grades as one JSON object and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write(grades: &[Grade], out: &mut dyn Write) -> io::Result<()> {
    let report = WireReport { format: FORMAT, grades: grades.iter().map(WireGrade::from).collect() };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

impl<'a> From<&'a Grade> for WireGrade<'a> {
    fn from(grade: &'a Grade) -> Self {
        WireGrade {
            question: &grade.question,
            submission: &grade.submission,
            verdict: grade.verdict.to_string(),
            points: grade.points.into(),
            notes: &grade.notes,
            checks: grade.checks.iter().map(WireCheck::from).collect(),
            runs: grade.runs.iter().map(WireRun::from).collect(),
        }
    }
}

impl<'a> From<&'a CheckResult> for WireCheck<'a> {
    fn from(check: &'a CheckResult) -> Self {
        WireCheck {
            name: &check.name,
            kind: &check.kind,
            verdict: check.verdict.to_string(),
            points: check.points.into(),
            explanation: check.explanation.as_ref().map(ToString::to_string),
            run: check.run.map(WireSchedule::from),
            provisional: check.provisional,
        }
    }
}

impl From<&RunSummary> for WireRun {
    fn from(run: &RunSummary) -> Self {
        WireRun {
            schedule: run.schedule.into(),
            verdict: run.verdict.to_string(),
            // Microseconds are as exact as it is.
            wall_ms: (run.wall.as_secs_f64() * 1e6).round() / 1e3,
            processes: run.processes,
            lines: run.lines,
        }
    }
}

impl From<Points> for WirePoints {
    fn from(points: Points) -> Self {
        WirePoints { earned: points.earned, possible: points.possible }
    }
}

impl From<Schedule> for WireSchedule {
    fn from(schedule: Schedule) -> Self {
        WireSchedule { schedule: schedule.policy.name(), seed: schedule.seed }
    }
}
