//! The tracing observer: one run, of which every process and the writer of every line are seen.
//!
//! Processes: a keeper (see [`Keeper`]), below it main, below main whatever it starts; all but the keeper are traced
//! by one thread, which does nothing else.
//! Main is seized before it runs its program, so that nothing of the submission is ever unseen.
//!
//! The tracer hears of every birth, exec, end and write, and each time decides whether the thread goes on at once or is
//! held, as the schedule has it.
//! Somebody who is held goes on when nothing else can move (see [`rest`](super::rest)).
//! Time is not waited for: when nothing but time can move a run, the call that would end first ends at once.
//! Programs that poll never come to rest, so after a patience one is let go on all the same.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use rustix::thread::nanosleep;
use rustix::time::Timespec;

use super::environment::RunFolder;
use super::journal::Journal;
use super::rest::{self, Rest, TimedCall};
use super::stray::{self, Marks};
use super::stream::Input;
use super::tree::Tree;
use super::{RunError, limit, machine, proc, waits};
use crate::model::{
    Ending, ExitStatus, Held, Invocation, Limit, Limits, Line, Observation, Point, Policy, RunRecord,
    Schedule, Stream,
};
use crate::schedule::{Choice, Decider};
use crate::sys::{
    Event, Filter, Keeper, Program, Report, Start, Step, Stop, Stopped, SystemCall, Tracer, calls,
};

/// How long after main's end the others may take to end by themselves.
///
/// A helper (a fork server, a resource tracker) ends within milliseconds once main has closed its pipe.
const AFTERMATH: Duration = Duration::from_secs(1);

/// How long nothing may have been heard of a free run before it is looked at for a deadlock.
const QUIET: Duration = Duration::from_millis(60);

/// The pauses between two looks at a run that has not come to rest; there is no event to wait for.
const SHORTEST_PAUSE: Duration = Duration::from_micros(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// The patience with a run that does not come to rest while somebody is held.
///
/// A program that polls sleeps a little very many times, one that waits by sleeping does so once or a few times; and
/// both are told from a program that only computes before it waits.
const PATIENT_SLEEPS: u32 = 300;
const PATIENT_POLLING: Duration = Duration::from_millis(400);
const PATIENT_REAL: Duration = Duration::from_secs(2);

/// How long a run without children takes at most, and how many are ended: some pools replace workers for ever.
const WITHOUT_CHILDREN_TIME: Duration = Duration::from_millis(1_500);
const MOST_CHILDREN_ENDED: usize = 200;

/// What is told where bytes came out that nobody was seen to write.
const UNKNOWN_WRITER: &str =
    "Something was printed in a way that the grader cannot follow, so nobody knows by whom.";

/// How long everything may take to end once it has been killed.
const END_TIME: Duration = Duration::from_secs(2);

/// A run's record and the choices that its schedule made.
#[derive(Debug)]
pub struct TracedRun {
    /// What was seen.
    pub record: RunRecord,
    /// Who went on when several could.
    pub choices: Vec<Choice>,
    /// How many programs main was before its last one.
    pub wrappers: u32,
}

/// Why a traced run could not be made.
#[derive(Debug)]
pub enum TraceError {
    /// Tracing is not allowed here.
    Refused(io::Error),
    /// Anything else.
    Run(RunError),
}

impl From<RunError> for TraceError {
    fn from(error: RunError) -> Self {
        TraceError::Run(error)
    }
}

/// Runs a program once under a schedule and records all that it did.
///
/// Nothing that it starts is alive when this returns, nor after the grader has been killed.
/// Steering begins when main has become `wrappers` other programs, as a shell script does that ends in an `exec`; how
/// many there are an earlier run tells.
///
/// # Errors
/// Tracing is refused, the program cannot be started, or the grader itself lacks something.
pub fn run_traced(
    program: &Program,
    invocation: &Invocation,
    limits: &Limits,
    schedule: Schedule,
    wrappers: u32,
) -> Result<TracedRun, TraceError> {
    let mut program = program.clone();
    program.args.extend(invocation.args.iter().map(Into::into));
    // A thread of its own: what it waits for are its children and tracees alone, and both end with it.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("tracer".to_owned());
        let traced = || trace(&program, invocation.stdin.as_bytes(), limits, schedule, wrappers);
        let spawned = thread.spawn_scoped(scope, traced);
        let follow =
            |source| TraceError::Run(RunError::Follow { executable: program.executable.clone(), source });
        let handle = spawned.map_err(follow)?;
        handle.join().unwrap_or_else(|_| Err(follow(io::Error::other("the tracer panicked"))))
    })
}

