//! The tracing observer: one run, of which every process and the writer of every line are seen.
//!
//! Processes: a keeper (see [`Keeper`]), below it main, below main whatever it starts; all but the keeper are traced
//! by one thread, which does nothing else.
//! Main is seized before it runs its program, so that nothing of the submission is ever unseen.
//!
//! The tracer hears of every birth, exec, end and write, and each time decides whether the thread goes on at once or is
//! held, as the schedule has it.
//! Somebody who is held goes on when nothing else can move (see [`rest`](super::rest)).
//! Time is not waited for: when nothing but time can move a run, it is passed over (see [`time`]).
//! Programs that poll never come to rest, so after a patience one is let go on all the same.

mod closing;
mod errand;
mod memory;
mod messages;
mod steering;
mod stops;
mod terminal;
mod time;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::RunError;
use super::clock::Clock;
use super::effort::Effort;
use super::environment::environment;
use super::holding::Holding;
use super::journal::{Drained, Journal};
use super::limit;
use super::patience::Patience;
use super::proc;
use super::rest::TimedCall;
use super::run_folder::RunFolder;
use super::sharing::Sharing;
use super::stream::Input;
use super::timers::Timers;
use super::tree::Tree;
use super::turn::Turn;
use crate::model::{Ending, Invocation, Limit, Limits, Line, Policy, RunRecord, Schedule, Stream};
use crate::schedule::{Choice, Decider};
use crate::sys::{Event, Filter, Keeper, Program, Report, Start, Step, Stopped, SystemCall, Tracer, Watched};
use memory::Memory;
use messages::Messages;
use time::{GENEROUS, NEARLY};

/// How long after main's end the others may take to end by themselves.
///
/// A helper (a fork server, a resource tracker) ends within milliseconds once main has closed its pipe.
const AFTERMATH: Duration = Duration::from_secs(1);

/// How much longer at most where they get no CPU.
const LONGEST_STARVED: Duration = Duration::from_secs(8);

/// How long nothing may have been heard of a free run before it is looked at for a deadlock.
const QUIET: Duration = Duration::from_millis(60);

/// The pauses between two looks at a run that has not come to rest, which is no event to wait for.
const SHORTEST_PAUSE: Duration = Duration::from_micros(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// How long a run takes at most in which children are ended, and how many are: some pools replace workers for ever.
const WITHOUT_CHILDREN_TIME: Duration = Duration::from_secs(5);
const MOST_CHILDREN_ENDED: u32 = 200;

/// How many times a run's time limit it may take in all, counting the time in which somebody was held or had no CPU.
const MOST_TIMES: u32 = 4;

/// So often at most is a run made again for which the machine was too busy.
const MOST_REPEATED: u32 = 3;

/// How a run is steered.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Who waits and who goes on.
    pub schedule: Schedule,
    /// How many programs main is before the one that is graded, as a shell script is that ends in an `exec`; an earlier
    /// run tells.
    pub wrappers: u32,
    /// How much time may be passed over while somebody is held, sleeps apart, before that one goes on instead; none if
    /// any may. See [`TracedRun::hurried`].
    pub most_passed: Option<Duration>,
    /// How many runs by this plan do not count since the machine was too busy.
    pub repeated: u32,
}

impl From<Schedule> for Plan {
    fn from(schedule: Schedule) -> Plan {
        // What comes of a generous timeout is seen where births and ends are held. While messages are, such a wait is for
        // one of them.
        let most_passed = (schedule.policy == Policy::Messages).then_some(GENEROUS);
        Plan { schedule, wrappers: 0, most_passed, repeated: 0 }
    }
}

impl Plan {
    /// A more patient plan, for a program that has given up in a run by this one; none if this is as patient as any.
    ///
    /// First nothing but the longest of its waits takes its time, as it is the likeliest to be a safety net: were all
    /// waits left alone, one that is too short elsewhere would never be seen.
    /// At last it is the same plan once more, and again, where the machine has kept the run waiting for a second or
    /// longer: the program may have been right to give up.
    #[must_use]
    pub fn more_patient(self, run: &TracedRun) -> Option<Plan> {
        let most_passed = match self.most_passed {
            None => run.longest_wait.mul_f64(NEARLY).max(GENEROUS),
            Some(most) if most > GENEROUS => GENEROUS,
            Some(_) if run.kept_waiting >= GENEROUS && self.repeated < MOST_REPEATED => {
                return Some(Plan { repeated: self.repeated + 1, ..self });
            }
            Some(_) => return None,
        };
        Some(Plan { most_passed: Some(most_passed), ..self })
    }
}

