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

/// The ids of all questions in the order in which a learner goes through them: topic by topic, each where its first
/// question stands, and at the end those that cannot be read.
#[must_use]
pub fn order(course: &Course) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    let mut place = |id: &str| {
        let Ok(question) = course.question(id) else { return usize::MAX };
        topics.iter().position(|topic| *topic == question.topic).unwrap_or_else(|| {
            topics.push(question.topic);
            topics.len() - 1
        })
    };
    let mut ids: Vec<(usize, String)> = course.ids().iter().map(|id| (place(id), id.clone())).collect();
    ids.sort_by_key(|(place, _)| *place);
    ids.into_iter().map(|(_, id)| id).collect()
}

/// The first question that was never passed; none where all were.
#[must_use]
pub fn next(workspace: &Workspace, course: &Course) -> Option<String> {
    order(course).into_iter().find(|id| !state(workspace, id).was_passed())
}

/// All that can be listed of a course.
#[derive(Debug)]
pub struct Overview {
    /// A row for each question that can be read, in the order of [`order`].
    pub rows: Vec<Row>,
    /// What is wrong with each of the others.
    pub troubles: Vec<CourseError>,
}

/// How far the learner is with each question.
#[must_use]
pub fn overview(workspace: &Workspace, course: &Course) -> Overview {
    let row = |id: String| {
        let question = course.question(&id)?;
        let state = state(workspace, &id);
        let points = question.points();
        let (topic, title) = (question.topic, question.title);
        Ok(Row { id, topic, title, points, state: state.to_string(), done: state.was_passed() })
    };
    let (mut rows, mut troubles) = (Vec::new(), Vec::new());
    for id in order(course) {
        match row(id) {
            Ok(row) => rows.push(row),
            Err(trouble) => troubles.push(trouble),
        }
    }
    troubles.extend(course.strays());
    Overview { rows, troubles }
}
