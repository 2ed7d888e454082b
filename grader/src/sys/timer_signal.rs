//! The signal of a timer, sent in the kernel's place.

#![expect(unsafe_code, reason = "no safe wrapper sends a signal that says where it comes from")]

use std::ffi::c_int;

use rustix::process::Pid;

/// What a timer of timer_create(2) sends when it goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerSignal {
    /// The timer's number.
    pub(crate) timer: i32,
    pub(crate) signal: i32,
    /// What the timer's maker wants to be told.
    pub(crate) value: u64,
    /// The thread that gets it; whichever of the process does not block it, if none.
    pub(crate) thread: Option<Pid>,
}

/// The beginning of the kernel's `siginfo_t` where it is a timer's, see sigaction(2); it is longer.
#[repr(C)]
struct TimerInfo {
    signal: c_int,
    error: c_int,
    code: c_int,
    /// What follows has pointers in its other forms, and is aligned for them.
    _gap: c_int,
    timer: c_int,
    overrun: c_int,
    value: u64,
    rest: [u64; 12],
}

impl TimerSignal {
    /// Sends it; whoever is gone needs none.
    pub(crate) fn send(self, process: Pid) {
        let TimerSignal { timer, signal, value, thread } = self;
        let code = libc::SI_TIMER;
        let info = TimerInfo { signal, error: 0, code, _gap: 0, timer, overrun: 0, value, rest: [0; 12] };
        let process = process.as_raw_pid();
        if let Some(thread) = thread {
            let (number, thread) = (libc::SYS_rt_tgsigqueueinfo, thread.as_raw_pid());
            // SAFETY: rt_tgsigqueueinfo(2) requires two numbers, a signal, and a `siginfo_t` to read, of which this is one
            // in size and layout.
            unsafe { libc::syscall(number, process, thread, signal, &raw const info) };
        } else {
            // SAFETY: rt_sigqueueinfo(2) requires a number, a signal, and a `siginfo_t` to read, of which this is one in
            // size and layout.
            unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, process, signal, &raw const info) };
        }
    }
}

const _: () = assert!(
    size_of::<TimerInfo>() == size_of::<libc::siginfo_t>()
        && std::mem::offset_of!(TimerInfo, timer) == 16
        && std::mem::offset_of!(TimerInfo, value) == 24
);
