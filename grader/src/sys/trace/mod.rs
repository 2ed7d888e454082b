//! ptrace(2) as types: a [`Stopped`] thread and a running one are different things.
//!
//! A thread of a submission (a tracee) belongs to the thread of the grader that follows it, and only that one may
//! touch it; so neither [`Tracer`] nor [`Stopped`] can be sent to another.
//! A `Stopped` is what [`Tracer::wait`] hands out, and every way to let the thread go on consumes it.
//! A stopped thread may still be killed at any moment: an operation then answers ESRCH, and the thread's end is the
//! next thing heard of it.
//! Nothing here decides anything about a run.

#![expect(unsafe_code, reason = "ptrace(2) has no safe wrapper")]

mod call;
mod registers;

use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

pub use call::SystemCall;
pub use registers::{RESTARTS, Saved};

use super::signals::{self, Blocked};

/// What is asked to be told: every birth, exec and end, and the calls that a filter picks out.
///
/// EXITKILL makes the kernel end every tracee when the tracer ends, however that comes about.
const OPTIONS: libc::c_int = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEVFORKDONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_EXITKILL;

/// How long a word of a child is waited for before it is looked whether it has been lost.
const SHORT: Duration = Duration::from_micros(200);

/// Requests for the mask of signals, see `<linux/ptrace.h>`; Linux 3.11 and newer.
const GETSIGMASK: libc::c_uint = 0x420a;
const SETSIGMASK: libc::c_uint = 0x420b;

/// Why a SIGSEGV was sent: the address is there, but may not be reached in this way; see sigaction(2).
const SEGV_ACCERR: libc::c_int = 2;

/// Follows a process and all that it starts; for the thread that made it alone.
#[derive(Debug)]
pub struct Tracer {
    /// An untraced child of this thread, whose stops are the tracer's bell.
    keeper: Pid,
    _bound_to_thread: PhantomData<*const ()>,
}

/// Something that [`Tracer::wait`] has to tell.
#[derive(Debug)]
pub enum Event {
    /// A thread stopped and waits to be let go on.
    Stopped(Stopped, Stop),
    /// A thread has ended; for the first thread of a process, with its wait status, the process has.
    Ended(Pid, i32),
    /// The keeper rang: some time has passed.
    Bell,
    /// There is nothing left to wait for.
    NothingLeft,
}

/// Why a thread stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It was just born, or it was asked to stop by [`Tracer::interrupt`].
    Asked,
    /// It made another thread or process, with this number.
    Made {
        /// The number of the new thread.
        child: Pid,
        /// Whether it now waits until that one executes a program or ends.
        vfork: bool,
    },
    /// What it made by vfork(2) has executed a program or ended.
    VforkDone,
    /// It has executed a program; it had this number before, and it is the only thread of its process now.
    Executed {
        /// The number that it had before.
        former: Pid,
    },
    /// It is about to end.
    Exiting,
    /// It is about to make a call that the filter picked out.
    Call,
    /// The call that it was let go on into by [`Stopped::finish_call`] is through.
    CallDone,
    /// A signal is about to be delivered to it.
    Signal(i32),
    /// A signal has stopped its whole process.
    Group,
}

/// A tracee that stands still until it is let go on.
#[derive(Debug)]
pub struct Stopped {
    tid: Pid,
    _bound_to_thread: PhantomData<*const ()>,
}

impl Tracer {
    /// Begins to follow a process, which must not have started anything yet.
    ///
    /// # Errors
    /// EPERM where following is not allowed: a security module, a container, another tracer.
    pub fn seize(main: Pid, keeper: Pid) -> io::Result<Tracer> {
        signals::keep_ends_of_children();
        // SAFETY: PTRACE_SEIZE requires nothing but numbers.
        unsafe { request(libc::PTRACE_SEIZE, main, 0, OPTIONS as usize) }?;
        Ok(Tracer { keeper, _bound_to_thread: PhantomData })
    }

