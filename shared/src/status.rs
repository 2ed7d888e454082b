//! How a process ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The code of a child that cannot serve its parent.
pub(crate) const UNUSABLE: i32 = 1;

/// The code with which Rust's own `main` leaves after a panic.
pub(crate) const PANICKED: i32 = 101;

/// How a process ended: of itself, with a code, or by a signal.
///
/// ```
/// use multiprocessing::ExitStatus;
///
/// assert_eq!(ExitStatus::Code(3).to_string(), "exit code 3");
/// assert_eq!(ExitStatus::Signal(9).to_string(), "signal 9 (SIGKILL)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitStatus {
    /// It left by itself. 0 means that all went well, 101 that a Rust program panicked.
    Code(i32),
    /// The signal with this number ended it.
    Signal(i32),
    /// It has ended, but how was not to be had: this program ignores SIGCHLD, or other code waited for the
    /// process. Of the processes of a program, this is also all that a copy of it by fork can tell.
    Unknown,
}

impl ExitStatus {
    /// Whether the process left by itself with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == ExitStatus::Code(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "exit code {code}"),
            ExitStatus::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
            ExitStatus::Unknown => f.write_str("an unknown status"),
        }
    }
}

/// The names of signal(7) whose default is to end a process.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGALRM => "SIGALRM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGHUP => "SIGHUP",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGIO => "SIGIO",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGPROF => "SIGPROF",
        libc::SIGPWR => "SIGPWR",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSTKFLT => "SIGSTKFLT",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGVTALRM => "SIGVTALRM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_time_signal_is_shown_by_its_number_alone() {
        assert_eq!(ExitStatus::Signal(40).to_string(), "signal 40");
    }

    #[test]
    fn only_code_zero_is_a_success() {
        assert!(ExitStatus::Code(0).success());
        assert!(!ExitStatus::Code(1).success());
        assert!(!ExitStatus::Signal(0).success());
    }
}