fn trace(
    program: &Program,
    stdin: &[u8],
    limits: &Limits,
    schedule: Schedule,
    wrappers: u32,
) -> Result<TracedRun, TraceError> {
    let folder = RunFolder::new()?;
    let mut run = Run::start(program, &folder, stdin, limits, schedule, wrappers)?;
    let followed = run.follow();
    let follow = |source| RunError::Follow { executable: program.executable.clone(), source };
    let ended = run.end(&folder);
    let ending = followed.map_err(follow)?;
    let run = ended.map_err(follow)?;
    if let Some((step, errno)) = run.not_started {
        return Err(RunError::not_started(&program.executable, step, errno).into());
    }
    Ok(run.into_record(ending, limits))
}

/// A run that is going on.
struct Run<'a> {
    tracer: Tracer,
    keeper: Option<Keeper>,
    main: Pid,
    stdin: Input<'a>,
    outputs: [Journal; 2],
    /// How many bytes both outputs together may still hold.
    room: u64,
    limits: &'a Limits,
    started: Instant,
    schedule: Schedule,
    decider: Decider,
    tree: Tree,
    lines: Vec<Line>,
    /// Threads that have stopped for the first time before their birth was heard of.
    newborn: HashMap<Pid, Stopped>,
    /// Threads whose birth was heard of before they have stopped for the first time.
    expected: HashMap<Pid, usize>,
    held: Vec<(Held, Stopped)>,
    /// Who is writing, and to which output.
    writing: Option<(Pid, usize)>,
    to_write: VecDeque<(usize, Stopped)>,
    /// Threads that a signal has stopped.
    parked: HashSet<Pid>,
    /// The calls that signals interrupted and that go on.
    interrupted: HashMap<Pid, SystemCall>,
    /// The call that is being ended as if its time were over.
    cut: Option<TimedCall>,
    patience: Patience,
    last_heard: Instant,
    not_started: Option<(Step, i32)>,
    main_ended: Option<Duration>,
    /// How many children a run without any has ended.
    children_ended: usize,
    /// How many programs main is before the one that is graded; until then nobody is held.
    wrappers: u32,
    /// How many programs main has been so far.
    programs: u32,
    over: Option<Ending>,
}

/// How long a run has not come to rest while somebody is held.
struct Patience {
    since: Instant,
    sleeps: u32,
    /// Whether it was lost once; then nobody is held any more.
    lost: bool,
}

impl Patience {
    fn new() -> Patience {
        Patience { since: Instant::now(), sleeps: 0, lost: false }
    }
}

