//! What a program has said on standard error when something went wrong.

use super::Evidence;
use super::shown::clipped;
use crate::model::{CheckResult, Limits, Line, ListingLine, Mark, Process, RunRecord, Stream, Verdict, size};

/// So many lines are shown.
const MOST: usize = 4;

/// What Rust, Python, C++ and the system say where memory is refused.
const NO_MEMORY: [&str; 4] =
    ["memory allocation of ", "MemoryError", "std::bad_alloc", "Cannot allocate memory"];

/// Shows with the first check that a run has broken, and with those that are for the same reason, the last words on
/// standard error of the one who was the first to say anything there: why a child failed, say.
pub(super) fn add(checks: &mut [CheckResult], evidence: &Evidence, limits: &Limits) {
    // What is asked of standard error shows its lines by itself.
    let is_broken = |check: &&CheckResult| check.verdict != Verdict::NotRun && check.kind != "stderr";
    let first =
        checks.iter().filter(is_broken).find_map(|check| Some((check.run?, check.explanation.clone()?)));
    let Some((schedule, reason)) = first else { return };
    let Some(run) = evidence.runs.iter().find(|run| run.schedule == schedule) else { return };
    let words = of(run);
    let lacks_memory = words.iter().any(|line| NO_MEMORY.iter().any(|text| line.text.contains(text)));
    for told in checks.iter_mut().filter_map(|check| check.explanation.as_mut()) {
        if *told == reason {
            told.listing.extend(words.iter().cloned());
            if lacks_memory {
                told.text +=
                    &format!(" Memory was refused: each process may have {} here.", size(limits.memory));
            }
        }
    }
}

fn of(run: &RunRecord) -> Vec<ListingLine> {
    let said = run.stream(Stream::Stderr);
    let words: Vec<_> =
        said.iter().filter(|line| said.first().is_some_and(|first| line.writer == first.writer)).collect();
    let label = |line: &Line| {
        let writer = line.writer.and_then(|writer| run.process(writer));
        writer.filter(|_| run.processes.len() > 1).map(Process::label).unwrap_or_default()
    };
    words
        .iter()
        .skip(words.len().saturating_sub(MOST))
        .map(|line| ListingLine {
            gutter: "stderr".to_owned(),
            text: clipped(&line.text, 0).0,
            mark: Mark::Plain,
            note: label(line),
        })
        .collect()
}