    /// The next thing that happens.
    ///
    /// # Errors
    /// Those of waitpid(2) other than ECHILD and EINTR.
    pub fn wait(&self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.look(0)? {
                return Ok(event);
            }
        }
    }

    /// The next thing that happens, unless nothing does for so long.
    ///
    /// # Errors
    /// Those of waitpid(2) other than ECHILD and EINTR.
    pub fn wait_at_most(&self, time: Duration) -> io::Result<Option<Event>> {
        if time.is_zero() {
            return self.look(libc::WNOHANG);
        }
        let word = Blocked::word_of_children();
        let deadline = Instant::now() + time;
        loop {
            let event = self.look(libc::WNOHANG)?;
            // What came of others' children is no reason to come back early.
            let left = deadline.saturating_duration_since(Instant::now());
            if event.is_some() || left.is_zero() {
                return Ok(event);
            }
            word.wait(left);
        }
    }

    /// The next thing that happened; none if a signal came or, where waitpid(2) is told not to wait, if there is none.
    fn look(&self, options: libc::c_int) -> io::Result<Option<Event>> {
        let mut status = 0;
        // __WNOTHREAD: the tracees of other threads of the grader are none of this one's business.
        let options = options | libc::__WALL | libc::__WNOTHREAD | libc::WUNTRACED;
        // SAFETY: waitpid(2) requires room for a status.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, options) };
        match Pid::from_raw(pid.max(0)) {
            Some(pid) => Ok(Some(self.event(pid, status))),
            None if pid == 0 => Ok(None),
            None => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::EINTR) => Ok(None),
                error if error.raw_os_error() == Some(libc::ECHILD) => Ok(Some(Event::NothingLeft)),
                error => Err(error),
            },
        }
    }

    /// The next thing that happens to a thread that was let go on for a moment, unless nothing does for so long; others
    /// wait to be heard of.
    ///
    /// # Errors
    /// Those of waitpid(2) other than EINTR and ECHILD.
    pub fn wait_for(&self, tid: Pid, time: Duration) -> io::Result<Option<Event>> {
        let word = Blocked::word_of_children();
        let deadline = Instant::now() + time;
        let mut status = 0;
        loop {
            let options = libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG;
            // SAFETY: waitpid(2) requires room for a status.
            let pid = unsafe { libc::waitpid(tid.as_raw_pid(), &raw mut status, options) };
            if pid > 0 {
                return Ok(Some(self.event(tid, status)));
            }
            if pid < 0 {
                match io::Error::last_os_error() {
                    error if error.raw_os_error() == Some(libc::EINTR) => continue,
                    error if error.raw_os_error() == Some(libc::ECHILD) => {
                        return Ok(Some(Event::NothingLeft));
                    }
                    error => return Err(error),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            // The word may come to another thread of the grader that waits for one, and is then lost here.
            word.wait(left.min(SHORT));
        }
    }

    /// Whether [`Tracer::wait`] would have something to tell at once.
    ///
    /// # Errors
    /// Those of waitid(2) other than ECHILD.
    pub fn has_event(&self) -> io::Result<bool> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let what = libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT;
        let options = what | libc::__WALL | libc::__WNOTHREAD;
        // SAFETY: waitid(2) requires room for its answer.
        let result = unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) };
        if result < 0 {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::ECHILD) { Ok(true) } else { Err(error) };
        }
        // SAFETY: `assume_init` requires a value; all zeroes is one for this plain structure of numbers and pointers.
        let info = unsafe { info.assume_init() };
        // SAFETY: `si_pid` requires the form that belongs to SIGCHLD, or zeroes; waitid(2) leaves either.
        let pid = unsafe { info.si_pid() };
        Ok(pid != 0)
    }

    fn event(&self, pid: Pid, status: i32) -> Event {
        if !libc::WIFSTOPPED(status) {
            return Event::Ended(pid, status);
        }
        if pid == self.keeper {
            let _ = rustix::process::kill_process(pid, Signal::CONT);
            return Event::Bell;
        }
        let stopped = Stopped { tid: pid, _bound_to_thread: PhantomData };
        let stop = stopped.reason(libc::WSTOPSIG(status), status >> 16);
        Event::Stopped(stopped, stop)
    }

    /// Asks a running thread to stop; one that waits in a call leaves it to do so.
    pub fn interrupt(&self, tid: Pid) {
        // SAFETY: PTRACE_INTERRUPT requires nothing but numbers. A thread that is gone needs no asking.
        let _ = unsafe { request(libc::PTRACE_INTERRUPT, tid, 0, 0) };
    }
}

