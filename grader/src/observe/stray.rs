//! Processes of a run whose keeper is no more.
//!
//! A submission that kills its parent kills the keeper, and what it had started is handed to another process.
//! Such strays are known by the session of main and by the run's own TMPDIR in their environment; one that shed
//! both cannot be told from any other process of the machine.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

/// How long to go on looking, as long as a keeper does.
const SWEEP_TIME: Duration = Duration::from_secs(2);

/// How long to wait for the end of what was killed before looking again.
const ROUND: Duration = Duration::from_millis(20);

/// By what the processes of a run are known.
pub(super) struct Marks<'a> {
    /// The session that main was given.
    pub(super) session: Option<Pid>,
    /// A variable of the environment that no other run has, `NAME=value`.
    pub(super) variable: &'a OsStr,
}

/// Ends every process with one of the marks.
pub(super) fn end_strays(marks: &Marks<'_>) {
    let deadline = Instant::now() + SWEEP_TIME;
    while Instant::now() < deadline {
        let killed: Vec<OwnedFd> = processes().filter_map(|pid| kill_marked(pid, marks)).collect();
        if killed.is_empty() {
            return;
        }
        wait_for_one(&killed);
    }
}

/// The numbers of all processes.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number > 0).filter_map(Pid::from_raw)
}

/// Kills the process if it is one of the run's; the descriptor stands for the process whose marks were read, even
/// if its number has since become another's.
fn kill_marked(pid: Pid, marks: &Marks<'_>) -> Option<OwnedFd> {
    let process = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
    if !is_marked(pid, marks) {
        return None;
    }
    rustix::process::pidfd_send_signal(&process, Signal::KILL).ok()?;
    Some(process)
}

fn is_marked(pid: Pid, marks: &Marks<'_>) -> bool {
    // The name in it may be no UTF-8.
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    if marks.session.is_some() && live_session(&String::from_utf8_lossy(&stat)) == marks.session {
        return true;
    }
    // That of a process which has ended is empty.
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == marks.variable.as_bytes())
}

/// The session of a process, from its line in `/proc/PID/stat`; none if it is no more than an entry of which nobody
/// has taken note yet.
///
/// Behind the name in parentheses stand state, parent, group and session, see proc_pid_stat(5).
fn live_session(stat: &str) -> Option<Pid> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(2)?.parse().ok().filter(|session| alive && *session > 0).and_then(Pid::from_raw)
}

fn wait_for_one(processes: &[OwnedFd]) {
    let mut ends: Vec<PollFd<'_>> =
        processes.iter().map(|process| PollFd::new(process, PollFlags::IN)).collect();
    let round = Timespec { tv_sec: 0, tv_nsec: i64::from(ROUND.subsec_nanos()) };
    let _ = rustix::event::poll(&mut ends, Some(&round));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_that_of_a_live_process() {
        let session = |stat: &str| live_session(stat).map(Pid::as_raw_pid);
        assert_eq!(session("7 (a) b) S 1 5 6 0 -1"), Some(6));
        assert_eq!(session("7 (a) Z 1 5 6 0 -1"), None);
        // A thread of the kernel has no session.
        assert_eq!(session("2 (kthreadd) S 0 0 0 0 -1"), None);
        assert_eq!(session(""), None);
    }
}
