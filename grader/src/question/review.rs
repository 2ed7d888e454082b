//! An instructor's review of one written answer: a file of its own, and its way to a [`Review`].
//!
//! It is no part of a question, and does not lie beside the answer, where a learner could write it.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::diagnostic::{Diagnostics, Mistake};
use super::file::in_plain_words;
use crate::model::{Condition, Question, Remark, Review};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewFile {
    #[serde(rename = "check")]
    checks: Vec<RemarkTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemarkTable {
    name: Spanned<String>,
    points: Spanned<i64>,
    comment: Option<String>,
}

/// Reads a review of an answer to `question` from the text of its file.
///
/// # Errors
/// Every mistake found in `text`, with its place.
pub fn parse_review(question: &Question, file: &Path, text: &str) -> Result<Review, Diagnostics> {
    let read: ReviewFile = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Diagnostics::locate(file, text, vec![Mistake::new(span, in_plain_words(error.message()))])
    })?;
    let mut mistakes = Vec::new();
    let mut known = HashSet::new();
    let mut remarks = Vec::new();
    for table in read.checks {
        let name = table.name.get_ref();
        if !known.insert(name.clone()) {
            let message = format!("there are two remarks on the check `{name}`; one is enough");
            mistakes.push(Mistake::new(table.name.span(), message));
        }
        match possible_points(question, name) {
            None => mistakes.push(Mistake::new(table.name.span(), unknown_check(question, name))),
            Some(possible) => {
                let points = u32::try_from(*table.points.get_ref()).ok();
                match points.filter(|points| *points <= possible) {
                    Some(points) => {
                        remarks.push(Remark { check: name.clone(), points, comment: table.comment });
                    }
                    None => {
                        let message = format!("`points` is a whole number from 0 to {possible} here");
                        mistakes.push(Mistake::new(table.points.span(), message));
                    }
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(Review { remarks }) } else { Err(Diagnostics::locate(file, text, mistakes)) }
}

/// The points of the written check of this name.
fn possible_points(question: &Question, name: &str) -> Option<u32> {
    let mut checks = question.checks.iter().filter(|check| matches!(check.condition, Condition::Written(_)));
    checks.find(|check| check.name == name).map(|check| check.points)
}

fn unknown_check(question: &Question, name: &str) -> String {
    let written = question.checks.iter().filter(|check| matches!(check.condition, Condition::Written(_)));
    let names: Vec<String> = written.map(|check| format!("`{}`", check.name)).collect();
    if names.is_empty() {
        return format!("`{}` has no check of a written answer, and so nothing to review", question.id);
    }
    format!(
        "`{}` has no written check `{name}`; those that can be reviewed are {}",
        question.id,
        names.join(", ")
    )
}
