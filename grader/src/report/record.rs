//! A run record as JSON, for whoever wants to see all that the grader saw.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Ending, ExitStatus, Line, Observation, Process, RunRecord, Stream, Waited};

/// Rises when a key changes its meaning or goes; keys may be added without.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct WireRecord<'a> {
    format: u32,
    schedule: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    released: Vec<String>,
    observed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_observed_since: Option<&'a str>,
    ending: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    waits: &'a [String],
    wall_ms: f64,
    processes: Vec<WireProcess<'a>>,
    lines: Vec<WireLine<'a>>,
}

#[derive(Serialize)]
struct WireProcess<'a> {
    number: u32,
    label: String,
    parent: Option<u32>,
    program: &'a str,
    executed: bool,
    born_ms: f64,
    ended_ms: Option<f64>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    waited: Option<bool>,
    threads: u32,
    cpu_ms: f64,
    peak_memory: u64,
}

#[derive(Serialize)]
struct WireLine<'a> {
    stream: &'static str,
    text: &'a str,
    writer: Option<u32>,
    at_ms: f64,
    torn: bool,
}

/// Writes one record as a JSON object and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write(record: &RunRecord, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &WireRecord::from(record))?;
    writeln!(out)
}

/// Microseconds are as exact as a time is.
fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl<'a> From<&'a RunRecord> for WireRecord<'a> {
    fn from(record: &'a RunRecord) -> Self {
        let (ending, waits): (String, &[String]) = match &record.ending {
            Ending::Finished => ("finished".to_owned(), &[]),
            Ending::TimedOut => ("timed out".to_owned(), &[]),
            Ending::Deadlocked { waits } => ("deadlocked".to_owned(), waits),
            Ending::LimitExceeded(limit) => (format!("limit exceeded: {limit}"), &[]),
        };
        WireRecord {
            format: FORMAT,
            schedule: record.schedule.to_string(),
            released: record.steps.iter().map(ToString::to_string).collect(),
            observed: record.observation == Observation::Full,
            not_observed_since: match &record.observation {
                Observation::Full => None,
                Observation::OutputOnly { reason } => Some(reason),
            },
            ending,
            waits,
            wall_ms: milliseconds(record.wall),
            processes: record.processes.iter().map(WireProcess::from).collect(),
            lines: record.lines.iter().map(WireLine::from).collect(),
        }
    }
}

impl<'a> From<&'a Process> for WireProcess<'a> {
    fn from(process: &'a Process) -> Self {
        let (exit_code, signal) = match process.status {
            Some(ExitStatus::Code(code)) => (Some(code), None),
            Some(ExitStatus::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        WireProcess {
            number: process.number,
            label: process.label(),
            parent: process.parent,
            program: &process.program,
            executed: process.executed,
            born_ms: milliseconds(process.born),
            ended_ms: process.ended.map(milliseconds),
            exit_code,
            signal,
            waited: match process.waited {
                Waited::Yes => Some(true),
                Waited::No => Some(false),
                Waited::Unknown => None,
            },
            threads: process.threads,
            cpu_ms: milliseconds(process.cpu),
            peak_memory: process.peak_memory,
        }
    }
}

impl<'a> From<&'a Line> for WireLine<'a> {
    fn from(line: &'a Line) -> Self {
        WireLine {
            stream: match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            },
            text: &line.text,
            writer: line.writer,
            at_ms: milliseconds(line.at),
            torn: line.torn,
        }
    }
}
