//! Facts of the machine.

#![expect(unsafe_code, reason = "sysconf(3) has no safe wrapper")]

/// How many CPUs are online, whoever may use them; `None` if the machine does not say.
pub(crate) fn online_cpus() -> Option<u64> {
    // SAFETY: sysconf(3) takes a number and answers one that it does not know with -1.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    u64::try_from(count).ok().filter(|count| *count > 0)
}