impl Stopped {
    /// The thread's number.
    #[must_use]
    pub fn tid(&self) -> Pid {
        self.tid
    }

    fn reason(&self, signal: i32, event: i32) -> Stop {
        // Whoever was killed meanwhile tells of nobody; what it made is heard of by itself.
        let made = |vfork| self.message().map_or(Stop::Asked, |child| Stop::Made { child, vfork });
        match event {
            0 if signal == libc::SIGTRAP | 0x80 => Stop::CallDone,
            0 => Stop::Signal(signal),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_CLONE => made(false),
            libc::PTRACE_EVENT_VFORK => made(true),
            libc::PTRACE_EVENT_VFORK_DONE => Stop::VforkDone,
            libc::PTRACE_EVENT_EXEC => Stop::Executed { former: self.message().unwrap_or(self.tid) },
            libc::PTRACE_EVENT_EXIT => Stop::Exiting,
            libc::PTRACE_EVENT_SECCOMP => Stop::Call,
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Stop::Group,
            _ => Stop::Asked,
        }
    }

    /// The number that comes with some stops: of a new thread, or of the one that executed a program.
    fn message(&self) -> Option<Pid> {
        let mut message: libc::c_ulong = 0;
        // SAFETY: PTRACE_GETEVENTMSG requires room for an unsigned long.
        unsafe { request(libc::PTRACE_GETEVENTMSG, self.tid, 0, (&raw mut message) as usize) }.ok()?;
        i32::try_from(message).ok().and_then(Pid::from_raw)
    }

    /// Lets the thread go on, and delivers a signal to it.
    pub fn go_on(self, signal: Option<i32>) {
        self.resume(libc::PTRACE_CONT, signal.unwrap_or(0));
    }

    /// Lets the thread go on into the call that it is about to make, and stop again behind it.
    pub fn finish_call(self) {
        self.resume(libc::PTRACE_SYSCALL, 0);
    }

    /// Lets the thread make one instruction and stop again, by a signal SIGTRAP.
    pub fn step(self) {
        self.resume(libc::PTRACE_SINGLESTEP, 0);
    }

    /// Leaves the thread stopped as its process is, until a signal continues it.
    pub fn stay_stopped(self) {
        self.resume(libc::PTRACE_LISTEN, 0);
    }

