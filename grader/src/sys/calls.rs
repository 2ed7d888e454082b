//! The system calls that a tracer is told of, and what their arguments mean.

use super::SystemCall;

/// Calls that can write into a pipe.
pub(super) const WRITES: [libc::c_long; 8] = [
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_tee,
    libc::SYS_vmsplice,
];

/// Calls that can send a signal.
pub(super) const KILLS: [libc::c_long; 6] = [
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
];

/// Calls that start a clock which wakes somebody later.
#[cfg(target_arch = "x86_64")]
pub(super) const TIMERS: &[libc::c_long] =
    &[libc::SYS_alarm, libc::SYS_setitimer, libc::SYS_timer_settime, libc::SYS_timerfd_settime];
/// Calls that start a clock which wakes somebody later.
#[cfg(target_arch = "aarch64")]
pub(super) const TIMERS: &[libc::c_long] =
    &[libc::SYS_setitimer, libc::SYS_timer_settime, libc::SYS_timerfd_settime];

/// Whom a signal is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A process, a thread, a group (negative) or everybody (-1); see kill(2).
    Number(i32),
    /// The process that a pidfd stands for.
    Descriptor(u64),
}

/// The descriptor that a call writes to, if it is one that writes.
#[must_use]
pub fn written_to(call: &SystemCall) -> Option<u64> {
    let argument = match call.number {
        libc::SYS_splice => 2,
        libc::SYS_tee => 1,
        number if WRITES.contains(&number) => 0,
        _ => return None,
    };
    Some(call.args[argument])
}

/// Whether a call sends a signal.
#[must_use]
pub fn is_kill(call: &SystemCall) -> bool {
    KILLS.contains(&call.number)
}

/// Whom a call that sends a signal sends it to.
#[must_use]
pub fn signal_target(call: &SystemCall) -> Target {
    match call.number {
        libc::SYS_pidfd_send_signal => Target::Descriptor(call.args[0]),
        // The register holds more than the number; its low half is the argument.
        libc::SYS_kill => Target::Number(call.args[0] as i32),
        _ => Target::Number((call.args[0] as i32).saturating_abs()),
    }
}

/// The signal that kill(2) is asked to send.
#[must_use]
pub fn signal(call: &SystemCall) -> Option<i32> {
    (call.number == libc::SYS_kill).then_some(call.args[1] as i32)
}
