//! One execution under one schedule, as it was seen.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{ExitStatus, Held, Limit, Process, Schedule};

/// Everything that is known of one run; judging needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Under which schedule it ran.
    pub schedule: Schedule,
    /// Who was let go on, in this order, where the schedule held somebody.
    pub steps: Vec<Held>,
    /// How much of it could be seen.
    pub observation: Observation,
    /// What of the machine an output may rightly show.
    pub machine: Machine,
    /// The processes in order of birth; main is the first and always there.
    pub processes: Vec<Process>,
    /// The lines of both streams in the order in which they were seen.
    pub lines: Vec<Line>,
    /// Why the run was over.
    pub ending: Ending,
    /// From the start to the end of main, or to the moment when the grader ended it.
    pub wall: Duration,
}

impl RunRecord {
    /// How main ended; none if the grader ended it.
    #[must_use]
    pub fn main_status(&self) -> Option<ExitStatus> {
        self.processes.first().and_then(|main| main.status)
    }

    /// The process with this number.
    #[must_use]
    pub fn process(&self, number: u32) -> Option<&Process> {
        // They stand in the order of their numbers.
        self.processes.get(usize::try_from(number).ok()?)
    }

    /// The processes that one descends from, its parent first. Who was born later is nobody's parent.
    pub fn ancestors<'a>(&'a self, process: &'a Process) -> impl Iterator<Item = &'a Process> {
        let parent = |process: &Process| {
            process.parent.filter(|parent| *parent < process.number).and_then(|parent| self.process(parent))
        };
        std::iter::successors(parent(process), move |process| parent(process))
    }

    /// Whether a process is the same program as its parent.
    #[must_use]
    pub fn is_as_parent(&self, process: &Process) -> bool {
        self.ancestors(process).next().is_some_and(|parent| parent.program == process.program)
    }

    /// The lines of one stream as a reader of it would count them: without the empty ones at its end.
    #[must_use]
    pub fn stream(&self, stream: Stream) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.stream == stream).collect();
        while lines.last().is_some_and(|line| line.text.is_empty()) {
            lines.pop();
        }
        lines
    }
}

/// How much of a run could be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Every process and the writer of every line.
    Full,
    /// The output and the end of main alone.
    OutputOnly {
        /// Why, as a sentence for a learner.
        reason: String,
    },
}

/// Facts of the machine that a right output may depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// The counts of CPUs that a program could rightly report: online, of the affinity mask, of the quota.
    pub cpus: BTreeSet<u64>,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text without the line's end; bytes that are no UTF-8 are replaced by U+FFFD.
    pub text: String,
    /// Whether bytes had to be replaced; such a line matches no pattern.
    pub invalid_utf8: bool,
    /// Where it was written to.
    pub stream: Stream,
    /// The number of the process that wrote it, if that was seen.
    pub writer: Option<u32>,
    /// When its first byte was written, counted from the start of the run.
    pub begun: Duration,
    /// When it was complete.
    pub at: Duration,
    /// Whether its bytes were mixed with those of another process.
    pub torn: bool,
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a run was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Main ended by itself.
    Finished,
    /// The wall time was used up.
    TimedOut,
    /// Nothing could go on any more.
    Deadlocked {
        /// Who waits for what, a sentence each.
        waits: Vec<String>,
    },
    /// A limit was reached and the run ended for it.
    LimitExceeded(Limit),
}

/// What an instructor's validator program said of one run's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidatorAnswer {
    /// The output is right.
    Accepted,
    /// It is wrong; the text is what the validator wrote to its standard output.
    Rejected(String),
    /// The validator itself did not work.
    Broken(String),
}
