//! What is watched, and what happens to it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::Signal;

use super::changes::{Changes, Look};
use super::job::{Heard, Job};
use super::message::Message;
use super::output::Output;
use super::screen::Page;
use super::terminal::{Key, keys};
use crate::grading::with_causes;
use crate::learner::{self, Hint, Notebook, Which, hints};
use crate::model::Grade;
use crate::question::{Course, CourseError};
use crate::report::text;
use crate::submission::{Colour, Workspace};
use crate::sys::Signals;

/// An editor saves in several steps: this long after the last one the files are looked at,
const SETTLE: Duration = Duration::from_millis(20);

/// and this long after the first at the latest.
const LATEST: Duration = Duration::from_millis(60);

/// How a watch ended.
#[derive(Debug)]
pub enum Ended {
    /// By the learner's key, or because nobody reads any more; with the last line to leave behind.
    Quit {
        /// The last grade in a line; none where there was no grade.
        last: Option<String>,
    },
    /// By a signal.
    Signal(i32),
}

/// Why there can be no watch.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no such question.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// The system lacks something.
    #[error("watch")]
    System(#[from] io::Error),
}

/// Watches the answer to a question until the learner quits; where none is named, the next to work on.
///
/// To be called while the program has one thread, since it takes signals for itself.
///
/// # Errors
/// See [`WatchError`]; what happens to the learner's files later on is shown, and ends nothing.
pub fn watch(workspace: &Workspace, question: Option<&str>) -> Result<Ended, WatchError> {
    let course = Course::find(workspace.root())?;
    let question = question.map(str::to_owned).or_else(|| learner::next(workspace, &course));
    let question = question.or_else(|| course.ids().first().cloned()).unwrap_or_default();
    course.require(&question)?;
    let signals = Signals::take(&[Signal::INT, Signal::TERM, Signal::HUP, Signal::WINCH])?;
    let changes = Changes::of(workspace)?;
    let mut session = Session::new(workspace, question, Output::new()?);
    match session.follow(&signals, changes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Ended::Quit { last: None }),
        ended => Ok(ended?),
    }
}

/// What is shown below the head of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Report,
    List,
    Question,
}

pub(super) struct Session<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) question: String,
    pub(super) output: Output,
    /// The grading under way.
    pub(super) job: Option<Job>,
    pub(super) running: bool,
    /// What the files looked like when it began.
    look: Look,
    /// What the last grading came to, or why there was none.
    pub(super) outcome: Option<Result<Box<Grade>, String>>,
    pub(super) view: View,
    pub(super) hints: Vec<String>,
    pub(super) notice: String,
    scroll: usize,
}

