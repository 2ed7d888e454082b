//! The report for a person: one block a submission, the explanations below their checks.
//!
//! Styles are written as ANSI sequences throughout; the writer strips them where nobody would see colours.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::layout::{columns, wrapped, wrapped_command};
use crate::model::{CheckResult, Explanation, Grade, ListingLine, Mark, Points, Timeline, Verdict};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// How far to the right explanations stand, below their check: as far as a terminal of 40 columns leaves room for.
fn indent(width: usize) -> usize {
    if width < 40 { 2 } else { 6 }
}

/// Lines are not wrapped narrower than this, however narrow the terminal.
const NARROWEST: usize = 20;

/// Writes one grade; `width` is how many columns there are.
///
/// # Errors
/// Those of `out`.
pub fn write_grade(grade: &Grade, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    write_title(grade, width, out)?;
    write_indented(&grade.submission, 2, width, DIM, out)?;
    write_body(grade, width, out)?;
    write!(out, "  ")?;
    write_verdict(grade, out)
}

/// Writes which question a grade is for.
///
/// # Errors
/// Those of `out`.
pub fn write_title(grade: &Grade, width: usize, out: &mut dyn Write) -> io::Result<()> {
    write_indented(&format!("{}  {}", grade.question, grade.title), 0, width, BOLD, out)
}

/// Writes what a grade came to, in one line: the verdict and the points.
///
/// # Errors
/// Those of `out`.
pub fn write_verdict(grade: &Grade, out: &mut dyn Write) -> io::Result<()> {
    let style = style_of(grade.verdict);
    writeln!(out, "{style}{}{style:#}, {} points", grade.verdict, grade.points)
}

/// Writes what stands between a grade's title and its verdict: notes, checks and the timeline.
///
/// # Errors
/// Those of `out`.
pub fn write_body(grade: &Grade, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    for note in &grade.notes {
        write_note(note, width, out)?;
    }
    if grade.verdict != Verdict::NotStarted && grade.verdict != Verdict::DidNotBuild {
        for (index, check) in grade.checks.iter().enumerate() {
            write_check(grade, index, check, width, out)?;
        }
    }
    if let Some(timeline) = &grade.timeline {
        write_timeline(timeline, width, out)?;
    }
    write_provisional(grade, width, out)
}

/// A sentence is wrapped; a compiler's text is laid out already, and wrapping would tear its marks from what they
/// point at.
fn write_note(note: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if note.trim_end().contains('\n') {
        return note.lines().try_for_each(|line| writeln!(out, "  {line}"));
    }
    write_indented(note, 2, width, Style::new(), out)
}

/// Which of the points stand only until an instructor has looked.
fn write_provisional(grade: &Grade, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let points: u32 =
        grade.checks.iter().filter(|check| check.provisional).map(|check| check.points.earned).sum();
    let subject = match points {
        0 => return Ok(()),
        1 => "1 point is".to_owned(),
        points => format!("{points} points are"),
    };
    let text = format!(
        "{subject} provisional: of the written answer only the words were looked at, and your instructor has the last \
         word."
    );
    write_indented(&text, 2, width, DIM, out)
}

/// Writes the sum over several grades.
///
/// # Errors
/// Those of `out`.
pub fn write_sum(grades: &[Grade], out: &mut dyn Write) -> io::Result<()> {
    let points: Points = grades.iter().map(|grade| grade.points).sum();
    let passed = grades.iter().filter(|grade| grade.verdict == Verdict::Passed).count();
    let style = if passed == grades.len() { GOOD } else { BOLD };
    writeln!(out, "{style}{passed} of {} passed, {points} points{style:#}", grades.len())?;
    let unseen = grades
        .iter()
        .flat_map(|grade| &grade.checks)
        .filter(|check| check.verdict == Verdict::NotRun)
        .count();
    if unseen > 0 {
        let checks = if unseen == 1 { "1 check was".to_owned() } else { format!("{unseen} checks were") };
        writeln!(out, "{OPEN}{checks} not run{OPEN:#}, and earned nothing; the reason stands beside each.")?;
    }
    Ok(())
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Passed => GOOD,
        Verdict::NotRun | Verdict::NotStarted => OPEN,
        _ => BAD,
    }
}

fn write_check(
    grade: &Grade,
    index: usize,
    check: &CheckResult,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let indent = indent(width);
    let style = style_of(check.verdict);
    let sign = match check.verdict {
        Verdict::Passed => "✓",
        Verdict::NotRun => "–",
        _ => "✗",
    };
    let points = format!("{}/{}", check.points.earned, check.points.possible);
    // A sign before it, and a gap behind.
    let lines = wrapped(&check.name, width.saturating_sub(6 + columns(&points)).max(10));
    for (number, line) in lines.iter().enumerate() {
        if number + 1 < lines.len() {
            writeln!(out, "  {style}{}{style:#} {line}", if number == 0 { sign } else { " " })?;
            continue;
        }
        let gap = width.saturating_sub(4 + columns(line) + columns(&points)).max(1);
        let sign = if number == 0 { sign } else { " " };
        writeln!(out, "  {style}{sign}{style:#} {line}{:gap$}{style}{points}{style:#}", "")?;
    }
    let Some(explanation) = &check.explanation else { return Ok(()) };
    // Why nothing could be observed is told once, above all checks.
    if check.verdict == Verdict::NotRun && grade.notes.contains(&explanation.text) {
        return writeln!(out, "{:indent$}{OPEN}not run{OPEN:#}", "");
    }
    let told = grade.checks[..index]
        .iter()
        .find(|other| other.explanation.as_ref() == Some(explanation) && other.verdict == check.verdict);
    if let Some(told) = told {
        return write_indented(
            &format!("for the same reason as “{}”", told.name),
            indent,
            width,
            Style::new(),
            out,
        );
    }
    write_explanation(check.verdict, explanation, width, out)?;
    match (check.run, &grade.again) {
        (Some(run), Some(again)) => {
            let command = format!("{again} --schedules {run}");
            write_command("again: ", &command, indent, width, out)
        }
        (Some(run), None) => writeln!(out, "{:indent$}{DIM}run: {run}{DIM:#}", ""),
        (None, _) => Ok(()),
    }
}