/// A run's record and the choices that its schedule made.
#[derive(Debug)]
pub struct TracedRun {
    /// What was seen.
    pub record: RunRecord,
    /// Who went on when several could.
    pub choices: Vec<Choice>,
    /// How many programs main was before the one that is graded.
    pub wrappers: u32,
    /// What memory it mapped that its processes may share.
    pub sharing: Sharing,
    /// Whether its processes may have sent each other messages.
    pub sends_messages: bool,
    /// Whether it does otherwise on a terminal, perhaps: a process has asked whether an output is one.
    pub asks_for_terminal: bool,
    /// Whether it proves nothing, since what came out may be the tracer's doing.
    pub is_disturbed: bool,
    /// The processes that found a time to be over while others were held, if a second or more was passed over then; in
    /// a run by a patient plan, if that and what the machine kept the run waiting is as long.
    ///
    /// If they gave up for that, the run is not to be held against them, and another is to be made that is
    /// [more patient](Plan::more_patient).
    pub hurried: Vec<u32>,
    /// The longest wait that was passed over while others were held, sleeps apart.
    pub longest_wait: Duration,
    /// For how much of its time the rest of the machine kept the run from going on.
    pub kept_waiting: Duration,
    /// Whether somebody who was held went on without having been chosen.
    pub is_unsteered: bool,
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
///
/// # Errors
/// Tracing is refused, the program cannot be started, or the grader itself lacks something.
pub fn run_traced(
    program: &Program,
    invocation: &Invocation,
    limits: &Limits,
    plan: impl Into<Plan>,
) -> Result<TracedRun, TraceError> {
    let plan = plan.into();
    let mut program = program.clone();
    program.args.extend(invocation.args.iter().map(Into::into));
    // A thread of its own: what it waits for are its children and tracees alone, and both end with it.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("tracer".to_owned());
        let traced = || trace(&program, invocation.stdin.as_bytes(), limits, plan);
        let spawned = thread.spawn_scoped(scope, traced);
        let follow =
            |source| TraceError::Run(RunError::Follow { executable: program.executable.clone(), source });
        let handle = spawned.map_err(follow)?;
        handle.join().unwrap_or_else(|_| Err(follow(io::Error::other("the tracer panicked"))))
    })
}

fn trace(program: &Program, stdin: &[u8], limits: &Limits, plan: Plan) -> Result<TracedRun, TraceError> {
    let folder = RunFolder::new()?;
    let mut run = Run::start(program, &folder, stdin, limits, plan)?;
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
    plan: Plan,
    decider: Decider,
    tree: Tree,
    /// What had been done before the run began, by the tracer alone.
    before: Effort,
    /// What those did who have ended.
    ended: Effort,
    lines: Vec<Line>,
    /// Threads that were heard of and have not stopped for the first time.
    unborn: HashSet<Pid>,
    /// Threads that were heard of before their maker told of them, with their processes.
    unannounced: HashMap<Pid, usize>,
    /// Those of them that are first threads and have stopped for the first time.
    newborn: Vec<Stopped>,
    held: Holding,
    writing: Option<Writing>,
    /// Who waits until the one who is writing is through, and for which output.
    to_write: VecDeque<(usize, Stopped)>,
    /// Who moved when it was looked at last.
    mover: Option<Pid>,
    /// Threads that a signal has stopped.
    parked: HashSet<Pid>,
    /// The calls that signals interrupted and that go on.
    interrupted: HashMap<Pid, SystemCall>,
    /// The call that is being ended as if its time were over.
    cut: Option<TimedCall>,
    /// What processes share.
    memory: Memory,
    messages: Messages,
    sharing: Sharing,
    /// Whether a process has asked whether an output is a terminal.
    asks_for_terminal: bool,
    clock: Clock,
    timers: Timers,
    /// How often each thread has read a clock since anything else happened.
    reads: HashMap<Pid, u32>,
    /// Threads that wait by reading a clock again and again, each before such a call.
    readings: Vec<(Stopped, SystemCall)>,
    /// When calls that last until a point in time were looked at last.
    overdue_looked: Instant,
    /// How much time was passed over while somebody was held, and how much of it apart from long sleeps.
    passed_over_held: Duration,
    waited_over: Duration,
    longest_wait: Duration,
    /// Whether somebody who was held went on without having been chosen.
    is_unsteered: bool,
    /// Who found a time to be over then.
    waiters: BTreeSet<usize>,
    patience: Patience,
    /// Who is given a CPU before the run's time limit counts, and before its patience does.
    turn: RefCell<Turn>,
    turn_of_patience: RefCell<Turn>,
    /// How often patience was lost: after once nobody is held any more but at its end, after twice nobody at all.
    times_impatient: u32,
    last_heard: Instant,
    not_started: Option<(Step, i32)>,
    main_ended: Option<Duration>,
    /// How many programs main has been so far, and how many of these only came before the one that is graded: each
    /// became the next one without having printed anything or left a child alive.
    programs: u32,
    wrappers: u32,
    /// How many children a run without them has ended.
    children_ended: u32,
    over: Option<Ending>,
    /// When it was over, and for how much of that time it was kept waiting for the CPUs.
    stopped: Duration,
    kept_from_cpus: Duration,
}

