//! A timer at whose end the kernel kills this process.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Duration;

/// A timer that ends this process by SIGKILL, whatever it is doing, unless it is stopped before.
pub(crate) struct KillTimer(libc::timer_t);

impl KillTimer {
    /// A timer that does not run.
    pub(crate) fn new() -> io::Result<KillTimer> {
        let event = MaybeUninit::<libc::sigevent>::zeroed();
        // SAFETY: `assume_init` asks for an initialised value: `sigevent` is plain data of C, and zero is valid
        // for all its fields.
        let mut event = unsafe { event.assume_init() };
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let mut timer = ptr::null_mut();
        // SAFETY: `timer_create` reads the event and writes the timer, through pointers to variables of these
        // types that outlive the call.
        if unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) } == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(KillTimer(timer))
    }

    /// Has the process killed after this time.
    pub(crate) fn start(&self, after: Duration) {
        // No time at all would stop the timer (timer_settime(2)).
        let after = after.max(Duration::from_nanos(1));
        let seconds = libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX);
        self.set(libc::timespec { tv_sec: seconds, tv_nsec: after.subsec_nanos().into() });
    }

    /// Has the process live on.
    pub(crate) fn stop(&self) {
        self.set(libc::timespec { tv_sec: 0, tv_nsec: 0 });
    }

    fn set(&self, value: libc::timespec) {
        let once =
            libc::itimerspec { it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        // SAFETY: `timer_settime` asks for a timer that exists, as this one does as long as `self` does, and
        // for a pointer to the time, which outlives the call; null stands for no interest in the old one.
        let result = unsafe { libc::timer_settime(self.0, 0, &raw const once, ptr::null_mut()) };
        debug_assert_eq!(result, 0, "a timer and a time that are valid cannot be refused");
    }
}

impl Drop for KillTimer {
    fn drop(&mut self) {
        // SAFETY: `timer_delete` asks for a timer that exists, and nobody uses it any more.
        unsafe { libc::timer_delete(self.0) };
    }
}
