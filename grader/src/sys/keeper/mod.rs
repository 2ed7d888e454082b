//! A process between the grader and a submission, which outlives neither.
//!
//! A program can leave its process group, its session and its parent, but not its ancestors: whatever it starts
//! is, once orphaned, handed to the nearest ancestor that takes orphans (PR_SET_CHILD_SUBREAPER in prctl(2)).
//! The keeper is that ancestor, one for each run, so that runs side by side never meet each other's orphans and
//! the grader's own children stay out of it.
//!
//! Processes: the grader forks the keeper, the keeper forks main.
//! The keeper reaps whatever ends below it, as an init process would, and tells of main's end.
//! Descriptors: the *lifeline*, a pipe that carries nothing and whose writing end the grader alone holds; and the
//! *reports*, a pipe from the keeper (and from main until its exec) to the grader.
//! When the lifeline is cut, by the grader's wish or its death, the keeper kills all that is below it and ends.
//! Main in turn is killed when the keeper dies (PR_SET_PDEATHSIG).
//!
//! The keeper is a copy of the grader, has one thread, and all signals are blocked in it.

#![expect(unsafe_code, reason = "the keeper is a forked copy of the grader")]

mod body;
mod message;
mod start;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, WaitOptions};

pub use message::Step;
pub(crate) use message::{Ended, Report};

use super::filter::Filter;
use super::image::Image;
use super::{Environment, Program, fork, signals};

/// How long a keeper tries to end what main started.
///
/// Forty chains of processes that fork and end at once take up to half a second; a process in an uninterruptible
/// sleep may take for ever, and must not hold the grader up.
const SWEEP_TIME: Duration = Duration::from_secs(2);

/// How often a keeper rings its tracer.
const BELL: Duration = Duration::from_millis(20);

/// How much longer the grader waits for the keeper's last word.
const LAST_WORD_TIME: Duration = Duration::from_secs(1);

/// What main is started with.
pub(crate) struct Start<'a> {
    image: Image,
    /// Standard input, with a descriptor number above 2 as the two below.
    stdin: BorrowedFd<'a>,
    stdout: BorrowedFd<'a>,
    stderr: BorrowedFd<'a>,
    /// Soft and hard limits; a lower limit of the grader's own stays in force.
    limits: &'a [(Resource, Rlimit)],
    /// Set if main is to be traced.
    tracing: Option<Tracing<'a>>,
}

/// How main waits for its tracer.
#[derive(Clone, Copy)]
struct Tracing<'a> {
    /// Main goes on to its program when it can read a byte from here.
    gate: BorrowedFd<'a>,
    /// The calls that its tracer is told of.
    filter: &'a Filter,
}

/// Keeps main from its program until it is opened; main never gets there if it is dropped before.
#[derive(Debug)]
pub struct Gate(OwnedFd);

impl Gate {
    /// Lets main go on.
    ///
    /// # Errors
    ///
    /// Main is gone.
    pub fn open(self) -> io::Result<()> {
        rustix::io::write(&self.0, &[1])?;
        Ok(())
    }
}

impl<'a> Start<'a> {
    /// Puts together a program, all of its environment, its three standard streams and its limits.
    ///
    /// # Errors
    ///
    /// A text holds a zero byte.
    pub(crate) fn new(
        program: &Program,
        environment: &Environment,
        [stdin, stdout, stderr]: [BorrowedFd<'a>; 3],
        limits: &'a [(Resource, Rlimit)],
    ) -> io::Result<Start<'a>> {
        Ok(Start { image: Image::new(program, environment)?, stdin, stdout, stderr, limits, tracing: None })
    }
}

/// The grader's handle of a keeper; dropping it ends the run.
#[derive(Debug)]
pub(crate) struct Keeper {
    pid: Pid,
    process: OwnedFd,
    lifeline: Option<OwnedFd>,
    reports: OwnedFd,
}

/// What was learned from a keeper on its way out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastWord {
    /// How main ended, if it was told only now.
    pub(crate) ended: Option<Ended>,
    /// Whether nothing that main started is left; false too if the keeper was killed.
    pub(crate) clean: bool,
}

