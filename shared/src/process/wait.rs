//! Waiting for several processes at once.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::ipc::ready;

/// Waits until one of the processes has ended, or the timeout has passed; gives the places in `processes` of
/// all that have ended by then. Without processes, or past the timeout, there are none.
///
/// The counterpart of Python's `connection.wait`. Whatever becomes readable can be waited for:
/// [`Process`](crate::Process), [`ActiveChild`](crate::ActiveChild), and any other descriptor beside them as
/// `&dyn AsFd`.
///
/// # Panics
///
/// If there are more of them than this process may have descriptors (RLIMIT_NOFILE): poll(2) takes no more at a time.
///
/// ```
/// use std::os::fd::AsFd;
///
/// # multiprocessing::init();
/// let quick = multiprocessing::spawn(|x: u32| x + 1, 1)?;
/// let slow = multiprocessing::spawn(|()| std::thread::sleep(std::time::Duration::MAX), ())?;
/// let both: [&dyn AsFd; 2] = [&slow, &quick];
/// assert_eq!(multiprocessing::wait(&both, None), [1]);
/// assert_eq!(quick.join()?, 2);
/// slow.kill();
/// # Ok::<(), multiprocessing::Error>(())
/// ```
pub fn wait<P: AsFd>(processes: &[P], timeout: Option<Duration>) -> Vec<usize> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut descriptors: Vec<_> =
        processes.iter().map(|process| PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)).collect();
    if descriptors.is_empty() || !ready::wait(&mut descriptors, deadline) {
        return Vec::new();
    }
    let ended = |descriptor: &PollFd<'_>| !descriptor.revents().is_empty();
    (0..descriptors.len()).filter(|index| ended(&descriptors[*index])).collect()
}
