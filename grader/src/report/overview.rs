//! The list of all questions, by topic, with how far the learner is.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::layout::{columns, wrapped};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// One question of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The question's id.
    pub id: String,
    /// The part of the course it belongs to.
    pub topic: String,
    /// What it is about.
    pub title: String,
    /// The points that it gives.
    pub points: u32,
    /// How far the learner is, in words.
    pub state: String,
    /// Whether it was passed.
    pub done: bool,
}

/// Writes the rows below their topics, each topic where its first question stands, and a last line that says where to
/// go on.
///
/// # Errors
/// Those of `out`.
pub fn write(rows: &[Row], width: usize, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "There is no question: no folder below `exercises` holds a question.toml.");
    }
    let columns = Columns::of(rows, width);
    let mut topics: Vec<&str> = Vec::new();
    for row in rows {
        if !topics.contains(&row.topic.as_str()) {
            topics.push(&row.topic);
        }
    }
    for topic in topics {
        writeln!(out, "{BOLD}{topic}{BOLD:#}")?;
        for row in rows.iter().filter(|row| row.topic == topic) {
            columns.write(row, out)?;
        }
    }
    writeln!(out)?;
    wrapped(&where_to_go(rows), width).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn where_to_go(rows: &[Row]) -> String {
    let done = rows.iter().filter(|row| row.done).count();
    let Some(next) = rows.iter().find(|row| !row.done) else {
        return format!("{done} of {done} done: that was the whole course.");
    };
    let id = &next.id;
    format!(
        "{done} of {} done. Next is {id}: `cargo grader show {id}` shows the question, and `cargo grader watch {id}` \
         grades your answer on every save.",
        rows.len()
    )
}

/// How wide the columns are.
struct Columns {
    width: usize,
    id: usize,
    state: usize,
    points: usize,
    /// Whether a row has room for all of it in one line.
    one_line: bool,
}

impl Columns {
    fn of(rows: &[Row], width: usize) -> Columns {
        let widest = |part: fn(&Row) -> usize| rows.iter().map(part).max().unwrap_or(0);
        let id = widest(|row| columns(&row.id));
        let state = widest(|row| columns(&row.state));
        let points = widest(|row| columns(&points(row)));
        let title = widest(|row| columns(&row.title));
        let one_line = 2 + id + 2 + state + 2 + points + 2 + title <= width;
        Columns { width, id, state, points, one_line }
    }

    fn write(&self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let style = if row.done { GOOD } else { OPEN };
        let id_gap = self.id - columns(&row.id);
        write!(out, "  {BOLD}{}{BOLD:#}{:id_gap$}  {style}{}{style:#}", row.id, "", row.state)?;
        let points = points(row);
        if self.one_line {
            let gap = self.state - columns(&row.state) + self.points - columns(&points);
            return writeln!(out, "{:gap$}  {points}  {}", "", row.title);
        }
        writeln!(out)?;
        let text = format!("{}, {points}", row.title);
        wrapped(&text, self.width.saturating_sub(4))
            .iter()
            .try_for_each(|line| writeln!(out, "    {DIM}{line}{DIM:#}"))
    }
}

fn points(row: &Row) -> String {
    if row.points == 1 { "1 point".to_owned() } else { format!("{} points", row.points) }
}
