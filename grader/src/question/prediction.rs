//! A learner's `prediction.toml`: a mark for each output, and what is wrong with the file.
//!
//! A mistake in it is the learner's, and so an explanation with its place, never an error.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use super::diagnostic::{Diagnostics, Mistake};
use super::file::in_plain_words;
use crate::model::{Answer, Claim, Explanation, Mark, Predict, Prediction};

/// Reads the marks of a prediction that was handed in.
#[must_use]
pub fn parse_prediction(predict: &Predict, handed_in: Answer) -> Prediction {
    let (file, text) = match handed_in {
        Answer::Text { file, text } => (file, text),
        Answer::Unreadable(why) => return Prediction::Unreadable(Explanation::new(why)),
        Answer::NotGiven(why) => return Prediction::NotGiven(why),
    };
    let (claims, mistakes) = read(predict, &text);
    match Diagnostics::locate(Path::new(&file), &text, mistakes).0.into_iter().next() {
        None => Prediction::Marks { file, claims },
        Some(first) => Prediction::Unreadable(
            Explanation::new(format!(
                "`{file}` cannot be read: line {}, column {}: {}.",
                first.line, first.column, first.message
            ))
            .with_line(first.line.to_string(), first.excerpt, Mark::Wrong, ""),
        ),
    }
}

/// Whether a prediction is as it was given: every mark is still open.
#[must_use]
pub fn is_unmarked(text: &str) -> bool {
    let marks: Result<BTreeMap<String, String>, _> = toml::from_str(text);
    marks.is_ok_and(|marks| marks.values().all(|mark| claim(mark) == Some(Claim::Open)))
}

fn read(predict: &Predict, text: &str) -> (BTreeMap<String, Claim>, Vec<Mistake>) {
    let table: BTreeMap<Spanned<String>, Spanned<String>> = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            let message = in_plain_words(error.message());
            return (BTreeMap::new(), vec![Mistake::new(error.span().unwrap_or(0..0), message)]);
        }
    };
    let mut claims = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (name, mark) in table {
        if !predict.outputs.iter().any(|output| output.name == *name.get_ref()) {
            let known: Vec<&str> = predict.outputs.iter().map(|output| output.name.as_str()).collect();
            let message =
                format!("there is no output `{}`; the outputs are {}", name.get_ref(), known.join(", "));
            mistakes.push(Mistake::new(name.span(), message));
        }
        match claim(mark.get_ref()) {
            Some(claim) => _ = claims.insert(name.into_inner(), claim),
            None => {
                let message =
                    format!("`{}` is no mark; write `possible`, `impossible` or `?`", mark.get_ref());
                mistakes.push(Mistake::new(mark.span(), message));
            }
        }
    }
    (claims, mistakes)
}

fn claim(mark: &str) -> Option<Claim> {
    let mark = mark.trim().to_lowercase();
    Claim::NAMES.iter().find(|(name, _)| *name == mark).map(|(_, claim)| *claim)
}
