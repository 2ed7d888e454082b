//! What the keeper does, from its birth to its end.
//!
//! Runs in a copy of the grader and keeps to what signal-safety(7) allows; see `sys::fork`.

#![expect(unsafe_code, reason = "the keeper is a forked copy that owns nothing")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::message::{Ended, Report, Step};
use super::{BELL, SWEEP_TIME, Start, start};
use crate::sys::wait::{self, Account, Children};
use crate::sys::{children, descriptors, fork, signals};

/// How long a sweep waits for what it killed before it looks again for what was born meanwhile.
const ROUND: Duration = Duration::from_millis(2);

struct Keeper<'a> {
    reports: BorrowedFd<'a>,
    me: Pid,
    main: Pid,
    main_alive: bool,
    child_ended: OwnedFd,
}

/// Everything that the keeper is there for; returns its exit code.
pub(super) fn keep(start: &Start<'_>, lifeline: BorrowedFd<'_>, reports: BorrowedFd<'_>) -> i32 {
    match begin(start, lifeline, reports) {
        Ok(mut keeper) => {
            keeper.watch(lifeline, start.tracing.map(|_| BELL));
            let clean = keeper.sweep();
            send(reports, Report::Swept { clean });
            0
        }
        Err((step, errno)) => {
            send(reports, Report::NotStarted { step, errno: errno.raw_os_error() });
            1
        }
    }
}

fn begin<'a>(
    orders: &Start<'_>,
    lifeline: BorrowedFd<'_>,
    reports: BorrowedFd<'a>,
) -> Result<Keeper<'a>, (Step, Errno)> {
    let own = [lifeline.as_raw_fd(), reports.as_raw_fd()];
    let for_main = [orders.stdin.as_raw_fd(), orders.stdout.as_raw_fd(), orders.stderr.as_raw_fd()];
    let [stdin, stdout, stderr] = for_main;
    let gate = orders.tracing.map_or(stdin, |tracing| tracing.gate.as_raw_fd());
    // SAFETY: the keeper is a copy that uses nothing but these, and leaves without running a destructor.
    unsafe { descriptors::close_all_but([own[0], own[1], stdin, stdout, stderr, gate]) };
    let child_ended = own_means().map_err(|errno| (Step::Keeper, errno))?;
    if orders.tracing.is_some() {
        // Its own bell may have stopped it just when the tracer dies, and a stopped keeper sees no lifeline cut. What is
        // below it dies with the tracer too.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|errno| (Step::Keeper, errno))?;
    }
    let me = rustix::process::getpid();
    let main = || {
        send(reports, start::start(orders, me));
        1
    };
    // SAFETY: `start` neither allocates nor takes a lock.
    let main = unsafe { fork::fork(main) }.map_err(|error| (Step::Fork, errno_of(&error)))?;
    // Only main holds the far ends of its streams from here on, so that their end can be seen.
    // SAFETY: the keeper goes on to use these three descriptors alone.
    unsafe { descriptors::close_all_but([own[0], own[1], child_ended.as_raw_fd()]) };
    send(reports, Report::Born { main });
    Ok(Keeper { reports, me, main, main_alive: true, child_ended })
}

/// A session that no terminal's signals reach, orphans as children of its own, and word of their ends.
fn own_means() -> Result<OwnedFd, Errno> {
    rustix::process::setsid()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    rustix::thread::set_name(c"grader-keeper")?;
    // Were it ignored, as some grader's parent may have left it, children would vanish without a status.
    signals::reset(Signal::CHILD.as_raw());
    signals::child_ended().map_err(|error| errno_of(&error))
}

impl Keeper<'_> {
    /// Reaps what ends, as an init process would, until the grader lets go of the lifeline or is no more.
    ///
    /// Whenever nothing happens for the time of `bell`, it stops itself: that wakes the tracer, its parent.
    fn watch(&mut self, lifeline: BorrowedFd<'_>, bell: Option<Duration>) {
        let bell = bell.map(|bell| Timespec { tv_sec: 0, tv_nsec: i64::from(bell.subsec_nanos()) });
        loop {
            let mut events = [readable(lifeline), readable(self.child_ended.as_fd())];
            let polled = rustix::event::poll(&mut events, bell.as_ref());
            if polled == Ok(0) {
                let _ = rustix::process::kill_process(self.me, Signal::STOP);
            }
            let [cut, ended] = events.map(|event| !event.revents().is_empty());
            if cut || polled.is_err_and(|errno| errno != Errno::INTR) {
                return;
            }
            if ended {
                self.reap();
            }
        }
    }

    /// Reaps all children that have ended; returns whether any are left.
    fn reap(&mut self) -> bool {
        // What is readable tells only that there is something to look for, since signals of one kind merge.
        let mut word = [0; 1024];
        while rustix::io::read(&self.child_ended, &mut word).is_ok_and(|length| length == word.len()) {}
        loop {
            match wait::look() {
                Children::Ended(pid) => self.reap_one(pid),
                Children::Running => return true,
                Children::None => return false,
            }
        }
    }

    fn reap_one(&mut self, pid: Pid) {
        if pid != self.main {
            let _ = wait::reap(pid);
            return;
        }
        let cpu = wait::cpu_time(pid, Account::Scheduler).unwrap_or_default();
        let charged = wait::cpu_time(pid, Account::Ticks).unwrap_or_default();
        let Ok((wait_status, peak)) = wait::reap(pid) else { return };
        self.main_alive = false;
        let peak_memory = peak.saturating_mul(1024);
        send(self.reports, Report::Ended(Ended { wait_status, cpu, charged, peak_memory }));
    }

    /// Ends everything that main started and main itself; returns whether nothing is left.
    ///
    /// A process that forks and ends faster than it is looked for is met again as a child of the keeper's: every
    /// orphan becomes one.
    /// Only children are killed, whose numbers nobody else can be given before they are reaped here.
    fn sweep(&mut self) -> bool {
        let deadline = Instant::now() + SWEEP_TIME;
        if self.main_alive {
            // The quickest way to most of them; whoever left the group is found below.
            let _ = rustix::process::kill_process_group(self.main, Signal::KILL);
        }
        while self.reap() {
            if Instant::now() >= deadline {
                return false;
            }
            let _ = children::each_child(self.me, |child| {
                let _ = rustix::process::kill_process(child, Signal::KILL);
            });
            let round = Timespec { tv_sec: 0, tv_nsec: i64::from(ROUND.subsec_nanos()) };
            let _ = rustix::event::poll(&mut [readable(self.child_ended.as_fd())], Some(&round));
        }
        true
    }
}

fn readable(descriptor: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(descriptor, PollFlags::IN)
}

/// Tells the grader, if it is still there to be told.
fn send(reports: BorrowedFd<'_>, report: Report) {
    let _ = rustix::io::write(reports, &report.encode());
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