impl<'a> Run<'a> {
    fn start(
        program: &Program,
        folder: &RunFolder,
        stdin: &'a [u8],
        limits: &'a Limits,
        schedule: Schedule,
        wrappers: u32,
    ) -> Result<Run<'a>, TraceError> {
        let executable = &program.executable;
        let prepare =
            |source| RunError::Prepare { executable: executable.clone(), step: Step::Keeper, source };
        let stdin = Input::new(stdin).map_err(prepare)?;
        let (stdout, stdout_end) = Journal::new(Stream::Stdout).map_err(prepare)?;
        let (stderr, stderr_end) = Journal::new(Stream::Stderr).map_err(prepare)?;
        let ends = [stdin.far_end(), stdout_end.as_fd(), stderr_end.as_fd()];
        let resources = limit::resources(limits);
        let filter = Filter::new();
        let start = Start::new(program, &folder.environment(), ends, &resources);
        let start = start.map_err(|source| RunError::Arguments { executable: executable.clone(), source })?;
        let started = Instant::now();
        let (keeper, gate) = Keeper::start_traced(start, &filter).map_err(prepare)?;
        let main = match keeper.next_report().map_err(prepare)? {
            Some(Report::Born { main }) => main,
            Some(Report::NotStarted { step, errno }) => {
                return Err(RunError::not_started(executable, step, errno).into());
            }
            _ => return Err(prepare(io::ErrorKind::UnexpectedEof.into()).into()),
        };
        let tracer = Tracer::seize(main, keeper.pid()).map_err(TraceError::Refused)?;
        // Main goes on to its program only now that it is followed.
        gate.open().map_err(prepare)?;
        let mut tree = Tree::default();
        tree.add_process(main, None, Duration::ZERO);
        Ok(Run {
            tracer,
            keeper: Some(keeper),
            main,
            stdin,
            outputs: [stdout, stderr],
            room: limits.output,
            limits,
            started,
            schedule,
            decider: Decider::new(schedule),
            tree,
            lines: Vec::new(),
            newborn: HashMap::new(),
            expected: HashMap::new(),
            held: Vec::new(),
            writing: None,
            to_write: VecDeque::new(),
            parked: HashSet::new(),
            interrupted: HashMap::new(),
            cut: None,
            patience: Patience::new(),
            last_heard: Instant::now(),
            not_started: None,
            main_ended: None,
            children_ended: 0,
            wrappers,
            programs: 0,
            over: None,
        })
    }

    /// Serves the run until it is over and says why it is.
    fn follow(&mut self) -> io::Result<Ending> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            // A free run is left alone until something happens; the bell rings now and then.
            let block = !self.decider.steers();
            match self.tracer.wait(block)? {
                Some(Event::Stopped(stopped, stop)) => {
                    self.heard();
                    pause = SHORTEST_PAUSE;
                    self.stopped(stopped, stop)?;
                }
                Some(Event::Ended(tid, status)) => {
                    self.heard();
                    pause = SHORTEST_PAUSE;
                    self.ended(tid, status)?;
                }
                Some(Event::NothingLeft) => break,
                Some(Event::Bell) if self.last_heard.elapsed() >= QUIET => {
                    self.rest()?;
                }
                Some(Event::Bell) => {}
                None => {
                    if !self.rest()? {
                        sleep(pause);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    } else {
                        pause = SHORTEST_PAUSE;
                    }
                }
            }
            self.serve_streams()?;
            if let Some(ending) = self.ending() {
                return Ok(ending);
            }
        }
        Ok(self.over.take().unwrap_or(Ending::Finished))
    }

    fn heard(&mut self) {
        self.last_heard = Instant::now();
    }

    fn at(&self) -> Duration {
        self.started.elapsed()
    }

    /// Why the run is over, if it is.
    fn ending(&mut self) -> Option<Ending> {
        if let Some(ending) = self.over.take() {
            return Some(ending);
        }
        let at = self.at();
        match self.main_ended {
            Some(ended) if at >= ended + AFTERMATH || self.is_empty() => Some(Ending::Finished),
            Some(_) if self.is_without_children() => Some(Ending::Finished),
            None if self.is_without_children()
                && (at >= WITHOUT_CHILDREN_TIME || self.children_ended > MOST_CHILDREN_ENDED) =>
            {
                Some(Ending::Finished)
            }
            None if at >= self.limits.wall => Some(Ending::TimedOut),
            _ => None,
        }
    }

    /// Whether nobody is alive, nor about to be born.
    fn is_empty(&self) -> bool {
        self.tree.alive().next().is_none() && self.expected.is_empty() && self.newborn.is_empty()
    }

    /// Gives main its input, and takes output that is larger than a pipe or that nobody was seen to write.
    fn serve_streams(&mut self) -> io::Result<()> {
        if self.stdin.descriptor().is_some() {
            self.stdin.write()?;
        }
        for output in 0..self.outputs.len() {
            let writer =
                self.writing.filter(|(_, to)| *to == output).and_then(|(tid, _)| self.tree.of_thread(tid));
            if writer.is_some() || self.last_heard.elapsed() >= QUIET {
                self.drain(output, writer)?;
            }
        }
        Ok(())
    }

    /// Takes what is in an output's pipe; returns how many bytes.
    fn drain(&mut self, output: usize, writer: Option<usize>) -> io::Result<u64> {
        let at = self.at();
        let count = self.outputs[output].drain(writer, &mut self.room, at, &mut self.lines)?;
        if let Some(writer) = writer.filter(|_| count > 0) {
            self.tree.member_mut(writer).wrote = true;
        }
        if count > 0 && self.room == 0 {
            self.over = Some(Ending::LimitExceeded(Limit::Output));
        }
        Ok(count)
    }

    fn stopped(&mut self, stopped: Stopped, stop: Stop) -> io::Result<()> {
        let tid = stopped.tid();
        // Whatever was known of a stop before this one is over: the thread was killed meanwhile.
        self.forget_stop(tid);
        let Some(process) = self.tree.of_thread(tid) else {
            self.first_stop(stopped, stop);
            return Ok(());
        };
        match stop {
            Stop::Made { child, vfork } => self.made(stopped, process, child, vfork),
            Stop::VforkDone => {
                self.tree.member_mut(process).vforking = None;
                stopped.go_on(None);
            }
            Stop::Executed { former } => {
                self.tree.executed(tid, former);
                self.programs += u32::from(process == 0);
                self.hold_or_go_on(stopped, process, Point::Exec, process != 0);
            }
            Stop::Exiting => {
                if self.tree.exiting(tid, process) {
                    self.tree.about_to_end(process);
                }
                self.end_write(tid)?;
                stopped.go_on(None);
            }
            Stop::Call => self.call(stopped, process)?,
            Stop::CallDone => {
                self.end_write(tid)?;
                stopped.go_on(None);
            }
            Stop::Signal(signal) => {
                if let Some(call) =
                    stopped.interrupted_call().filter(|call| call.number != libc::SYS_restart_syscall)
                {
                    self.interrupted.insert(tid, call);
                }
                stopped.go_on(Some(signal));
            }
            Stop::Group => {
                self.parked.insert(tid);
                stopped.stay_stopped();
            }
            Stop::Asked => self.asked(stopped),
        }
        Ok(())
    }

    /// A thread that nothing was heard of yet: it was just born, and who made it is told in another event.
    fn first_stop(&mut self, stopped: Stopped, stop: Stop) {
        let tid = stopped.tid();
        match self.expected.remove(&tid) {
            Some(parent) => self.born(stopped, parent),
            None if stop == Stop::Asked => {
                self.newborn.insert(tid, stopped);
            }
            // Its birth was never told: its maker was killed in between.
            None => {
                self.born(stopped, 0);
            }
        }
    }

    fn made(&mut self, stopped: Stopped, process: usize, child: Pid, vfork: bool) {
        if vfork {
            self.tree.member_mut(process).vforking = Some((stopped.tid(), child));
        }
        match self.newborn.remove(&child) {
            Some(newborn) => self.born(newborn, process),
            None => {
                self.expected.insert(child, process);
            }
        }
        // A parent of a thread is not the parent of a process.
        let makes_process = self.tree.of_thread(child).is_none_or(|new| new != process);
        self.hold_or_go_on(stopped, process, Point::Parent, makes_process);
    }

    fn born(&mut self, stopped: Stopped, maker: usize) {
        let tid = stopped.tid();
        let family = proc::family(tid);
        if family
            .as_ref()
            .is_some_and(|family| family.process == self.tree.member(maker).pid && family.process != tid)
        {
            self.tree.add_thread(tid, maker);
            return stopped.go_on(None);
        }
        let parent = family.and_then(|family| family.parent).and_then(|parent| self.tree.of_number(parent));
        let at = self.at();
        let process = self.tree.add_process(tid, Some(parent.unwrap_or(maker)), at);
        if self.tree.alive().count() as u64 > self.limits.processes {
            self.over = Some(Ending::LimitExceeded(Limit::Processes));
        }
        if self.is_without_children() && self.schedule.seed == 0 && self.is_graded_program() {
            self.children_ended += 1;
            kill(tid, Signal::KILL);
        }
        self.hold_or_go_on(stopped, process, Point::Birth, true);
    }

    /// Holds a thread if its schedule does so at this point, and otherwise lets it go on.
    fn hold_or_go_on(&mut self, stopped: Stopped, process: usize, point: Point, applies: bool) {
        if applies && self.holds(point) {
            if self.held.is_empty() {
                self.patience = Patience { lost: self.patience.lost, ..Patience::new() };
            }
            self.held.push((Held { process: process as u32, point }, stopped));
        } else {
            stopped.go_on(None);
        }
    }

    fn holds(&self, point: Point) -> bool {
        !self.patience.lost && self.is_graded_program() && self.decider.holds(point)
    }

    fn is_without_children(&self) -> bool {
        self.schedule.policy == Policy::WithoutChildren
    }

    /// Whether main has become the program that is graded.
    fn is_graded_program(&self) -> bool {
        self.programs > self.wrappers
    }

    /// A call that the filter picked out.
    fn call(&mut self, stopped: Stopped, process: usize) -> io::Result<()> {
        // Without an answer the thread has been killed, and going on does no more harm.
        let Ok(call) = stopped.call() else {
            stopped.go_on(None);
            return Ok(());
        };
        if let Some(descriptor) = calls::written_to(&call) {
            let target = proc::descriptor(stopped.tid(), descriptor);
            let output = target.and_then(|target| self.outputs.iter().position(|output| output.is(&target)));
            match output {
                Some(_) if self.holds(Point::Output) => {
                    self.hold_or_go_on(stopped, process, Point::Output, true)
                }
                Some(output) => self.begin_write(stopped, output),
                None => stopped.go_on(None),
            }
        } else if calls::is_kill(&call) {
            self.kill_call(stopped, process, &call);
        } else {
            self.tree.member_mut(process).has_timers = true;
            stopped.go_on(None);
        }
        Ok(())
    }

    /// Lets a write through, or lets it wait until the one before it is through.
    fn begin_write(&mut self, stopped: Stopped, output: usize) {
        if self.writing.is_some() {
            self.to_write.push_back((output, stopped));
        } else {
            self.writing = Some((stopped.tid(), output));
            stopped.finish_call();
        }
    }

    /// Takes what a thread has written, if it was writing, and lets the next one write.
    fn end_write(&mut self, tid: Pid) -> io::Result<()> {
        let Some((_, output)) = self.writing.filter(|(writer, _)| *writer == tid) else { return Ok(()) };
        let writer = self.tree.of_thread(tid);
        self.drain(output, writer)?;
        self.writing = None;
        if let Some((output, next)) = self.to_write.pop_front() {
            self.begin_write(next, output);
        }
        Ok(())
    }

    /// Lets a signal reach the submission's own processes, and nobody else.
    fn kill_call(&mut self, stopped: Stopped, process: usize, call: &SystemCall) {
        let target = match calls::signal_target(call) {
            calls::Target::Descriptor(pidfd) => {
                proc::pidfd_target(stopped.tid(), pidfd).map_or(0, Pid::as_raw_pid)
            }
            calls::Target::Number(number) => number,
        };
        if target == -1 {
            // Everybody means everybody here; see kill(2) on a pid of -1, which leaves out the caller.
            let others: Vec<usize> = self.tree.alive().filter(|index| *index != process).collect();
            if let Some(signal) = calls::signal(call).and_then(Signal::from_named_raw) {
                others.iter().for_each(|index| kill(self.tree.member(*index).pid, signal));
            }
            let answer = if others.is_empty() { -i64::from(libc::ESRCH) } else { 0 };
            let _ = stopped.answer_call(answer);
        } else if let Some(pid) = Pid::from_raw(target.saturating_abs())
            && self.tree.of_number(pid).is_none()
            && self.tree.of_thread(pid).is_none()
            && !self.expected.contains_key(&pid)
            && std::path::Path::new(&format!("/proc/{}", pid.as_raw_pid())).exists()
        {
            let _ = stopped.answer_call(-i64::from(libc::EPERM));
        }
        stopped.go_on(None);
    }

    /// A thread stopped since it was asked to: its call ends as if its time were over.
    fn asked(&mut self, stopped: Stopped) {
        if let Some(cut) = self.cut.filter(|cut| cut.tid == stopped.tid()) {
            self.cut = None;
            if stopped.is_in_interrupted_call() {
                let _ = stopped.end_interrupted_call(rest::result_of_timeout(&cut));
            }
        }
        stopped.go_on(None);
    }

    fn ended(&mut self, tid: Pid, status: i32) -> io::Result<()> {
        if self.is_keeper(tid) {
            self.keeper = None;
            return Ok(());
        }
        self.forget_stop(tid);
        self.end_write(tid)?;
        self.expected.remove(&tid);
        let at = self.at();
        self.tree.ended(tid, exit_status(status), at);
        if tid == self.main && self.main_ended.is_none() {
            self.main_ended = Some(at);
            self.hear_of_start()?;
        }
        Ok(())
    }

    /// Drops what was known of a stop of this thread.
    fn forget_stop(&mut self, tid: Pid) {
        self.held.retain(|(_, stopped)| stopped.tid() != tid);
        self.to_write.retain(|(_, stopped)| stopped.tid() != tid);
        self.newborn.remove(&tid);
        self.parked.remove(&tid);
        self.cut = self.cut.filter(|cut| cut.tid != tid || self.tree.of_thread(tid).is_some());
    }

    /// Whether main could not become its program; the keeper knows.
    fn hear_of_start(&mut self) -> io::Result<()> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        while keeper.has_report() {
            match keeper.next_report()? {
                Some(Report::NotStarted { step, errno }) => self.not_started = Some((step, errno)),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Looks whether nothing can move, and if so makes something move; returns whether it did.
    fn rest(&mut self) -> io::Result<bool> {
        let unborn = !self.expected.is_empty() || !self.newborn.is_empty();
        if self.cut.is_some() || self.writing.is_some() || unborn {
            return Ok(self.lose_patience());
        }
        let threads = self.free_threads();
        match rest::look(&threads, &self.interrupted) {
            Rest::Moving => Ok(self.lose_patience()),
            Rest::Timed(_) if !self.decider.steers() => Ok(false),
            Rest::Timed(timed) => {
                self.patience.sleeps += 1;
                if self.lose_patience() {
                    return Ok(true);
                }
                self.cut = Some(timed);
                self.tracer.interrupt(timed.tid);
                Ok(true)
            }
            Rest::Blocked if !self.held.is_empty() && self.decider.lets_go() => {
                self.release();
                Ok(true)
            }
            Rest::Blocked => self.stuck(),
        }
    }

    /// The threads that are neither held nor parked, nor wait for their vfork child.
    fn free_threads(&self) -> Vec<Pid> {
        let held: Vec<Pid> = self.held.iter().map(|(_, stopped)| stopped.tid()).collect();
        let mut threads = Vec::new();
        for index in self.tree.alive() {
            let member = self.tree.member(index);
            let waits = |tid: &Pid| {
                member.vforking.is_some_and(|(waiting, _)| waiting == *tid)
                    || held.contains(tid)
                    || self.parked.contains(tid)
            };
            threads.extend(member.to_be_heard_of().filter(|tid| !waits(tid)));
        }
        threads
    }

    /// Lets the one go on that the schedule chooses.
    fn release(&mut self) {
        let all: Vec<Held> = self.held.iter().map(|(held, _)| *held).collect();
        let index = self.decider.choose(&all);
        let (held, stopped) = self.held.swap_remove(index);
        self.patience = Patience { lost: self.patience.lost, ..Patience::new() };
        self.let_go(held, stopped);
    }

    fn let_go(&mut self, held: Held, stopped: Stopped) {
        if held.point != Point::Output {
            return stopped.go_on(None);
        }
        let output = stopped.call().ok().and_then(|call| {
            let target = proc::descriptor(stopped.tid(), calls::written_to(&call)?)?;
            self.outputs.iter().position(|output| output.is(&target))
        });
        match output {
            Some(output) => self.begin_write(stopped, output),
            None => stopped.go_on(None),
        }
    }

    /// Lets everybody go on for good, if the run has not come to rest for too long; returns whether it did.
    fn lose_patience(&mut self) -> bool {
        if self.held.is_empty() || !self.decider.lets_go() {
            return false;
        }
        let real = self.patience.since.elapsed();
        let polls = self.patience.sleeps >= PATIENT_SLEEPS && real >= PATIENT_POLLING;
        if !polls && real < PATIENT_REAL {
            return false;
        }
        self.patience.lost = true;
        for (held, stopped) in std::mem::take(&mut self.held) {
            self.let_go(held, stopped);
        }
        true
    }

    /// Nothing is held and nothing can move.
    fn stuck(&mut self) -> io::Result<bool> {
        let clocks = self.tree.alive().any(|index| self.tree.member(index).has_timers);
        let unread_input = self.stdin.descriptor().is_some();
        if clocks || unread_input || self.tree.alive().next().is_none() {
            return Ok(false);
        }
        self.over = Some(match self.main_ended {
            Some(_) => Ending::Finished,
            None if self.is_without_children() => Ending::Finished,
            None => {
                let label =
                    |index: usize| if index == 0 { "main".to_owned() } else { format!("child {index}") };
                Ending::Deadlocked { waits: waits::explain(&self.tree, &label) }
            }
        });
        Ok(true)
    }

    /// Ends all that is left of the run.
    fn end(mut self, folder: &RunFolder) -> io::Result<Self> {
        let deadline = Instant::now() + END_TIME;
        let mut killed = 0;
        while self.tree.alive().next().is_some() && Instant::now() < deadline {
            // Whoever was born since the last round is killed in this one.
            let alive: Vec<Pid> = self.tree.alive().map(|index| self.tree.member(index).pid).collect();
            killed += alive.len();
            alive.into_iter().for_each(|pid| kill(pid, Signal::KILL));
            self.held.clear();
            self.to_write.clear();
            for (_, stopped) in self.newborn.drain() {
                kill(stopped.tid(), Signal::KILL);
            }
            while let Some(event) = self.tracer.wait(false)? {
                match event {
                    Event::Stopped(stopped, stop) => {
                        if let (Stop::Made { child, .. }, Some(process)) =
                            (stop, self.tree.of_thread(stopped.tid()))
                        {
                            self.tree.add_process(child, Some(process), self.started.elapsed());
                            kill(child, Signal::KILL);
                        }
                        stopped.go_on(None);
                    }
                    Event::Ended(tid, _) if self.is_keeper(tid) => self.keeper = None,
                    Event::Ended(tid, _) => self.tree.killed(tid),
                    Event::NothingLeft => break,
                    Event::Bell => {}
                }
            }
            if self.tree.alive().next().is_some() {
                sleep(SHORTEST_PAUSE);
            }
        }
        let clean = self.keeper.take().is_some_and(|keeper| keeper.end().clean);
        if !clean && killed > 0 {
            stray::end_strays(&Marks { session: Some(self.main), variable: &folder.mark() });
        }
        Ok(self)
    }

    fn is_keeper(&self, tid: Pid) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.pid() == tid)
    }

    fn into_record(mut self, ending: Ending, limits: &Limits) -> TracedRun {
        let wall = self.main_ended.unwrap_or_else(|| self.started.elapsed());
        let mut seen_all = true;
        let mut rest: Vec<Line> = Vec::new();
        for output in self.outputs {
            seen_all &= !output.has_unknown;
            rest.extend(output.finish());
        }
        rest.sort_by_key(|line| line.at);
        self.lines.append(&mut rest);
        let (processes, numbers) = self.tree.into_record();
        for line in &mut self.lines {
            line.writer = line.writer.and_then(|index| numbers.get(index as usize).copied().flatten());
        }
        let main = processes.first();
        let cpu = main.zip(main.and_then(|main| main.status));
        let ending = match cpu {
            Some((main, status)) if limit::ended_for_cpu(status, main.cpu, limits) => {
                Ending::LimitExceeded(Limit::Cpu)
            }
            _ => ending,
        };
        let observation = if seen_all {
            Observation::Full
        } else {
            Observation::OutputOnly { reason: UNKNOWN_WRITER.to_owned() }
        };
        let number = |held: &Held| numbers.get(held.process as usize).copied().flatten();
        let steps = self.decider.choices().iter();
        let steps =
            steps.filter_map(|choice| Some(Held { process: number(&choice.who)?, ..choice.who })).collect();
        let record = RunRecord {
            schedule: self.schedule,
            steps,
            observation,
            machine: machine(),
            processes,
            lines: self.lines,
            ending,
            wall,
        };
        TracedRun {
            record,
            choices: self.decider.choices().to_vec(),
            wrappers: self.programs.saturating_sub(1),
        }
    }
}

fn kill(pid: Pid, signal: Signal) {
    // Somebody who is gone needs no signal.
    let _ = rustix::process::kill_process(pid, signal);
}

fn sleep(duration: Duration) {
    let _ = nanosleep(&Timespec { tv_sec: 0, tv_nsec: i64::from(duration.subsec_nanos()) });
}

fn exit_status(wait_status: i32) -> ExitStatus {
    let status = std::process::ExitStatus::from_raw(wait_status);
    status.signal().map_or_else(|| ExitStatus::Code(status.code().unwrap_or(0)), ExitStatus::Signal)
}
