//! Whether a learner has begun an exercise.

use std::path::Path;

use super::answer::{ANSWER, PREDICTION, read_text};
use super::{Workspace, is_unfinished};
use crate::model::paragraphs;
use crate::question::is_unmarked;

/// Whether somebody has worked on the exercise of a question: on its program, its written answer or its prediction.
///
/// A file that cannot be read counts as begun: grading then says what is wrong with it.
#[must_use]
pub fn is_begun(workspace: &Workspace, question: &str) -> bool {
    let exercise = workspace.exercise(question);
    if workspace.given_program(question).is_some() {
        // The copy of the program in `src` is there to be tried out.
        return !read_text(&exercise.join(PREDICTION)).is_ok_and(|text| is_unmarked(&text));
    }
    is_program_begun(&exercise) || is_answer_begun(&exercise)
}

fn is_program_begun(exercise: &Path) -> bool {
    std::fs::read_to_string(exercise.join("src/main.rs")).map_or(true, |source| !is_unfinished(&source))
}

fn is_answer_begun(exercise: &Path) -> bool {
    read_text(&exercise.join(ANSWER)).is_ok_and(|text| !paragraphs(&text).is_empty())
}
