//! Whether a learner has begun an exercise.

use std::path::Path;

use super::answer::read_text;
use super::{Workspace, is_unfinished};
use crate::model::paragraphs;

/// Whether somebody has worked on the exercise of a question: on its program, or on its written answer.
///
/// A program that cannot be read counts as begun: grading then says what is wrong with it.
#[must_use]
pub fn is_begun(workspace: &Workspace, question: &str) -> bool {
    let exercise = workspace.exercise(question);
    is_program_begun(&exercise) || is_answer_begun(&exercise)
}

fn is_program_begun(exercise: &Path) -> bool {
    std::fs::read_to_string(exercise.join("src/main.rs")).map_or(true, |source| !is_unfinished(&source))
}

fn is_answer_begun(exercise: &Path) -> bool {
    read_text(&exercise.join("answer.md")).is_ok_and(|text| !paragraphs(&text).is_empty())
}