impl<'a> Session<'a> {
    fn new(workspace: &'a Workspace, question: String, output: Output) -> Session<'a> {
        Session {
            workspace,
            question,
            output,
            job: None,
            running: false,
            look: Look::default(),
            outcome: None,
            view: View::Report,
            hints: Vec::new(),
            notice: String::new(),
            scroll: 0,
        }
    }

    /// Serves all that happens until the end.
    fn follow(&mut self, signals: &Signals, mut changes: Changes) -> io::Result<Ended> {
        self.output.print(&self.introduction())?;
        self.begin();
        // When there was word of a change, and when to look.
        let mut word: Option<(Instant, Instant)> = None;
        loop {
            self.draw()?;
            let pause =
                word.map_or(changes.patience(), |(_, look)| look.saturating_duration_since(Instant::now()));
            let ready = self.wait(signals, &changes, pause)?;
            if ready.signals {
                while let Some(signal) = signals.next() {
                    if signal != Signal::WINCH {
                        return Ok(Ended::Signal(signal.as_raw()));
                    }
                }
            }
            if ready.keys
                && let Some(ended) = self.take_keys()?
            {
                return Ok(ended);
            }
            if ready.job {
                self.hear()?;
            }
            if ready.changes {
                changes.heard();
                let now = Instant::now();
                let first = word.map_or(now, |(first, _)| first);
                word = Some((first, (now + SETTLE).min(first + LATEST)));
            }
            if word.map_or(ready.nothing, |(_, look)| Instant::now() >= look) {
                word = None;
                if Look::at(self.workspace, &self.question) != self.look {
                    changes.follow(self.workspace);
                    self.begin();
                }
            }
        }
    }

    fn wait(&self, signals: &Signals, changes: &Changes, pause: Duration) -> io::Result<Ready> {
        let stdin = io::stdin();
        let watched = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
        let mut events = vec![watched(signals.as_fd()), watched(changes.as_fd())];
        let optional: [Option<BorrowedFd<'_>>; 2] =
            [self.job.as_ref().map(AsFd::as_fd), self.output.has_keys().then(|| stdin.as_fd())];
        events.extend(optional.into_iter().flatten().map(watched));
        // A span that is a little too long is better than looking around without rest.
        let pause = pause + Duration::from_millis(1);
        let pause = Timespec::try_from(pause).map_err(io::Error::other)?;
        match rustix::event::poll(&mut events, Some(&pause)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut came = events.iter().map(|event| !event.revents().is_empty());
        let mut next = |is_there: bool| is_there && came.next().unwrap_or(false);
        let (signals, changes) = (next(true), next(true));
        let (job, keys) = (next(self.job.is_some()), next(self.output.has_keys()));
        Ok(Ready { signals, changes, job, keys, nothing: !(signals || changes || job || keys) })
    }

    /// Grades the answer as it is now, in place of what was being graded.
    fn begin(&mut self) {
        self.job = None;
        self.running = false;
        self.look = Look::at(self.workspace, &self.question);
        let colour = if self.output.has_colour() { Colour::Always } else { Colour::Never };
        match Job::start(self.workspace.root(), &self.question, colour) {
            Ok(job) => self.job = Some(job),
            Err(error) => self.outcome = Some(Err(format!("failed to start the grader: {error}"))),
        }
    }

    fn hear(&mut self) -> io::Result<()> {
        let Some(job) = &mut self.job else { return Ok(()) };
        match job.hear()? {
            Heard::Messages(messages) => messages.into_iter().try_for_each(|message| self.told(message)),
            Heard::Ended(strange) => self.finish(Err(format!("the grader ended without a grade\n{strange}"))),
        }
    }

    fn told(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Building => self.running = false,
            Message::Running => self.running = true,
            Message::NotKept(why) => {
                self.notice = format!("failed to {why}");
                self.output.print(&format!("grader: {}\n", self.notice))?;
            }
            Message::Graded(grade) => return self.finish(Ok(grade)),
            Message::Failed(why) => return self.finish(Err(why)),
        }
        Ok(())
    }

    fn finish(&mut self, outcome: Result<Box<Grade>, String>) -> io::Result<()> {
        self.job = None;
        self.scroll = 0;
        let mut shown = Vec::new();
        match &outcome {
            Ok(grade) => text::write_grade(grade, self.output.width(), &mut shown)?,
            Err(why) => shown.extend_from_slice(format!("grader: {}\n", why.trim_end()).as_bytes()),
        }
        self.outcome = Some(outcome);
        self.output.print(&String::from_utf8_lossy(&shown))
    }

    fn take_keys(&mut self) -> io::Result<Option<Ended>> {
        let mut sent = [0; 256];
        // A terminal that has gone is told by a signal as well, which not everybody gets.
        let length = match rustix::io::read(io::stdin(), &mut sent) {
            Ok(0) | Err(Errno::IO) => return Ok(Some(Ended::Signal(Signal::HUP.as_raw()))),
            Ok(length) => length,
            Err(_) => 0,
        };
        for key in keys(&sent[..length]) {
            if let Some(ended) = self.pressed(key)? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    fn pressed(&mut self, key: Key) -> io::Result<Option<Ended>> {
        self.notice.clear();
        match key {
            Key::Quit => return Ok(Some(Ended::Quit { last: self.last_line() })),
            Key::Interrupt => return Ok(Some(Ended::Signal(Signal::INT.as_raw()))),
            Key::Next => self.go(1),
            Key::Previous => self.go(-1),
            Key::Hint => self.hint()?,
            Key::List => self.turn_to(View::List)?,
            Key::Show => self.turn_to(View::Question)?,
            Key::Rerun => {
                self.view = View::Report;
                self.begin();
            }
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            Key::Down => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(self.output.page_length()),
            Key::PageDown => self.scroll += self.output.page_length(),
        }
        Ok(None)
    }

    /// The question that stands so many further in the list.
    pub(super) fn neighbour(&self, step: isize) -> Option<String> {
        let course = Course::find(self.workspace.root()).ok()?;
        // A question that was removed stands nowhere, and any other is the next.
        let ids = learner::order(&course);
        let here = ids.iter().position(|id| *id == self.question);
        let there = here.map_or(Some(0), |here| here.checked_add_signed(step))?;
        ids.into_iter().nth(there)
    }

    /// Goes on to another question, so many further in the list.
    fn go(&mut self, step: isize) {
        let Some(id) = self.neighbour(step) else {
            let end = if step > 0 { "last" } else { "first" };
            self.notice = format!("This is the {end} question.");
            return;
        };
        self.question = id;
        self.outcome = None;
        self.hints.clear();
        self.view = View::Report;
        self.scroll = 0;
        self.begin();
    }

    fn hint(&mut self) -> io::Result<()> {
        let question =
            match Course::find(self.workspace.root()).and_then(|course| course.question(&self.question)) {
                Ok(question) => question,
                Err(error) => {
                    self.notice = format!("failed to {}", with_causes(&error));
                    return Ok(());
                }
            };
        let notebook = Notebook::of(self.workspace);
        let (mut wanted, noted) = hints(&notebook, &question, Which::Next);
        if wanted.is_empty() {
            wanted = hints(&notebook, &question, Which::All).0;
            self.hints.clear();
            self.notice = match wanted.len() {
                0 => "This question has no hints.".to_owned(),
                count => format!("These are all {count} hints."),
            };
        }
        if let Err(error) = noted {
            self.notice = format!("failed to {}", with_causes(&error));
        }
        let shown: Vec<String> =
            wanted.iter().map(|Hint { number, of, text }| format!("Hint {number} of {of}: {text}")).collect();
        self.hints.extend(shown);
        self.view = View::Report;
        self.scroll = 0;
        let text = self.hint_text()?;
        self.output.print(&text)
    }

    /// Shows another view, or the report again where it is that one already.
    fn turn_to(&mut self, view: View) -> io::Result<()> {
        self.view = if self.view == view && self.output.is_page() { View::Report } else { view };
        self.scroll = 0;
        let body = self.body()?;
        self.output.print(&body)
    }

    fn draw(&mut self) -> io::Result<()> {
        if !self.output.is_page() {
            return Ok(());
        }
        let page = Page { head: self.head()?, body: self.body()?, foot: self.foot() };
        let mut scroll = self.scroll;
        self.output.draw(&page, &mut scroll)?;
        self.scroll = scroll;
        Ok(())
    }
}

/// What there is to see to.
struct Ready {
    signals: bool,
    changes: bool,
    job: bool,
    keys: bool,
    nothing: bool,
}
