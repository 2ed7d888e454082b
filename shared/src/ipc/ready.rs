//! Waiting until one of several descriptors has something to say.

use std::time::Instant;

use rustix::event::{PollFd, Timespec, poll};

/// Waits for the first of these events; `false` when the deadline came before any. No deadline is no hurry.
///
/// Interruptions by signals are waited through.
///
/// # Panics
///
/// Only where poll(2) is given more descriptors than the process may have, or the kernel is out of memory.
pub(crate) fn wait(descriptors: &mut [PollFd<'_>], deadline: Option<Instant>) -> bool {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(descriptors, timeout.as_ref()) {
            Ok(0) if timeout.is_some() => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll failed, which it may not: {error}"),
        }
    }
}