    /// The call that the thread is about to make.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn call(&self) -> io::Result<SystemCall> {
        call::about_to_be_made(self.tid)
    }

    /// Makes the call that the thread is about to make return this at once, without being made.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn answer_call(&self, result: i64) -> io::Result<()> {
        registers::skip_call(self.tid, result)
    }

    /// Makes the call that the thread was interrupted in return this, in place of being made again.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn end_interrupted_call(&self, result: i64) -> io::Result<()> {
        registers::end_interrupted_call(self.tid, result)
    }

    /// The call that the thread was interrupted in and will make again.
    #[must_use]
    pub fn interrupted_call(&self) -> Option<SystemCall> {
        let (number, args) = registers::interrupted_call(self.tid).ok()??;
        Some(SystemCall { number, args })
    }

    /// The address that the thread was not allowed to reach, where a SIGSEGV for that is about to be delivered to it.
    #[must_use]
    pub fn refused_address(&self) -> Option<u64> {
        let info = self.signal_info()?;
        let is_refused = info.si_signo == libc::SIGSEGV && info.si_code == SEGV_ACCERR;
        // SAFETY: `si_addr` requires the form that belongs to a fault, which this signal and code say it has.
        is_refused.then(|| unsafe { info.si_addr() } as u64)
    }

    /// The signal that is about to be delivered.
    fn signal_info(&self) -> Option<libc::siginfo_t> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: PTRACE_GETSIGINFO requires room for a siginfo_t.
        unsafe { request(libc::PTRACE_GETSIGINFO, self.tid, 0, info.as_mut_ptr() as usize) }.ok()?;
        // SAFETY: `assume_init` requires a value; all zeroes is one for this plain structure of numbers and pointers.
        Some(unsafe { info.assume_init() })
    }

    /// Whether the signal that is about to be delivered was sent by a process and is none of the thread's own doing.
    #[must_use]
    pub fn is_signal_of_another(&self) -> bool {
        self.signal_info().is_some_and(|info| info.si_code <= 0)
    }

    /// The signals that the thread does not let come, a bit each; the lowest one is that of signal 1.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn signal_mask(&self) -> io::Result<u64> {
        let mut mask = 0_u64;
        // SAFETY: PTRACE_GETSIGMASK requires room for a set of signals of `addr` bytes.
        unsafe { request(GETSIGMASK, self.tid, size_of::<u64>(), (&raw mut mask) as usize) }?;
        Ok(mask)
    }

    /// Sets them.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn set_signal_mask(&self, mask: u64) -> io::Result<()> {
        // SAFETY: PTRACE_SETSIGMASK requires a set of signals of `addr` bytes, which it only reads.
        unsafe { request(SETSIGMASK, self.tid, size_of::<u64>(), (&raw const mask) as usize) }?;
        Ok(())
    }

    /// The thread's registers.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn save(&self) -> io::Result<Saved> {
        registers::save(self.tid)
    }

    /// Gives the thread, which stands before its next instruction, its registers back.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn restore(&self, saved: &Saved) -> io::Result<()> {
        registers::restore(self.tid, saved)
    }

    /// Corrects registers that were saved behind a call, now that the thread has made a step.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn correct(&self, saved: &mut Saved) -> io::Result<()> {
        registers::correct(self.tid, saved)
    }

    /// Puts the thread, which stands before its next instruction, in front of the one at `place`, which makes a call.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn put_before_call(&self, saved: &Saved, place: u64, number: i64, args: [u64; 4]) -> io::Result<()> {
        registers::put_before_call(self.tid, saved, place, number, args)
    }

    /// Makes the thread make another call in place of the one that it is about to make.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn replace_call(&self, saved: &Saved, number: i64, args: [u64; 4]) -> io::Result<()> {
        registers::replace_call(self.tid, saved, number, args)
    }

    /// Puts the thread, whose other call is through, in front of the instruction by which it makes its own.
    ///
    /// # Errors
    /// The thread has been killed.
    pub fn put_back_before_call(&self, saved: &Saved) -> io::Result<()> {
        registers::put_back_before_call(self.tid, saved)
    }

    fn resume(self, how: libc::c_uint, signal: i32) {
        // SAFETY: the requests that resume a thread take a signal's number and nothing else.
        // One that has been killed cannot be resumed and needs not be: its end is heard of next.
        let _ = unsafe { request(how, self.tid, 0, signal as usize) };
    }
}

/// Makes a request of ptrace(2).
///
/// # Safety
/// `addr` and `data` must be what ptrace(2) says of this request, with room where it writes.
unsafe fn request(what: libc::c_uint, tid: Pid, addr: usize, data: usize) -> io::Result<usize> {
    // SAFETY: passed on to the caller.
    let result = unsafe { libc::ptrace(what, tid.as_raw_pid(), addr, data) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
