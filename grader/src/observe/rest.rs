//! Whether anything of a run can still move by itself.
//!
//! A thread is blocked when it sleeps in a call and has not run between two looks at all threads: were it woken in
//! between, it would be seen running, or to have run.
//! A call that ends by itself after a time is no rest; but when nothing else can move, time might as well have passed,
//! so the tracer can end that call as if it had.

use std::collections::HashMap;
use std::time::Duration;

use rustix::process::Pid;

use super::proc::{self, Activity};
use crate::sys::SystemCall;

/// What all threads that were looked at are doing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// This one can go on, and others may.
    Moving(Pid),
    /// None can, but for those in these calls: they will by themselves, each after its time.
    Still(Vec<TimedCall>),
}

/// A call that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimedCall {
    pub(super) tid: Pid,
    /// The call that was made.
    pub(super) call: SystemCall,
    /// The call as it stands in the thread's registers: restart_syscall(2) if a signal interrupted it.
    pub(super) seen: SystemCall,
    /// How long the thread had run when it was seen there, see [`Activity`].
    pub(super) ran: u64,
    /// How long it lasts at most; for one until a point in time, until then.
    pub(super) lasts: Duration,
}

impl TimedCall {
    /// Whether it waits for nothing but time.
    pub(super) fn is_sleep(&self) -> bool {
        matches!(self.call.number, libc::SYS_nanosleep | libc::SYS_clock_nanosleep)
    }
}

/// Looks twice at all of `threads`, until one is met that moves; `interrupted` holds the calls that signals interrupted
/// and that go on, and the clocks that they read are ahead by `passed_over`.
pub(super) fn look(threads: &[Pid], interrupted: &HashMap<Pid, SystemCall>, passed_over: Duration) -> Rest {
    let mut first: HashMap<Pid, Activity> = HashMap::with_capacity(threads.len());
    for tid in threads {
        match proc::activity(*tid) {
            Some(activity) if is_still(&activity) => first.insert(*tid, activity),
            _ => return Rest::Moving(*tid),
        };
    }
    let mut timed = Vec::new();
    for (&tid, activity) in &first {
        let Some(seen) = activity.call else { continue };
        let call = if seen.number == libc::SYS_restart_syscall {
            // Only calls with a time go on in this way; of one that is not known, time itself has to bring the end.
            let Some(call) = interrupted.get(&tid) else { return Rest::Moving(tid) };
            *call
        } else {
            seen
        };
        if let Some(lasts) = duration(tid, &call, passed_over) {
            timed.push(TimedCall { tid, call, seen, ran: activity.ran, lasts });
        }
    }
    // Only now: where a time is read from the memory of a thread that has run meanwhile, it is anything.
    if let Some((tid, _)) = first.iter().find(|(tid, activity)| !proc::slept_on(**tid, activity)) {
        return Rest::Moving(*tid);
    }
    Rest::Still(timed)
}

/// A call that should have ended by the clocks that are ahead by `passed_over`, but has not by the kernel's.
pub(super) fn overdue(
    threads: &[Pid],
    interrupted: &HashMap<Pid, SystemCall>,
    passed_over: Duration,
) -> Option<TimedCall> {
    threads.iter().find_map(|tid| {
        let activity = proc::activity(*tid)?;
        let seen = activity.call?;
        let call = if seen.number == libc::SYS_restart_syscall { *interrupted.get(tid)? } else { seen };
        let lasts = duration(*tid, &call, passed_over).filter(Duration::is_zero)?;
        Some(TimedCall { tid: *tid, call, seen, ran: activity.ran, lasts })
    })
}

/// Whether a thread waits, asleep in a call; one that has stopped for its tracer or ended is about to be heard of.
fn is_still(activity: &Activity) -> bool {
    activity.state == b'S' && activity.call.is_some()
}

/// Whoever waits for a hundred years waits for ever; passed over, such a time leaves what no clock can show.
const ENDLESS: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How a call says when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timeout {
    /// Milliseconds in this argument; negative means never.
    Milliseconds(usize),
    /// A `struct timespec` at this argument's address; none means never.
    Timespec(usize),
    /// A `struct timeval` at this argument's address; none means never.
    #[cfg(target_arch = "x86_64")]
    Timeval(usize),
    /// A `struct timespec` that is a point in time if the flag in the other argument says so.
    Sleep { clock: usize, flags: usize, time: usize },
    /// A `struct timespec` that is a point in real time, at this argument's address; none means never.
    Moment(usize),
    /// A point in time of the clock in the other argument.
    MomentBy { clock: usize, time: usize },
    /// As futex(2) has it: a duration or a point in time, by the operation.
    Futex,
}

