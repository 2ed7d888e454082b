//! The ends of children: which ended, how, and what it had used.

#![expect(unsafe_code, reason = "wait4(2) and the clocks of other processes have no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use rustix::process::Pid;

/// What there is to wait for.
pub(super) enum Children {
    /// This one has ended and is not yet reaped.
    Ended(Pid),
    /// There are some, and none has ended.
    Running,
    /// There are none.
    None,
}

/// Looks for a child that has ended, and leaves it as it is.
pub(super) fn look() -> Children {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    // SAFETY: waitid(2) requires room for its answer.
    let result = unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) };
    if result < 0 {
        return Children::None;
    }
    // SAFETY: `assume_init` requires a value; all zeroes is one for this plain structure of numbers and pointers.
    let info = unsafe { info.assume_init() };
    // SAFETY: `si_pid` requires the form that belongs to SIGCHLD, or zeroes; waitid(2) leaves either.
    let pid = unsafe { info.si_pid() };
    Pid::from_raw(pid).map_or(Children::Running, Children::Ended)
}

/// Reaps a child that has ended: its wait status, and the most memory that it held, in KiB.
pub(super) fn reap(pid: Pid) -> io::Result<(i32, u64)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let pid = pid.as_raw_pid();
    // SAFETY: wait4(2) requires room for a status and a usage.
    let result = unsafe { libc::wait4(pid, &raw mut status, libc::__WALL, usage.as_mut_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `assume_init` requires a value; all zeroes is one for this plain structure of numbers.
    let usage = unsafe { usage.assume_init() };
    Ok((status, u64::try_from(usage.ru_maxrss).unwrap_or(0)))
}

/// By which account a process's CPU time is read; the last two bits of a clock's number, see
/// `include/linux/posix-timers.h` of the kernel.
#[derive(Clone, Copy)]
pub(super) enum Account {
    /// Counted in whole ticks of the timer: what RLIMIT_CPU is compared with, and off by far for a short time.
    Ticks = 0,
    /// Measured by the scheduler.
    Scheduler = 2,
}

/// The CPU time of all threads of a process, which may have ended but must not be reaped yet.
///
/// The usage that wait4(2) gives holds the time of the process's own children too; these clocks do not.
pub(super) fn cpu_time(pid: Pid, account: Account) -> Option<Duration> {
    let mut clock = MaybeUninit::<libc::clockid_t>::zeroed();
    // SAFETY: clock_getcpuclockid(3) requires room for its answer.
    let result = unsafe { libc::clock_getcpuclockid(pid.as_raw_pid(), clock.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: `assume_init` requires a value; zero is one for a number.
    let clock = unsafe { clock.assume_init() };
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime(2) requires room for its answer, and fails for a clock that is no more.
    let result = unsafe { libc::clock_gettime((clock & !3) | account as libc::clockid_t, &raw mut time) };
    let (seconds, nanos) = (u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    (result == 0).then(|| Duration::new(seconds, nanos))
}

/// The CPU time of all threads of a process, as the scheduler measures it.
pub(crate) fn own_cpu_time(pid: Pid) -> Option<Duration> {
    cpu_time(pid, Account::Scheduler)
}
