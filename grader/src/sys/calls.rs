//! The system calls that a tracer is told of, and what their arguments mean.

use std::ops::Range;

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

/// Calls after which something that is no process of the submission may wake one, a clock or a socket to elsewhere, and
/// calls that ask for such a clock or undo it.
#[cfg(target_arch = "x86_64")]
pub(super) const WAKERS: &[libc::c_long] = &[
    libc::SYS_alarm,
    libc::SYS_setitimer,
    libc::SYS_getitimer,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_delete,
    libc::SYS_timerfd_settime,
    libc::SYS_setsockopt,
    libc::SYS_socket,
];
/// Calls after which something that is no process of the submission may wake one, a clock or a socket to elsewhere, and
/// calls that ask for such a clock or undo it.
#[cfg(target_arch = "aarch64")]
pub(super) const WAKERS: &[libc::c_long] = &[
    libc::SYS_setitimer,
    libc::SYS_getitimer,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_delete,
    libc::SYS_timerfd_settime,
    libc::SYS_setsockopt,
    libc::SYS_socket,
];

/// Calls that read a clock.
#[cfg(target_arch = "x86_64")]
pub(super) const CLOCKS: &[libc::c_long] = &[libc::SYS_clock_gettime, libc::SYS_gettimeofday, libc::SYS_time];
/// Calls that read a clock.
#[cfg(target_arch = "aarch64")]
pub(super) const CLOCKS: &[libc::c_long] = &[libc::SYS_clock_gettime, libc::SYS_gettimeofday];

/// The options that give a socket's calls a time of their own, see socket(7); the last two are the same with times of
/// 64 bits, see `<asm-generic/socket.h>`.
const SOCKET_TIMES: [u64; 4] = [libc::SO_RCVTIMEO as u64, libc::SO_SNDTIMEO as u64, 66, 67];

/// Whom a signal is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A process, a thread, a group (negative) or everybody (-1); see kill(2).
    Number(i32),
    /// The process that a pidfd stands for.
    Descriptor(u64),
}

/// Whether a call is one that is picked out for what it does, and not only since all are.
#[must_use]
pub fn is_of_interest(call: &SystemCall) -> bool {
    is_look(call) || [&WRITES[..], &KILLS, WAKERS].iter().any(|calls| calls.contains(&call.number))
}

/// Whether the process that makes this call takes over the orphans below it from now on; none for any other call.
#[must_use]
pub fn adopts(call: &SystemCall) -> Option<bool> {
    let is_asked = call.number == libc::SYS_prctl && call.args[0] as i32 == libc::PR_SET_CHILD_SUBREAPER;
    is_asked.then_some(call.args[1] != 0)
}

/// Whether a call wakes whoever waits in another process for a lock, or for what else the two share.
#[must_use]
pub fn wakes_a_waiter(call: &SystemCall) -> bool {
    call.number == libc::SYS_futex && call.args[1] as i32 == libc::FUTEX_WAKE
}

/// Requests of ioctl(2) by which a C library asks whether a descriptor is a terminal, see isatty(3): for its attributes, the
/// second in a newer form that is longer at its end.
pub(super) const TERMINAL_REQUESTS: [u32; 2] = [libc::TCGETS as u32, libc::TCGETS2 as u32];

/// Whether a call asks whether a descriptor is a terminal.
#[must_use]
pub fn asks_for_terminal(call: &SystemCall) -> bool {
    call.number == libc::SYS_ioctl && TERMINAL_REQUESTS.contains(&(call.args[1] as u32))
}

/// Whether a call maps memory that others may map.
#[must_use]
pub fn shares_memory(call: &SystemCall) -> bool {
    match call.number {
        libc::SYS_mmap => call.args[3] as i32 & libc::MAP_SHARED != 0,
        number => number == libc::SYS_shmat,
    }
}

/// Whether a call lets its process reach memory, be it closed before or not.
#[must_use]
pub fn opens_memory(call: &SystemCall) -> bool {
    const BOTH: u64 = (libc::PROT_READ | libc::PROT_WRITE) as u64;
    call.number == libc::SYS_mprotect && call.args[2] & BOTH == BOTH
}

