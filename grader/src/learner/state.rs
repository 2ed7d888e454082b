//! How far a learner is with a question, and with all of them.

use std::fmt;

use super::{Answer, Notebook};
use crate::model::Points;
use crate::question::{Course, CourseError};
use crate::report::overview::Row;
use crate::submission::{Workspace, is_begun};

/// How far a learner is with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The exercise's program is not there.
    Missing,
    /// Nothing was written yet.
    NotStarted,
    /// Something was written and not graded since.
    Begun,
    /// The answer as it is now was graded with so many points, and not all.
    Graded(Points),
    /// The answer as it is now earned all points.
    Done,
    /// An answer earned all points, and was changed since.
    Changed,
}

impl State {
    /// Whether full points were earned at some time.
    #[must_use]
    pub fn was_passed(self) -> bool {
        matches!(self, State::Done | State::Changed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Missing => f.write_str("no main.rs"),
            State::NotStarted => f.write_str("not started"),
            State::Begun => f.write_str("begun"),
            State::Graded(points) => write!(f, "{points}"),
            State::Done => f.write_str("done"),
            State::Changed => f.write_str("done, changed since"),
        }
    }
}

/// How far the learner is with a question.
#[must_use]
pub fn state(workspace: &Workspace, question: &str) -> State {
    let answer = Answer::find(workspace, question);
    let kept = Notebook::of(workspace).read(question);
    if !answer.folder().join("src/main.rs").is_file() {
        return State::Missing;
    }
    if let Some(grade) = kept.grade.filter(|grade| grade.answer == answer.digest()) {
        let points = Points { earned: grade.earned, possible: grade.possible };
        return if grade.passed { State::Done } else { State::Graded(points) };
    }
    let has_starter = answer.starter().is_dir();
    let is_begun = if has_starter { !answer.is_starter() } else { is_begun(workspace, question) };
    match (is_begun, kept.passed) {
        (false, _) => State::NotStarted,
        (true, false) => State::Begun,
        (true, true) => State::Changed,
    }
}

/// The first question that was never passed; none where all were.
#[must_use]
pub fn next<'a>(workspace: &Workspace, course: &'a Course) -> Option<&'a str> {
    let open = |id: &&String| !state(workspace, id).was_passed();
    course.ids().iter().find(open).map(String::as_str)
}

/// A row for each question of the course, in its order.
///
/// # Errors
/// A question is not sound.
pub fn overview(workspace: &Workspace, course: &Course) -> Result<Vec<Row>, CourseError> {
    let row = |id: &String| {
        let question = course.question(id)?;
        let state = state(workspace, id);
        let points = question.points();
        let (topic, title) = (question.topic, question.title);
        Ok(Row { id: id.clone(), topic, title, points, state: state.to_string(), done: state.was_passed() })
    };
    course.ids().iter().map(row).collect()
}
