//! The picture of a run: who lived when and wrote where.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Observation, RunRecord, Stream, Timeline, TimelineRow};

/// More rows than this say less.
const MOST_ROWS: usize = 12;

/// Draws a run in which `broken` is the line of standard output that is wrong, counted from 0.
///
/// `None` where there is nothing to see: no observation, or no process but main.
pub(super) fn draw(run: &RunRecord, broken: Option<usize>) -> Option<Timeline> {
    if run.observation != Observation::Full || run.processes.len() < 2 {
        return None;
    }
    let lines = run.stream(Stream::Stdout);
    // At one moment a birth comes before a line and a line before an end, as it must have been.
    let mut events: Vec<(Duration, u8, usize)> = Vec::new();
    events.extend(run.processes.iter().enumerate().map(|(index, process)| (process.born, 0, index)));
    events.extend(lines.iter().enumerate().map(|(index, line)| (line.at, 1, index)));
    events.extend(
        run.processes.iter().enumerate().filter_map(|(index, process)| Some((process.ended?, 2, index))),
    );
    events.sort_unstable();
    // A flood has a hundred thousand lines, so that nobody may look through all events for each.
    let columns: HashMap<(u8, usize), usize> =
        events.iter().enumerate().map(|(column, (_, kind, index))| ((*kind, *index), column)).collect();
    let column = |kind: u8, index: usize| columns.get(&(kind, index)).copied();
    let row = |(index, process): (usize, &crate::model::Process)| TimelineRow {
        label: process.label(),
        born: column(0, index).unwrap_or(0),
        ended: column(2, index),
        wrote: (0..lines.len())
            .filter(|line| lines[*line].writer == Some(process.number))
            .filter_map(|line| column(1, line))
            .collect(),
        broke: broken
            .filter(|line| lines.get(*line).is_some_and(|line| line.writer == Some(process.number)))
            .and_then(|line| column(1, line)),
    };
    Some(Timeline {
        schedule: run.schedule,
        rows: run.processes.iter().enumerate().take(MOST_ROWS).map(row).collect(),
        more: run.processes.len().saturating_sub(MOST_ROWS),
        columns: events.len(),
    })
}