impl Keeper {
    /// Starts a keeper, which starts main.
    ///
    /// # Errors
    ///
    /// There was no descriptor or no process left for it.
    pub(crate) fn start(start: &Start<'_>) -> io::Result<Keeper> {
        let (lifeline_end, lifeline) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let (reports, reports_end) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let blocked = signals::Blocked::all();
        let body = || body::keep(start, lifeline_end.as_fd(), reports_end.as_fd());
        // SAFETY: `keep` neither allocates nor takes a lock.
        let keeper = unsafe { fork::fork(body) }?;
        drop(blocked);
        // Its number cannot be another's by now: it is not reaped before this process waits for it.
        match rustix::process::pidfd_open(keeper, PidfdFlags::empty()) {
            Ok(process) => Ok(Keeper { pid: keeper, process, lifeline: Some(lifeline), reports }),
            Err(errno) => {
                drop(lifeline);
                let _ = rustix::process::waitpid(Some(keeper), WaitOptions::empty());
                Err(errno.into())
            }
        }
    }

    /// Starts a keeper, which starts main, which waits at the gate for its tracer.
    ///
    /// Such a keeper is its tracer's bell too: now and then it stops itself, and goes on when it is told to.
    ///
    /// # Errors
    ///
    /// There was no descriptor or no process left for it.
    pub fn start_traced(start: Start<'_>, filter: &Filter) -> io::Result<(Keeper, Gate)> {
        let (gate, opener) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let start = Start { tracing: Some(Tracing { gate: gate.as_fd(), filter }), ..start };
        Ok((Keeper::start(&start)?, Gate(opener)))
    }

    /// The keeper's own process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether [`Keeper::next_report`] would not have to wait.
    #[must_use]
    pub fn has_report(&self) -> bool {
        self.readable_before(Instant::now())
    }

    /// Readable when [`Keeper::next_report`] has something to say.
    pub(crate) fn reports(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }

    /// Waits for the next report; `None` when the keeper is gone.
    ///
    /// # Errors
    ///
    /// The pipe holds what no keeper writes.
    pub(crate) fn next_report(&self) -> io::Result<Option<Report>> {
        let mut message = [0; message::LENGTH];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.reports, &mut message))?;
        match (length, Report::decode(&message)) {
            (0, _) => Ok(None),
            (message::LENGTH, Some(report)) => Ok(Some(report)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Ends main and everything that it started.
    pub(crate) fn end(mut self) -> LastWord {
        self.cut()
    }

    fn cut(&mut self) -> LastWord {
        let Some(lifeline) = self.lifeline.take() else { return LastWord::default() };
        drop(lifeline);
        let last_word = self.last_word(Instant::now() + SWEEP_TIME + LAST_WORD_TIME);
        if !last_word.clean {
            let _ = rustix::process::pidfd_send_signal(&self.process, Signal::KILL);
        }
        // That another part of the program has reaped it already (ECHILD) is as good.
        let _ = rustix::io::retry_on_intr(|| {
            rustix::process::waitid(WaitId::PidFd(self.process.as_fd()), WaitIdOptions::EXITED)
        });
        last_word
    }

    fn last_word(&self, deadline: Instant) -> LastWord {
        let mut last_word = LastWord::default();
        while Instant::now() < deadline {
            // The submission may have stopped it, or it itself to ring its bell.
            let _ = rustix::process::pidfd_send_signal(&self.process, Signal::CONT);
            if !self.readable_before(deadline.min(Instant::now() + BELL)) {
                continue;
            }
            match self.next_report() {
                Ok(Some(Report::Ended(ended))) => last_word.ended = Some(ended),
                Ok(Some(Report::Swept { clean })) => return LastWord { clean, ..last_word },
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        last_word
    }

    fn readable_before(&self, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else { return false };
            match rustix::event::poll(&mut [PollFd::new(&self.reports, PollFlags::IN)], Some(&left)) {
                Err(Errno::INTR) => {}
                Ok(count) => return count > 0,
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.cut();
    }
}