/// The descriptor of the file that a call maps, if it maps one.
#[must_use]
pub fn mapped_file(call: &SystemCall) -> Option<u64> {
    u64::try_from(call.args[4] as i32).ok().filter(|_| call.number == libc::SYS_mmap)
}

/// The fourth argument, of which mprotect(2) has none, where the tracer has a process make that call.
pub const OWN_MARK: u64 = 0x6772_6164;

/// The memory that a call maps anew, takes away or gives other rights, where the program says which.
#[must_use]
pub fn changed_memory(call: &SystemCall) -> Option<Range<u64>> {
    let [start, length, _, flags, ..] = call.args;
    let of_length = |length: u64| Some(start..start.saturating_add(length));
    match call.number {
        libc::SYS_munmap | libc::SYS_mprotect => of_length(length),
        libc::SYS_mmap if flags as i32 & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) != 0 => {
            of_length(length)
        }
        // How long it was is not told; what begins within is enough.
        libc::SYS_mremap | libc::SYS_shmdt => of_length(length.max(1)),
        _ => None,
    }
}

/// Whether a call leads to what the tracer cannot see or keep from: another process's memory, memory that two processes
/// are, calls that are refused.
#[must_use]
pub fn defies_memory(call: &SystemCall) -> bool {
    let flags = call.args[0] as i32;
    match call.number {
        libc::SYS_process_vm_readv
        | libc::SYS_process_vm_writev
        | libc::SYS_seccomp
        | libc::SYS_userfaultfd => true,
        libc::SYS_prctl => flags == libc::PR_SET_SECCOMP,
        libc::SYS_clone => {
            flags & libc::CLONE_VM != 0 && flags & (libc::CLONE_VFORK | libc::CLONE_THREAD) == 0
        }
        _ => false,
    }
}

/// Whether a call's result says that a signal came, and the call is made again or not.
#[must_use]
pub fn is_interrupted(result: i64) -> bool {
    super::trace::RESTARTS.contains(&result)
}

/// Whether a call may reach memory that its own arguments do not lead to, but what they lead to does.
#[must_use]
pub fn may_reach_anywhere(call: &SystemCall) -> bool {
    const CALLS: [libc::c_long; 15] = [
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_preadv,
        libc::SYS_pwritev,
        libc::SYS_preadv2,
        libc::SYS_pwritev2,
        libc::SYS_vmsplice,
        libc::SYS_sendmsg,
        libc::SYS_recvmsg,
        libc::SYS_sendmmsg,
        libc::SYS_recvmmsg,
        libc::SYS_ioctl,
        libc::SYS_execve,
        libc::SYS_execveat,
        SYS_FUTEX_WAITV,
    ];
    CALLS.contains(&call.number)
}

/// See futex_waitv(2); the same on every architecture.
const SYS_FUTEX_WAITV: libc::c_long = 449;

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

/// Whether a call looks at something and never waits: at a clock, for the end of a child, for what can be read.
///
/// poll(2) counts where it is a call of its own, as it is on x86-64.
#[must_use]
pub fn is_look(call: &SystemCall) -> bool {
    let asks = |options: u64| options as i32 & libc::WNOHANG != 0;
    match call.number {
        libc::SYS_wait4 => asks(call.args[2]),
        libc::SYS_waitid => asks(call.args[3]),
        // No signal at all asks whether somebody is there.
        libc::SYS_kill => call.args[1] as i32 == 0,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => call.args[2] as i32 == 0,
        number => CLOCKS.contains(&number),
    }
}

/// Whether a process that makes this call may be woken by something that is no process of the submission.
#[must_use]
pub fn is_waker(call: &SystemCall) -> bool {
    match call.number {
        libc::SYS_getitimer | libc::SYS_timer_gettime | libc::SYS_timer_delete => false,
        // Both are numbers of 32 bits.
        libc::SYS_socket => call.args[0] as i32 != libc::AF_UNIX,
        libc::SYS_setsockopt => {
            call.args[1] as i32 == libc::SOL_SOCKET && SOCKET_TIMES.contains(&(call.args[2] & 0xffff_ffff))
        }
        number => WAKERS.contains(&number),
    }
}

/// Whether a call may wait for what another process writes before it writes itself.
#[must_use]
pub fn waits_for_input(call: &SystemCall) -> bool {
    matches!(call.number, libc::SYS_splice | libc::SYS_tee)
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