/// Writes what a command is for, and the command; where it takes several lines they can be copied as one command.
///
/// # Errors
/// The writer's own.
pub fn write_command(
    label: &str,
    command: &str,
    indent: usize,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = wrapped_command(command, width.saturating_sub(indent + label.len()));
    for (number, line) in lines.iter().enumerate() {
        let shown = if number == 0 { label } else { "" };
        writeln!(out, "{:indent$}{DIM}{shown:width$}{line}{DIM:#}", "", width = label.len())?;
    }
    Ok(())
}

/// A row a process, from its birth to its end, with a dot for every line that it wrote.
fn write_timeline(timeline: &Timeline, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = indent(width);
    let label_width = timeline.rows.iter().map(|row| columns(&row.label)).max().unwrap_or(0);
    let room = width.saturating_sub(indent + label_width + 2).max(8);
    // Three columns an event are easy to read; more events than fit share columns.
    let place = |column: usize| match timeline.columns.saturating_sub(1) {
        0 => 0,
        last => column * (last * 3).min(room - 1) / last,
    };
    write_indented(&format!("The run {}, from left to right:", timeline.schedule), 2, width, DIM, out)?;
    for row in &timeline.rows {
        let end = row.ended.map_or(place(timeline.columns.saturating_sub(1)), place);
        let mut cells: Vec<char> = vec![' '; end + 1];
        cells[place(row.born)..=end].fill('─');
        cells[place(row.born)] = '├';
        cells[end] = if row.ended.is_some() { '┤' } else { '…' };
        for column in &row.wrote {
            cells[place(*column)] = '●';
        }
        let broke = row.broke.map(place);
        write!(out, "{:indent$}{:label_width$}  ", "", row.label)?;
        for (index, cell) in cells.iter().enumerate() {
            if broke == Some(index) {
                write!(out, "{BAD}✗{BAD:#}")?;
            } else {
                write!(out, "{cell}")?;
            }
        }
        writeln!(out)?;
    }
    if timeline.more > 0 {
        writeln!(out, "{:indent$}{DIM}and {} more{DIM:#}", "", timeline.more)?;
    }
    let mut legend = "● a line was written".to_owned();
    for (is_shown, part) in [
        (timeline.rows.iter().any(|row| row.broke.is_some()), ", ✗ the line that is wrong"),
        (timeline.rows.iter().any(|row| row.ended.is_none()), ", … still running at the end"),
    ] {
        legend.push_str(if is_shown { part } else { "" });
    }
    write_indented(&legend, indent, width, DIM, out)
}

fn write_explanation(
    verdict: Verdict,
    explanation: &Explanation,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let indent = indent(width);
    // "failed" is what the sign says already; any other verdict is news.
    let text = match verdict {
        Verdict::Failed => explanation.text.clone(),
        verdict => format!("{verdict}: {}", explanation.text),
    };
    write_indented(&text, indent, width, Style::new(), out)?;
    let gutter = explanation.listing.iter().map(|line| columns(&line.gutter)).max().unwrap_or(0);
    explanation.listing.iter().try_for_each(|line| write_listing_line(line, gutter, width, out))
}

/// A line of output, its note beside it or, where there is no room, below it.
fn write_listing_line(
    line: &ListingLine,
    gutter: usize,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let indent = indent(width);
    let style = match line.mark {
        Mark::Plain => Style::new(),
        Mark::Wrong => BAD,
        Mark::Right => GOOD,
    };
    let pad = gutter - columns(&line.gutter);
    write!(out, "{:indent$}{:pad$}{DIM}{} |{DIM:#} {style}{}{style:#}", "", "", line.gutter, line.text)?;
    if line.note.is_empty() {
        return writeln!(out);
    }
    let behind = indent + gutter + 3 + columns(&line.text) + 3 + columns(&line.note) + 3;
    if behind <= width {
        return writeln!(out, "   {style}<- {}{style:#}", line.note);
    }
    writeln!(out)?;
    let below = indent + gutter + 3;
    for (number, text) in wrapped(&line.note, width.saturating_sub(below + 3)).iter().enumerate() {
        let sign = if number == 0 { "^-" } else { "  " };
        writeln!(out, "{:below$}{style}{sign} {text}{style:#}", "")?;
    }
    Ok(())
}

fn write_indented(
    text: &str,
    indent: usize,
    width: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for line in wrapped(text, width.saturating_sub(indent)) {
        writeln!(out, "{:indent$}{style}{line}{style:#}", "")?;
    }
    Ok(())
}
