//! The process library beside its peers: one command measures all of them in turn and prints one table.
//!
//! ```text
//! cargo run --release --manifest-path benchmark/Cargo.toml
//! ```
//!
//! A row of the table is one question ("what does a call on a warm pool cost?"), and whoever is asked is a
//! contender. Each contender is measured in a process of its own, which prints one number; a round asks each
//! contender of a row once, one after the other, and the table shows the medians of all rounds. So what the
//! machine does meanwhile hits all of them alike.

mod measure;
mod peers;
mod rows;
mod sys;
mod table;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;

use crate::rows::{Contender, ROWS, Row, Run};

/// Measures the process library beside its peers, and prints a table.
#[derive(Parser)]
struct Arguments {
    /// The rows to measure; all of them if none is named.
    rows: Vec<String>,
    /// How often each contender is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// One round, and without the rows that take longest: for a first look.
    #[arg(long)]
    quick: bool,
    /// Also writes the table into this file. Rows that it holds and that are not measured now stay as they are.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Lists the rows.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    multiprocessing::init();
    procspawn::init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [peers::NOTHING] => return ExitCode::SUCCESS,
        [peers::SPIN] => peers::floors::spin(),
        [peers::ECHO] => return peers::floors::echo(),
        [peers::IPC_WORKER, name] => return peers::by_hand::work(name),
        [MEASURE, row, contender] => return measure_here(row, contender),
        _ => {}
    }
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("benchmark: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The word by which this program is told to measure one contender and to print the number.
const MEASURE: &str = "--measure-here";

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.list {
        for row in ROWS {
            println!("{:20} {}", row.name, row.what);
        }
        return Ok(());
    }
    let unknown = |name: &&String| ROWS.iter().all(|row| row.name != **name);
    if let Some(name) = arguments.rows.iter().find(unknown) {
        return Err(format!("there is no row `{name}`; `--list` shows them all"));
    }
    let is_chosen = |row: &&Row| {
        let is_named = arguments.rows.iter().any(|name| name == row.name);
        is_named || (arguments.rows.is_empty() && !(arguments.quick && row.is_long))
    };
    let rounds = if arguments.quick { 1 } else { arguments.rounds.max(1) };
    for row in ROWS.iter().filter(is_chosen) {
        let line = table::Line::new(row, &ask_all(row, rounds));
        print!("{}", line.text());
        // Row by row, so that what was measured is not lost if somebody loses patience.
        if let Some(file) = &arguments.markdown {
            let failed = |error| format!("failed to write {}: {error}", file.display());
            table::write_markdown(file, &[line]).map_err(failed)?;
        }
    }
    Ok(())
}

/// The median of each contender of a row, in order; `None` for one that is not to be had here.
fn ask_all(row: &Row, rounds: usize) -> Vec<Option<f64>> {
    let mut samples = vec![Vec::new(); row.contenders.len()];
    for _ in 0..rounds {
        for (contender, samples) in row.contenders.iter().zip(&mut samples) {
            samples.extend(ask(row, contender));
        }
    }
    samples.into_iter().map(|samples| (!samples.is_empty()).then(|| measure::median(samples))).collect()
}

/// Has one contender measured in a process of its own.
#[expect(clippy::disallowed_methods, reason = "each measurement is waited for, here and nowhere else")]
fn ask(row: &Row, contender: &Contender) -> Option<f64> {
    let mut command = match contender.run {
        Run::Here(_) => {
            let mut command = Command::new(peers::this_program());
            command.args([MEASURE, row.name, contender.name]);
            command
        }
        Run::Python(name) => {
            let mut command = Command::new("python3");
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/cpython.py")).arg(name);
            command
        }
    };
    let output = command.stderr(Stdio::inherit()).output().ok().filter(|output| output.status.success());
    let number = output.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
    if number.is_none() {
        eprintln!("benchmark: {}: no number from {}", row.name, contender.name);
    }
    number
}

fn measure_here(row: &str, contender: &str) -> ExitCode {
    let row = ROWS.iter().find(|candidate| candidate.name == row);
    let contender = row.and_then(|row| row.contenders.iter().find(|candidate| candidate.name == contender));
    match contender.map(|contender| contender.run) {
        Some(Run::Here(measure)) => {
            println!("{}", measure());
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}