/// Who is writing.
#[derive(Debug, Clone, Copy)]
struct Writing {
    tid: Pid,
    /// Its process, by the index in the tree.
    writer: Option<usize>,
    output: usize,
    /// Whether it may have to wait for somebody else before it writes.
    waits_for_input: bool,
}

impl<'a> Run<'a> {
    fn start(
        program: &Program,
        folder: &RunFolder,
        stdin: &'a [u8],
        limits: &'a Limits,
        plan: Plan,
    ) -> Result<Run<'a>, TraceError> {
        let executable = &program.executable;
        let prepare =
            |source| RunError::Prepare { executable: executable.clone(), step: Step::Keeper, source };
        let stdin = Input::new(stdin).map_err(prepare)?;
        let (stdout, stdout_end) = Journal::new(Stream::Stdout).map_err(prepare)?;
        let (stderr, stderr_end) = Journal::new(Stream::Stderr).map_err(prepare)?;
        let ends = [stdin.far_end(), stdout_end.as_fd(), stderr_end.as_fd()];
        let resources = limit::resources(limits);
        let decider = Decider::new(plan.schedule);
        let filter = Filter::new(match plan.schedule.policy {
            Policy::Free => Watched::Few,
            Policy::Memory => Watched::All,
            Policy::Messages => Watched::HandOvers,
            _ => Watched::Looks,
        });
        let start = Start::new(program, &environment(folder), ends, &resources);
        let start = start.map_err(|source| RunError::Arguments { executable: executable.clone(), source })?;
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
        let started = Instant::now();
        let before = Effort { starved: proc::starved(rustix::thread::gettid()), ..Effort::default() };
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
            plan,
            decider,
            tree,
            before,
            ended: Effort::default(),
            lines: Vec::new(),
            unborn: HashSet::new(),
            unannounced: HashMap::new(),
            newborn: Vec::new(),
            held: Holding::default(),
            writing: None,
            to_write: VecDeque::new(),
            mover: None,
            parked: HashSet::new(),
            interrupted: HashMap::new(),
            cut: None,
            memory: Memory::default(),
            messages: Messages::default(),
            sharing: Sharing::Nothing,
            asks_for_terminal: false,
            clock: Clock::new(started),
            timers: Timers::default(),
            reads: HashMap::new(),
            readings: Vec::new(),
            overdue_looked: started,
            passed_over_held: Duration::ZERO,
            waited_over: Duration::ZERO,
            longest_wait: Duration::ZERO,
            is_unsteered: false,
            waiters: BTreeSet::new(),
            patience: Patience::new(limits.wall, before),
            turn: RefCell::default(),
            turn_of_patience: RefCell::default(),
            times_impatient: 0,
            last_heard: Instant::now(),
            not_started: None,
            main_ended: None,
            programs: 0,
            wrappers: 0,
            children_ended: 0,
            over: None,
            stopped: Duration::ZERO,
            kept_from_cpus: Duration::ZERO,
        })
    }

    /// Serves the run until it is over and says why it is.
    fn follow(&mut self) -> io::Result<Ending> {
        // Where all calls are told of, the next one is about to be made most of the time.
        let first_pause = match self.plan.schedule.policy {
            Policy::Memory => SHORTEST_PAUSE,
            _ => Duration::ZERO,
        };
        let mut pause = first_pause;
        let ending = loop {
            let heard = match self.decider.steers() {
                true => self.tracer.wait_at_most(pause)?,
                // A free run is left alone until something happens; the bell rings now and then.
                false => Some(self.tracer.wait()?),
            };
            let moved = match heard {
                Some(event @ (Event::Stopped(..) | Event::Ended(..))) => {
                    self.last_heard = Instant::now();
                    self.told(event)?;
                    true
                }
                Some(Event::NothingLeft) => break Ending::Finished,
                Some(Event::Bell) if self.is_quiet() => self.rest()?,
                Some(Event::Bell) => true,
                None if self.tell_readers() => true,
                None => self.rest()?,
            };
            self.let_timers_go_off();
            self.serve_streams()?;
            if let Some(ending) = self.ending()? {
                break ending;
            }
            pause = match moved {
                true => first_pause,
                false => (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
            };
        };
        self.stopped = self.at();
        self.kept_from_cpus = self.told_of_waiting(self.stopped);
        Ok(ending)
    }

    /// Does what is to be done about a stop or an end.
    fn told(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Stopped(stopped, stop) => self.stopped(stopped, stop),
            Event::Ended(tid, status) => self.ended(tid, status),
            Event::Bell | Event::NothingLeft => Ok(()),
        }
    }

    fn is_quiet(&self) -> bool {
        self.last_heard.elapsed() >= QUIET
    }

    fn at(&self) -> Duration {
        self.started.elapsed()
    }

    /// Why the run is over, if it is.
    fn ending(&mut self) -> io::Result<Option<Ending>> {
        if self.over.is_some() {
            return Ok(self.over.take());
        }
        let at = self.at();
        let without_children = self.is_without_children();
        Ok(match self.main_ended {
            Some(_) if without_children => Some(Ending::Finished),
            Some(ended) if self.is_aftermath_over(at, ended) || self.is_empty()? => Some(Ending::Finished),
            None if self.plan.schedule.policy == Policy::Memory && self.has_taken(at, memory::TIME) => {
                self.memory.is_disturbed = true;
                Some(Ending::Finished)
            }
            // Somebody may wait for ever for what the missing children would have done. A wait beyond the time limit would
            // be seen in no other run.
            None if self.lacks_children()
                && (self.clock.passed_over() >= self.limits.wall
                    || self.has_taken(at, WITHOUT_CHILDREN_TIME)
                    || self.is_time_up(at)) =>
            {
                Some(Ending::Finished)
            }
            None if self.is_time_up(at) => Some(Ending::TimedOut),
            _ => None,
        })
    }

    fn is_time_up(&self, at: Duration) -> bool {
        let up = self.limits.wall.saturating_add(self.held.time_before());
        at >= self.wall(Duration::ZERO) && at >= self.wall(self.kept_waiting(at, up))
    }

    /// Whether the run has taken so long, which is longer by what it had to wait on a busy machine.
    fn has_taken(&self, at: Duration, time: Duration) -> bool {
        at >= time && at >= time + self.kept_waiting(at, time)
    }

    /// Whether those that outlive main have had their time; on a busy machine it is longer by what they had to wait.
    fn is_aftermath_over(&self, at: Duration, main_ended: Duration) -> bool {
        let up = main_ended + AFTERMATH;
        at >= up && at >= up + self.kept_waiting(at, up).min(LONGEST_STARVED)
    }

    /// Whether nobody is alive, nor was born without a word so far.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.tree.alive().next().is_none() && !self.tracer.has_event()?)
    }

    /// The time that the run may take by now: what it was held or kept waiting for comes on top, within bounds.
    fn wall(&self, kept_waiting: Duration) -> Duration {
        let most = self.limits.wall.saturating_mul(MOST_TIMES);
        self.limits.wall.saturating_add(self.held.time()).saturating_add(kept_waiting).min(most)
    }

    /// For how much of the run's time the rest of the machine kept it from going on; for all of it while that cannot be
    /// told, since somebody waits for a CPU who did so when the time was up.
    fn kept_waiting(&self, at: Duration, up: Duration) -> Duration {
        if self.is_settled(&self.turn, up) { self.told_of_waiting(at) } else { at }
    }

    /// The same as far as it is told by now.
    fn told_of_waiting(&self, at: Duration) -> Duration {
        let mut effort = self.effort();
        effort += self.ended;
        effort.since(self.before).kept_waiting(at, u32::try_from(num_cpus::get()).unwrap_or(u32::MAX))
    }

    /// Whether there would be children, had they not been ended or left standing at their birth.
    fn lacks_children(&self) -> bool {
        self.is_without_children() && (self.children_ended > 0 || !self.held.is_empty())
    }

    fn is_without_children(&self) -> bool {
        self.plan.schedule.policy.is_without_children()
    }

    /// Gives main its input, and takes output that is larger than a pipe or that nobody was seen to write; returns
    /// whether there was anything to do.
    fn serve_streams(&mut self) -> io::Result<bool> {
        let left = self.stdin.left();
        self.stdin.write()?;
        let mut moved = self.stdin.left() < left;
        for output in 0..self.outputs.len() {
            let writing = self.writing.filter(|writing| writing.output == output);
            let writer = writing.and_then(|writing| writing.writer);
            if writer.is_some() || self.is_quiet() {
                moved |= self.drain(output, writer)?;
            }
        }
        Ok(moved)
    }

    /// Takes what is in an output's pipe; returns whether there was anything.
    fn drain(&mut self, output: usize, writer: Option<usize>) -> io::Result<bool> {
        let at = self.at();
        let drained = self.outputs[output].drain(writer, &mut self.room, at, &mut self.lines)?;
        if let Some(writer) = writer.filter(|_| drained != Drained::Nothing) {
            self.tree.member_mut(writer).wrote = true;
        }
        if drained == Drained::TooMuch {
            self.over = Some(Ending::LimitExceeded(Limit::Output));
        }
        Ok(drained != Drained::Nothing)
    }
}

fn kill(pid: Pid, signal: Signal) {
    // Somebody who is gone needs no signal.
    let _ = rustix::process::kill_process(pid, signal);
}
