//! One process of a run: where it came from and how it ended.

use std::fmt;
use std::time::Duration;

/// One process of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number in order of birth; the submission's first process is 0.
    pub number: u32,
    /// The process that made it; none for the first.
    pub parent: Option<u32>,
    /// The program it ran last, as far as it was seen.
    pub program: String,
    /// Whether it executed that program itself, or began as a copy of a sibling that did, rather than of its parent.
    pub executed: bool,
    /// When it was born, counted from the start of the run.
    pub born: Duration,
    /// When it had nothing left to do: a schedule may have held it there, before its end.
    pub done: Option<Duration>,
    /// When it ended; none if it was still alive when the run was over.
    pub ended: Option<Duration>,
    /// How it ended by itself or by another; none if the grader ended it.
    pub status: Option<ExitStatus>,
    /// Whether somebody took note of its end.
    pub waited: Waited,
    /// How many threads it started beside its first one.
    pub threads: u32,
    /// CPU time in user and kernel mode.
    pub cpu: Duration,
    /// The most memory that it held, in bytes.
    pub peak_memory: u64,
}

impl Process {
    /// The name that a person reads: "main", "child 1".
    #[must_use]
    pub fn label(&self) -> String {
        if self.number == 0 { "main".to_owned() } else { format!("child {}", self.number) }
    }
}

/// Whether the end of a process was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// By its parent or whoever stands in for it, before main ended.
    Yes,
    /// By nobody before main ended.
    No,
    /// Nobody looked.
    Unknown,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// Whether it is SIGKILL or SIGTERM, by which others end a process that is not needed any more; see signal(7).
    #[must_use]
    pub fn is_by_others(self) -> bool {
        matches!(self, ExitStatus::Signal(9 | 15))
    }
}

impl fmt::Display for ExitStatus {
    /// "exit code 3" or "SIGKILL".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "exit code {code}"),
            ExitStatus::Signal(signal) => f.write_str(&signal_name(*signal)),
        }
    }
}

/// The numbers that Linux gives signals on x86-64 and 64-bit Arm alike; see signal(7).
const SIGNALS: [(i32, &str); 31] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (20, "SIGTSTP"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGURG"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
];

/// The name of a signal; "signal 40" for one that has none.
#[must_use]
pub fn signal_name(number: i32) -> String {
    SIGNALS
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}

/// The number of a signal of this name, with its `SIG`.
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    SIGNALS.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}
