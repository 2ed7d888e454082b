//! An output in its canonical form: the same whatever the machine, the luck and the order in which processes ran.
//!
//! What varies from run to run is what the question itself leaves open. So a line that a pattern of the question
//! matches is shown as the pattern, and lines that may stand in any order are sorted.

use grader::judge::{Evidence, judge};
use grader::model::{Check, Condition, Expectation, Question, RunRecord, Stream, Verdict};

/// Standard output of a run in its canonical form.
#[must_use]
pub fn output(question: &Question, run: &RunRecord) -> String {
    let mut places = Vec::new();
    if let Some(expectation) = expectation(question) {
        collect(expectation, &mut 0, false, &mut places);
    }
    let lines = run.stream(Stream::Stdout);
    let mut shown: Vec<(Option<usize>, String)> = lines
        .iter()
        .map(|line| {
            let alone = RunRecord { lines: vec![(*line).clone()], ..run.clone() };
            match places.iter().find(|place| matches(place.line, &alone)) {
                Some(place) => (Some(place.number), place.source().to_owned()),
                None => (None, line.text.clone()),
            }
        })
        .collect();
    for together in shown.chunk_by_mut(|a, b| a.0 == b.0 && a.0.is_some()) {
        together.sort();
    }
    shown.into_iter().map(|(_, line)| line + "\n").collect()
}

/// A line of an expectation; lines that may stand in any order have the same number.
struct Place<'a> {
    number: usize,
    line: &'a Expectation,
}

impl Place<'_> {
    fn source(&self) -> &str {
        match self.line {
            Expectation::Line { pattern, .. } => &pattern.source,
            _ => "",
        }
    }
}

/// The first pattern that a question has for all of standard output.
fn expectation(question: &Question) -> Option<&Expectation> {
    question.checks.iter().find_map(|check| match &check.condition {
        Condition::Output(expectation) | Condition::Distinct { expectation, .. } => Some(expectation),
        _ => None,
    })
}

fn collect<'a>(
    expectation: &'a Expectation,
    number: &mut usize,
    any_order: bool,
    places: &mut Vec<Place<'a>>,
) {
    match expectation {
        Expectation::Line { .. } => {
            *number += usize::from(!any_order);
            places.push(Place { number: *number, line: expectation });
        }
        Expectation::Sequence(parts) => {
            parts.iter().for_each(|part| collect(part, number, any_order, places))
        }
        Expectation::AnyOrder(parts) => {
            *number += 1;
            parts.iter().for_each(|part| collect(part, number, true, places));
        }
        Expectation::Optional(part) | Expectation::Repeat { of: part, .. } => {
            collect(part, number, any_order, places);
        }
    }
}

/// Whether the line of a run that printed nothing else is what a pattern asks for.
fn matches(line: &Expectation, alone: &RunRecord) -> bool {
    // Who wrote the line is nothing that a text shows.
    let line = match line {
        Expectation::Line { pattern, .. } => Expectation::Line { pattern: pattern.clone(), by: None },
        other => other.clone(),
    };
    let check = Check { name: String::new(), points: 1, condition: Condition::Output(line), hidden: false };
    let question = Question {
        id: String::new(),
        title: String::new(),
        topic: String::new(),
        hints: Vec::new(),
        run: grader::model::Invocation::default(),
        limits: grader::model::Limits::default(),
        predict: None,
        checks: vec![check],
        withheld: 0,
    };
    let evidence = Evidence { runs: vec![alone.clone()], ..Evidence::default() };
    judge(&question, "", &evidence).verdict == Verdict::Passed
}
