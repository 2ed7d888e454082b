//! The plain observer: one run, of which the output and the end of main are seen.
//!
//! Processes: a keeper (see [`Keeper`]) and below it main.
//! Descriptors: three pipes, for main's standard input, output and error, and the keeper's reports.
//! One loop on the caller's thread serves them all, so that a program that reads nothing, prints without end or
//! does both cannot hold the grader up.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::Pid;

use super::environment::environment;
use super::run_folder::RunFolder;
use super::stray::{self, Marks};
use super::stream::{Input, Output, Read};
use super::{RunError, limit, machine};
use crate::model::{
    Ending, ExitStatus, Invocation, Limit, Limits, Line, Observation, Process, RunRecord, Schedule, Stream,
    Waited,
};
use crate::sys::{Ended, Keeper, Program, Report, Start, Step};

/// How long both streams have to be silent after main's end, if another process still holds them open.
///
/// A child that main did not wait for prints within a few milliseconds on a machine that is not overloaded; the
/// test runner nextest takes the same time before it calls a descriptor leaked.
const SILENCE: Duration = Duration::from_millis(100);

/// How long to read after main's end at most: a daemon may hold the streams, and write to them, for ever.
const AFTERMATH: Duration = Duration::from_secs(1);

/// The longest time that a run is given, whatever its limit; a longer one might be no point in time any more.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Runs a program once and records its output and the end of its first process.
///
/// All that it starts is ended before this returns, as well as can be without tracing.
/// Nothing but the `free` policy can be run; `reason` says in the record why no more was seen.
///
/// # Errors
///
/// The program cannot be started, or the grader itself lacks something.
pub fn run_plain(
    program: &Program,
    invocation: &Invocation,
    limits: &Limits,
    schedule: Schedule,
    reason: &str,
) -> Result<RunRecord, RunError> {
    let mut program = program.clone();
    program.args.extend(invocation.args.iter().map(Into::into));
    let folder = RunFolder::new()?;
    let mut run = Run::start(&program, &folder, invocation.stdin.as_bytes(), limits)?;
    let ending = run.follow();
    let seen = run.end(&folder);
    let ending =
        ending.map_err(|source| RunError::Follow { executable: program.executable.clone(), source })?;
    if let Some((step, errno)) = seen.not_started {
        return Err(RunError::not_started(&program.executable, step, errno));
    }
    let observation = Observation::OutputOnly { reason: reason.to_owned() };
    let main = seen.main(&program);
    let ending = match main.status {
        Some(status) if limit::ended_for_cpu(status, seen.charged(), limits) => {
            Ending::LimitExceeded(Limit::Cpu)
        }
        _ => ending,
    };
    let wall = main.ended.unwrap_or(seen.stopped);
    Ok(RunRecord {
        schedule,
        steps: Vec::new(),
        observation,
        machine: machine(),
        processes: vec![main],
        lines: seen.lines,
        ending,
        wall,
    })
}

/// A run that is going on.
struct Run<'a> {
    keeper: Keeper,
    keeper_gone: bool,
    stdin: Input<'a>,
    stdout: Output,
    stderr: Output,
    /// How many bytes both outputs together may still hold.
    room: u64,
    overflowed: bool,
    started: Instant,
    deadline: Instant,
    seen: Seen,
}

/// What was learned of a run; times count from its start.
#[derive(Default)]
struct Seen {
    session: Option<Pid>,
    not_started: Option<(Step, i32)>,
    /// When main ended by itself.
    main_ended: Option<Duration>,
    /// How main ended; also if the grader ended it.
    end_of_main: Option<Ended>,
    last_output: Duration,
    stopped: Duration,
    lines: Vec<Line>,
}

/// What a run has to be served at.
#[derive(Clone, Copy)]
enum Source {
    Reports,
    Stdin,
    Stdout,
    Stderr,
}

