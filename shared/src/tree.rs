//! A process and all that it has started, as one thing to send signals to.
//!
//! A process that is being signalled may go on starting others. So all of them are stopped first, parents
//! before their children, until nothing new is found; what is stopped starts nothing, and reaps nothing, so
//! that no number changes hands meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::child::Child;

/// After so many looks, what does not stop is taken as it is: a process that waits for one of its children
/// to leave its memory (vfork(2)) stops only after that one.
const LOOKS: u32 = 50;

/// Sends the signal to the child and to all that descends from it.
pub(crate) fn signal(child: &Child, signal: Signal) {
    child.signal(Signal::STOP);
    let mut members = BTreeMap::new();
    for _ in 0..LOOKS {
        if !stop_more(child.pid(), &mut members) {
            break;
        }
    }
    // A member that has ended needs no signal.
    for member in members.values() {
        let _ = pidfd_send_signal(member, signal);
        let _ = pidfd_send_signal(member, Signal::CONT);
    }
    child.signal(signal);
    child.signal(Signal::CONT);
}

/// Stops descendants that are not among the members yet; `false` when there are none and all have stopped.
fn stop_more(root: u32, members: &mut BTreeMap<u32, OwnedFd>) -> bool {
    let mut goes_on = !has_stopped(root);
    let mut found = true;
    while found {
        found = false;
        for pid in processes() {
            let descends = |stat: &Stat| stat.parent == root || members.contains_key(&stat.parent);
            if members.contains_key(&pid) || !stat(pid).as_ref().is_some_and(descends) {
                continue;
            }
            let Some(handle) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
            let Ok(handle) = pidfd_open(handle, PidfdFlags::empty()) else { continue };
            // The number may have gone to another process before the handle was there; after that it cannot.
            if stat(pid).as_ref().is_some_and(descends) {
                let _ = pidfd_send_signal(&handle, Signal::STOP);
                members.insert(pid, handle);
                found = true;
                goes_on = true;
            }
        }
    }
    goes_on || !members.keys().copied().all(has_stopped)
}

/// The numbers of all processes.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What the kernel tells of a process: proc_pid_stat(5).
struct Stat {
    state: char,
    parent: u32,
}

fn stat(pid: u32) -> Option<Stat> {
    read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name stands in parentheses, and may hold anything, parentheses included.
fn read(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    Some(Stat { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

/// Whether a process is stopped or has ended.
fn has_stopped(pid: u32) -> bool {
    stat(pid).is_none_or(|stat| matches!(stat.state, 'T' | 't' | 'Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = read("17 (a) R 1 (b) S 4 17 17 0").unwrap();
        assert_eq!((stat.state, stat.parent), ('S', 4));
        assert!(read("17 nonsense").is_none());
    }
}
