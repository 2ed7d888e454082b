//! A program on a terminal of the tests' own, and what it shows there.
//!
//! Nothing here waits for a time to pass: it waits for what the program shows, up to a deadline that only a test that
//! fails reaches.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use rustix::termios::{Termios, tcgetattr};

/// Far more than anything here takes, even on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(120);

/// A program that runs on a terminal.
pub struct Terminal {
    pty: Pty,
    child: Child,
    parser: vt100::Parser,
    before: Termios,
    /// Everything that the program wrote.
    pub written: Vec<u8>,
}

impl Terminal {
    /// Starts a program on a terminal of this size.
    #[must_use]
    pub fn start(command: Command, columns: u16, rows: u16) -> Terminal {
        let (pty, program_end) = pty_process::blocking::open().expect("the system has terminals");
        pty.resize(Size::new(rows, columns)).expect("a terminal has a size");
        // What one end is set to, the other is.
        let before = tcgetattr(&pty).expect("it is a terminal");
        let child = command.spawn(program_end).expect("the program can be started");
        let parser = vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0);
        Terminal { pty, child, parser, before, written: Vec::new() }
    }

    /// What can be read on the terminal, without what follows the last word of a line.
    #[must_use]
    pub fn shown(&self) -> String {
        let screen = self.parser.screen().contents();
        screen.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// Waits until this can be read on the terminal.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |shown| shown.contains(text));
    }

    /// Waits until what can be read on the terminal is as it should be.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, is_right: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_right(&self.shown()) {
            let went_on = self.read(deadline);
            assert!(went_on, "`{what}` is not shown, but:\n{}", self.shown());
        }
    }

    /// Takes what the program has written; returns whether there was anything before the deadline.
    fn read(&mut self, deadline: Instant) -> bool {
        if !is_readable(self.pty.as_fd(), deadline) {
            return false;
        }
        let mut buffer = [0; 1 << 14];
        // A terminal that nobody holds any more answers with an error.
        let length = self.pty.read(&mut buffer).unwrap_or(0);
        self.written.extend_from_slice(&buffer[..length]);
        self.parser.process(&buffer[..length]);
        length > 0
    }

    /// Types keys.
    pub fn press(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("the terminal is there");
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(at_least_one(rows), at_least_one(columns));
        self.pty.resize(Size::new(rows, columns)).expect("a terminal has a size");
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has a number");
        rustix::process::kill_process(pid, signal).expect("it was not waited for yet");
    }

    /// Waits for the program's end, and makes sure that it left the terminal as it was.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let status = self.wait_for_any_end();
        let now = tcgetattr(&self.pty).expect("it is a terminal");
        assert_eq!(format!("{now:?}"), format!("{:?}", self.before));
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{:?}", self.shown());
        status
    }

    /// Waits for the program's end, however it left the terminal.
    #[track_caller]
    pub fn wait_for_any_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        while self.read(deadline) {}
        assert!(Instant::now() < deadline, "the program goes on:\n{}", self.shown());
        self.child.wait().expect("it is a child")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After a test that has failed it may still be there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a program tells its number.
pub struct Announcement(File);

impl Announcement {
    /// A pipe of this name, in place of whatever is there; the program writes its number into it.
    #[must_use]
    pub fn at(path: &Path) -> Announcement {
        // There may be none yet.
        let _ = fs::remove_file(path);
        let made = rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RUSR | Mode::WUSR);
        made.expect("the folder can be written to");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Announcement(rustix::fs::open(path, flags, Mode::empty()).expect("it was just made").into())
    }

    /// Waits for the program's number.
    #[track_caller]
    #[must_use]
    pub fn process(mut self) -> Process {
        assert!(is_readable(self.0.as_fd(), Instant::now() + DEADLINE), "no program told its number");
        let mut number = [0; 20];
        let length = self.0.read(&mut number).expect("it is readable");
        let number = String::from_utf8_lossy(&number[..length]).trim().parse().ok();
        let pid = number.and_then(Pid::from_raw).expect("a process has a number");
        Process(rustix::process::pidfd_open(pid, PidfdFlags::empty()).expect("it is alive"))
    }
}

/// Some process, whose end can be waited for.
pub struct Process(OwnedFd);

impl Process {
    /// Waits until it has ended.
    #[track_caller]
    pub fn wait_for_end(&self) {
        assert!(is_readable(self.0.as_fd(), Instant::now() + DEADLINE), "it lives on");
    }
}

fn at_least_one(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

fn is_readable(descriptor: BorrowedFd<'_>, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).expect("a deadline is near enough");
    let mut event = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    rustix::event::poll(&mut event, Some(&left)).is_ok_and(|count| count > 0)
}