impl<'a> Run<'a> {
    fn start(
        program: &Program,
        folder: &RunFolder,
        stdin: &'a [u8],
        limits: &Limits,
    ) -> Result<Run<'a>, RunError> {
        let executable = &program.executable;
        let prepare =
            |source| RunError::Prepare { executable: executable.clone(), step: Step::Keeper, source };
        let stdin = Input::new(stdin).map_err(prepare)?;
        let (stdout, stdout_end) = Output::new(Stream::Stdout).map_err(prepare)?;
        let (stderr, stderr_end) = Output::new(Stream::Stderr).map_err(prepare)?;
        let ends = [stdin.far_end(), stdout_end.as_fd(), stderr_end.as_fd()];
        let resources = limit::resources(limits);
        let start = Start::new(program, &environment(folder), ends, &resources);
        let start = start.map_err(|source| RunError::Arguments { executable: executable.clone(), source })?;
        let started = Instant::now();
        let keeper = Keeper::start(&start).map_err(prepare)?;
        Ok(Run {
            keeper,
            keeper_gone: false,
            stdin,
            stdout,
            stderr,
            room: limits.output,
            overflowed: false,
            started,
            deadline: started + limits.wall.min(LONGEST),
            seen: Seen::default(),
        })
    }

    /// Serves the run until it is over and says why it is.
    fn follow(&mut self) -> io::Result<Ending> {
        let ending = loop {
            let now = Instant::now();
            let ready = self.wait(self.deadline().saturating_duration_since(now))?;
            for source in ready {
                self.serve(source)?;
            }
            // What was there at the deadline has been served by now, main's end above all, and may have moved it.
            let late = now >= self.deadline();
            let silent = self.stdout.at_end() && self.stderr.at_end();
            match self.seen.main_ended {
                _ if self.overflowed => break Ending::LimitExceeded(Limit::Output),
                None if late => break Ending::TimedOut,
                Some(_) if late || silent => break Ending::Finished,
                _ => {}
            }
        };
        self.seen.stopped = self.started.elapsed();
        Ok(ending)
    }

    /// When to stop if nothing happens before.
    fn deadline(&self) -> Instant {
        self.seen.main_ended.map_or(self.deadline, |ended| {
            self.started + (ended + AFTERMATH).min(self.seen.last_output.max(ended) + SILENCE)
        })
    }

    /// Waits until something can be served, for `timeout` at most; the reports come first.
    fn wait(&self, timeout: Duration) -> io::Result<Vec<Source>> {
        let reports = Some(self.keeper.reports()).filter(|_| !self.keeper_gone);
        let sources: Vec<(Source, BorrowedFd<'_>)> = [
            (Source::Reports, reports),
            (Source::Stdin, self.stdin.descriptor()),
            (Source::Stdout, self.stdout.descriptor()),
            (Source::Stderr, self.stderr.descriptor()),
        ]
        .into_iter()
        .filter_map(|(source, descriptor)| Some((source, descriptor?)))
        .collect();
        let mut events: Vec<PollFd<'_>> =
            sources.iter().map(|(source, descriptor)| source.event(*descriptor)).collect();
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match rustix::event::poll(&mut events, Some(&timeout)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
        let ready = sources.iter().zip(&events).filter(|(_, event)| !event.revents().is_empty());
        Ok(ready.map(|((source, _), _)| *source).collect())
    }

    fn serve(&mut self, source: Source) -> io::Result<()> {
        let at = self.started.elapsed();
        let output = match source {
            Source::Reports => return self.hear(at),
            Source::Stdin => return self.stdin.write(),
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        };
        let read = output.read(&mut self.room, at, &mut self.seen.lines)?;
        self.overflowed |= read == Read::TooMuch;
        if read != Read::Nothing {
            self.seen.last_output = at;
        }
        Ok(())
    }

    fn hear(&mut self, at: Duration) -> io::Result<()> {
        match self.keeper.next_report()? {
            Some(Report::Born { main }) => self.seen.session = Some(main),
            Some(Report::NotStarted { step, errno }) => {
                self.seen.not_started.get_or_insert((step, errno));
                self.seen.main_ended.get_or_insert(at);
            }
            Some(Report::Ended(ended)) => {
                self.seen.end_of_main = Some(ended);
                self.seen.main_ended.get_or_insert(at);
            }
            // The submission killed the keeper, and with it main.
            Some(Report::Swept { .. }) | None => {
                self.keeper_gone = true;
                self.seen.main_ended.get_or_insert(at);
            }
        }
        Ok(())
    }

    /// Ends all that is left of the run.
    fn end(self, folder: &RunFolder) -> Seen {
        let mut seen = self.seen;
        let last_word = self.keeper.end();
        if !last_word.clean {
            stray::end_strays(&Marks { session: seen.session, variable: &folder.mark() });
        }
        seen.end_of_main = seen.end_of_main.or(last_word.ended);
        let mut rest: Vec<Line> = [self.stdout, self.stderr].into_iter().filter_map(Output::finish).collect();
        rest.sort_by_key(|line| line.at);
        seen.lines.append(&mut rest);
        seen
    }
}

impl Source {
    fn event(self, descriptor: BorrowedFd<'_>) -> PollFd<'_> {
        let flags = if matches!(self, Source::Stdin) { PollFlags::OUT } else { PollFlags::IN };
        PollFd::from_borrowed_fd(descriptor, flags)
    }
}

impl Seen {
    fn charged(&self) -> Duration {
        self.end_of_main.map_or(Duration::ZERO, |ended| ended.charged)
    }

    fn main(&self, program: &Program) -> Process {
        let name = program.executable.file_name().unwrap_or(program.executable.as_os_str());
        // Without word of its end it was killed as its keeper was (PR_SET_PDEATHSIG).
        let status = self
            .end_of_main
            .map_or(ExitStatus::Signal(libc::SIGKILL), |ended| exit_status(ended.wait_status));
        Process {
            number: 0,
            parent: None,
            program: name.to_string_lossy().into_owned(),
            executed: true,
            born: Duration::ZERO,
            done: self.main_ended,
            ended: self.main_ended,
            status: self.main_ended.map(|_| status),
            waited: Waited::Unknown,
            threads: 0,
            cpu: self.end_of_main.map_or(Duration::ZERO, |ended| ended.cpu),
            peak_memory: self.end_of_main.map_or(0, |ended| ended.peak_memory),
        }
    }
}

fn exit_status(wait_status: i32) -> ExitStatus {
    let status = std::process::ExitStatus::from_raw(wait_status);
    status.signal().map_or_else(|| ExitStatus::Code(status.code().unwrap_or(0)), ExitStatus::Signal)
}
