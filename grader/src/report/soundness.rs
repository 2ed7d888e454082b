//! What proving questions sound came to, for a person and for a script.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::layout::wrapped;
use crate::model::{Holding, Limit, Margin, Soundness, Statement};

const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// Rises when a key changes its meaning or goes; keys may be added without.
const FORMAT: u32 = 1;

/// Lines are not wrapped narrower than this, however narrow the terminal.
const NARROWEST: usize = 30;

/// Writes what is known of one question; `width` is how many columns there are.
///
/// # Errors
/// Those of `out`.
pub fn write_text(soundness: &Soundness, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    let title = format!("{}  {}", soundness.question, soundness.title);
    for line in wrapped(title.trim_end(), width) {
        writeln!(out, "{BOLD}{line}{BOLD:#}")?;
    }
    for statement in &soundness.statements {
        write_statement(statement, width, out)?;
    }
    let holding = soundness.holding();
    let style = style_of(holding);
    writeln!(out, "  {style}{}{style:#}", holding.word())
}

fn write_statement(statement: &Statement, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let style = style_of(statement.holding);
    let sign = match statement.holding {
        Holding::Holds => "✓",
        Holding::Remark => "–",
        Holding::Broken => "✗",
    };
    for (number, line) in wrapped(&statement.text, width - 4).iter().enumerate() {
        let sign = if number == 0 { sign } else { " " };
        writeln!(out, "  {style}{sign}{style:#} {line}")?;
    }
    for detail in &statement.details {
        for line in detail.lines().flat_map(|line| laid_out(line, width - 6)) {
            writeln!(out, "      {line}")?;
        }
    }
    Ok(())
}

/// A line of a detail in lines that fit; a listing is laid out already, and its marks stand below what they mean.
fn laid_out(line: &str, width: usize) -> Vec<String> {
    if line.contains(" | ") || line.trim_start().starts_with(['|', '^']) {
        return vec![line.to_owned()];
    }
    wrapped(line, width)
}

/// Writes the sum over several questions.
///
/// # Errors
/// Those of `out`.
pub fn write_sum(all: &[Soundness], out: &mut dyn Write) -> io::Result<()> {
    let sound = all.iter().filter(|one| one.holding() != Holding::Broken).count();
    let style = if sound == all.len() { GOOD } else { BAD };
    writeln!(out, "{style}{sound} of {} sound{style:#}", all.len())
}

fn style_of(holding: Holding) -> Style {
    match holding {
        Holding::Holds => GOOD,
        Holding::Remark => OPEN,
        Holding::Broken => BAD,
    }
}

#[derive(Serialize)]
struct WireReport<'a> {
    format: u32,
    questions: Vec<WireQuestion<'a>>,
}

#[derive(Serialize)]
struct WireQuestion<'a> {
    question: &'a str,
    verdict: &'a str,
    statements: Vec<WireStatement<'a>>,
    limits: Vec<WireMargin>,
}

#[derive(Serialize)]
struct WireStatement<'a> {
    about: &'a str,
    verdict: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
}

#[derive(Serialize)]
struct WireMargin {
    limit: &'static str,
    unit: &'static str,
    used: u64,
    allowed: u64,
}

/// Writes all as one JSON object and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_json(all: &[Soundness], out: &mut dyn Write) -> io::Result<()> {
    let report = WireReport { format: FORMAT, questions: all.iter().map(WireQuestion::from).collect() };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

/// The word of a holding for scripts.
fn word(holding: Holding) -> &'static str {
    match holding {
        Holding::Holds => "sound",
        Holding::Remark => "remark",
        Holding::Broken => "not sound",
    }
}

impl<'a> From<&'a Soundness> for WireQuestion<'a> {
    fn from(soundness: &'a Soundness) -> Self {
        let statement = |one: &'a Statement| WireStatement {
            about: one.about.name(),
            verdict: word(one.holding),
            text: &one.text,
            details: &one.details,
        };
        WireQuestion {
            question: &soundness.question,
            verdict: word(soundness.holding()),
            statements: soundness.statements.iter().map(statement).collect(),
            limits: soundness.margins.iter().map(WireMargin::from).collect(),
        }
    }
}

impl From<&Margin> for WireMargin {
    fn from(margin: &Margin) -> Self {
        // The names are those of question.toml.
        let (limit, unit) = match margin.limit {
            None => ("wall", "ns"),
            Some(Limit::Cpu) => ("cpu", "ns"),
            Some(Limit::Memory) => ("memory", "bytes"),
            Some(Limit::Processes) => ("processes", "processes"),
            Some(Limit::Output) => ("output", "bytes"),
        };
        WireMargin { limit, unit, used: margin.used, allowed: margin.allowed }
    }
}