fn timeout(number: i64) -> Option<Timeout> {
    #[cfg(target_arch = "x86_64")]
    match number {
        libc::SYS_poll => return Some(Timeout::Milliseconds(2)),
        libc::SYS_epoll_wait => return Some(Timeout::Milliseconds(3)),
        libc::SYS_select => return Some(Timeout::Timeval(4)),
        _ => {}
    }
    match number {
        libc::SYS_epoll_pwait => Some(Timeout::Milliseconds(3)),
        libc::SYS_epoll_pwait2 => Some(Timeout::Timespec(3)),
        libc::SYS_ppoll | libc::SYS_rt_sigtimedwait => Some(Timeout::Timespec(2)),
        libc::SYS_pselect6 => Some(Timeout::Timespec(4)),
        libc::SYS_semtimedop => Some(Timeout::Timespec(3)),
        libc::SYS_nanosleep => Some(Timeout::Timespec(0)),
        libc::SYS_clock_nanosleep => Some(Timeout::Sleep { clock: 0, flags: 1, time: 2 }),
        libc::SYS_mq_timedsend | libc::SYS_mq_timedreceive => Some(Timeout::Moment(4)),
        libc::SYS_futex_waitv => Some(Timeout::MomentBy { clock: 4, time: 3 }),
        libc::SYS_futex => Some(Timeout::Futex),
        _ => None,
    }
}

/// How long a call lasts at most; none for one that has no end by itself, or none that anybody lives to see.
fn duration(tid: Pid, call: &SystemCall, passed_over: Duration) -> Option<Duration> {
    lasts(tid, call, passed_over).filter(|time| *time < ENDLESS)
}

/// The same as the call has it.
fn lasts(tid: Pid, call: &SystemCall, passed_over: Duration) -> Option<Duration> {
    let now = |real| now(real).saturating_add(passed_over);
    match timeout(call.number)? {
        Timeout::Milliseconds(arg) => {
            let milliseconds = call.args[arg] as u32;
            u64::try_from(milliseconds.cast_signed()).ok().map(Duration::from_millis)
        }
        Timeout::Timespec(arg) => timespec(tid, call.args[arg]),
        #[cfg(target_arch = "x86_64")]
        Timeout::Timeval(arg) => {
            let [seconds, micros] = words(tid, call.args[arg])?;
            Some(Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros)))
        }
        Timeout::Sleep { clock, flags, time } => {
            let time = timespec(tid, call.args[time])?;
            let until = call.args[flags] & libc::TIMER_ABSTIME as u64 != 0;
            Some(if until {
                time.saturating_sub(now(call.args[clock] == libc::CLOCK_REALTIME as u64))
            } else {
                time
            })
        }
        Timeout::Moment(arg) => Some(timespec(tid, call.args[arg])?.saturating_sub(now(true))),
        Timeout::MomentBy { clock, time } => {
            let time = timespec(tid, call.args[time])?;
            Some(time.saturating_sub(now(call.args[clock] == libc::CLOCK_REALTIME as u64)))
        }
        Timeout::Futex => {
            let operation = call.args[1] as i32;
            let time = match operation & libc::FUTEX_CMD_MASK {
                libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET | libc::FUTEX_LOCK_PI | libc::FUTEX_LOCK_PI2 => {
                    timespec(tid, call.args[3])?
                }
                _ => return None,
            };
            let command = operation & libc::FUTEX_CMD_MASK;
            let until = command != libc::FUTEX_WAIT;
            let real = command == libc::FUTEX_LOCK_PI || operation & libc::FUTEX_CLOCK_REALTIME != 0;
            Some(if until { time.saturating_sub(now(real)) } else { time })
        }
    }
}

fn now(real: bool) -> Duration {
    let clock = if real { rustix::time::ClockId::Realtime } else { rustix::time::ClockId::Monotonic };
    let now = rustix::time::clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The `struct timespec` at an address of a thread's memory.
fn timespec(tid: Pid, address: u64) -> Option<Duration> {
    let [seconds, nanos] = words(tid, address)?;
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos)))
}

/// Two words of eight bytes; none at no address.
pub(super) fn words(tid: Pid, address: u64) -> Option<[u64; 2]> {
    let bytes: [u8; 16] = if address == 0 { return None } else { proc::memory(tid, address)? };
    let word = |half: &[u8]| half.try_into().map(u64::from_ne_bytes).unwrap_or(0);
    Some([word(&bytes[..8]), word(&bytes[8..])])
}

/// What a timed call returns when its time is over.
///
/// The sets of select(2) are emptied on the way, as it does itself.
pub(super) fn result_of_timeout(timed: &TimedCall) -> i64 {
    let SystemCall { number, args } = timed.call;
    #[cfg(target_arch = "x86_64")]
    let is_select = number == libc::SYS_select || number == libc::SYS_pselect6;
    #[cfg(not(target_arch = "x86_64"))]
    let is_select = number == libc::SYS_pselect6;
    if is_select {
        let words = (args[0] as usize).min(libc::FD_SETSIZE).div_ceil(64);
        for set in args[1..4].iter().filter(|address| **address != 0) {
            let _ = proc::overwrite(timed.tid, *set, &vec![0; words * 8]);
        }
    }
    match number {
        libc::SYS_futex | libc::SYS_futex_waitv | libc::SYS_mq_timedsend | libc::SYS_mq_timedreceive => {
            -i64::from(libc::ETIMEDOUT)
        }
        libc::SYS_rt_sigtimedwait | libc::SYS_semtimedop => -i64::from(libc::EAGAIN),
        _ => 0,
    }
}
