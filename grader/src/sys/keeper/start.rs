//! From the fork to the program: what main does before it runs the submission.
//!
//! Runs in a copy of a copy of the grader and keeps to what signal-safety(7) allows; see `sys::fork`.

use std::time::Duration;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::time::Timespec;

use super::message::{Report, Step};
use super::{Start, Tracing};
use crate::sys::signals;

/// Others may read what it writes to files, and only itself may change it, as in an ordinary login.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// How often, and after which pause, a program that is still open for writing is tried again.
///
/// Another thread of the grader may just be forking: its copy holds a program that was written a moment ago open
/// until its own exec, and for so long execve(2) answers ETXTBSY.
const BUSY_TRIES: u32 = 200;
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Becomes the program; returns only where something of it fails.
pub(super) fn start(start: &Start<'_>, keeper: Pid) -> Report {
    match prepare(start, keeper) {
        Err((step, errno)) => Report::NotStarted { step, errno: errno.raw_os_error() },
        Ok(()) => Report::NotStarted { step: Step::Exec, errno: exec(start) },
    }
}

fn prepare(start: &Start<'_>, keeper: Pid) -> Result<(), (Step, Errno)> {
    session(keeper).map_err(|errno| (Step::Session, errno))?;
    for (resource, most) in start.limits {
        limit(*resource, *most).map_err(|errno| (Step::Limits, errno))?;
    }
    streams(start).map_err(|errno| (Step::Streams, errno))?;
    rustix::process::umask(UMASK);
    rustix::process::chdir(start.image.folder()).map_err(|errno| (Step::Folder, errno))?;
    signals::reset_all();
    start.tracing.map_or(Ok(()), |tracing| await_tracer(&tracing).map_err(|errno| (Step::Tracing, errno)))
}

/// Waits until the tracer follows this process, and puts its filter in force.
fn await_tracer(tracing: &Tracing<'_>) -> Result<(), Errno> {
    let mut byte = [0];
    match rustix::io::retry_on_intr(|| rustix::io::read(tracing.gate, &mut byte))? {
        0 => Err(Errno::CANCELED),
        _ => tracing.filter.put_in_force().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// A session of its own, without a terminal, that ends with the keeper.
fn session(keeper: Pid) -> Result<(), Errno> {
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A keeper that ended before the line above can no longer send the signal.
    if rustix::process::getppid() == Some(keeper) { Ok(()) } else { Err(Errno::SRCH) }
}

/// Lowers a limit; one that is lower already stays, since only a privileged process may raise it.
fn limit(resource: Resource, most: Rlimit) -> Result<(), Errno> {
    let now = rustix::process::getrlimit(resource);
    let lower = |a: Option<u64>, b: Option<u64>| a.map_or(b, |a| b.map_or(Some(a), |b| Some(a.min(b))));
    let maximum = lower(most.maximum, now.maximum);
    rustix::process::setrlimit(resource, Rlimit { current: lower(most.current, maximum), maximum })
}

fn streams(start: &Start<'_>) -> Result<(), Errno> {
    rustix::stdio::dup2_stdin(start.stdin)?;
    rustix::stdio::dup2_stdout(start.stdout)?;
    rustix::stdio::dup2_stderr(start.stderr)
}

/// Returns the number of the error.
fn exec(start: &Start<'_>) -> i32 {
    let mut errno = 0;
    for _ in 0..BUSY_TRIES {
        errno = start.image.exec().raw_os_error().unwrap_or(0);
        if errno != Errno::TXTBSY.raw_os_error() {
            break;
        }
        let pause = Timespec { tv_sec: 0, tv_nsec: i64::from(BUSY_PAUSE.subsec_nanos()) };
        let _ = rustix::thread::nanosleep(&pause);
    }
    errno
}
