//! `grader list`: the questions, and how far the learner is.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::{CommandError, exit, workspace};
use crate::model::Question;
use crate::question::Course;
use crate::submission::{Workspace, is_unfinished};

pub(super) fn run(out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let course = Course::find(workspace.root())?;
    let questions: Vec<Question> =
        course.ids().iter().map(|id| course.question(id)).collect::<Result<_, _>>()?;
    let rows: Vec<[String; 5]> = questions
        .iter()
        .map(|question| {
            let points = format!("{} points", question.points());
            [
                question.id.clone(),
                question.topic.clone(),
                points,
                state(&workspace, &question.id),
                question.title.clone(),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let bold = Style::new().bold();
    let open = AnsiColor::Yellow.on_default();
    for [id, topic, points, state, title] in &rows {
        let pad = |text: &str, column: usize| " ".repeat(widths[column] - text.width());
        write!(out, "{bold}{id}{bold:#}{}  {topic}{}  ", pad(id, 0), pad(topic, 1))?;
        writeln!(out, "{}{points}  {open}{state}{open:#}{}  {title}", pad(points, 2), pad(state, 3))?;
    }
    if rows.is_empty() {
        writeln!(out, "There is no question: no folder below `exercises` holds a question.toml.")?;
    }
    Ok(exit::OK)
}

/// How far the exercise is, as far as its code tells.
fn state(workspace: &Workspace, id: &str) -> String {
    let source = std::fs::read_to_string(workspace.exercise(id).join("src/main.rs"));
    match source {
        Ok(source) if is_unfinished(&source) => "not started",
        Ok(_) => "begun",
        Err(_) => "no main.rs",
    }
    .to_owned()
}
