//! Why a run does not go on: who waits for what, a sentence each.

use std::collections::BTreeSet;

use rustix::process::Pid;

use super::tree::Tree;
use super::{awaited, proc, sockets};
use crate::sys::SystemCall;

/// What every living process waits for, in order of birth.
pub(super) fn explain(tree: &Tree, label: &dyn Fn(usize) -> String) -> Vec<String> {
    tree.alive()
        .map(|index| {
            let member = tree.member(index);
            // The first thread speaks for its process, unless it has ended and others go on.
            let calls: Vec<(Pid, SystemCall)> =
                member.threads.iter().filter_map(|tid| Some((*tid, proc::activity(*tid)?.call?))).collect();
            let first = calls.iter().find(|(tid, _)| *tid == member.pid).or(calls.first());
            let what = match first {
                Some((tid, call)) => described(tree, index, *tid, call, label),
                None if proc::activity(member.pid)
                    .is_some_and(|activity| matches!(activity.state, b'T' | b't')) =>
                {
                    "is stopped by a signal, and nobody continues it".to_owned()
                }
                None => "waits".to_owned(),
            };
            format!("{} {what}.", capitalised(&label(index)))
        })
        .collect()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn described(
    tree: &Tree,
    index: usize,
    tid: Pid,
    call: &SystemCall,
    label: &dyn Fn(usize) -> String,
) -> String {
    match call.number {
        libc::SYS_wait4 | libc::SYS_waitid => waits_for_child(tree, index, call, label),
        libc::SYS_read | libc::SYS_readv | libc::SYS_splice | libc::SYS_recvfrom | libc::SYS_recvmsg => {
            reads(tree, index, tid, call.args[0], label)
        }
        libc::SYS_write | libc::SYS_writev | libc::SYS_sendto | libc::SYS_sendmsg => {
            writes(tree, index, tid, call.args[0], label)
        }
        libc::SYS_futex => waits_for_lock(tree, tid, call, label),
        libc::SYS_ppoll => waits_for_any(tree, index, tid, call, label),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => waits_for_any(tree, index, tid, call, label),
        libc::SYS_pselect6 | libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => nothing_comes(),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select | libc::SYS_epoll_wait => nothing_comes(),
        libc::SYS_rt_sigsuspend | libc::SYS_rt_sigtimedwait => no_signal_comes(),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_pause => no_signal_comes(),
        libc::SYS_accept | libc::SYS_accept4 => "waits for a connection that nobody makes".to_owned(),
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => "sleeps, for longer than anybody lives".to_owned(),
        libc::SYS_semop | libc::SYS_semtimedop => "waits for a semaphore".to_owned(),
        libc::SYS_flock | libc::SYS_fcntl => waits_for_file(tree, index, label),
        libc::SYS_msgrcv | libc::SYS_mq_timedreceive => "waits for a message that nobody sends".to_owned(),
        number => format!("waits in system call {number}"),
    }
}

/// See signal(7): a signal that is pending is not noted a second time.
fn no_signal_comes() -> String {
    "waits for a signal that nobody sends any more; one that came earlier is not waited for, and several that come at once \
     are one"
        .to_owned()
}

fn nothing_comes() -> String {
    "waits for something to read or write that never comes".to_owned()
}

/// What poll(2) waits for: the end of a process, or a word from whoever has the other end of a pipe or a socket.
fn waits_for_any(
    tree: &Tree,
    index: usize,
    tid: Pid,
    call: &SystemCall,
    label: &dyn Fn(usize) -> String,
) -> String {
    let named = |indexes: BTreeSet<usize>| indexes.into_iter().map(label).collect::<Vec<_>>().join(" or ");
    let ending: BTreeSet<usize> =
        awaited::targets(tid, call).into_iter().filter_map(|pid| tree.of_number(pid)).collect();
    if !ending.is_empty() {
        return format!("waits for {} to end", named(ending));
    }
    let others: BTreeSet<usize> = awaited::descriptors(tid, call)
        .filter_map(|descriptor| far_end(&proc::descriptor(tid, descriptor)?, "other end"))
        .flat_map(|(_, _, other)| holders(tree, &other, true))
        .filter(|other| *other != index)
        .collect();
    if others.is_empty() { nothing_comes() } else { format!("waits for word from {}", named(others)) }
}

fn waits_for_child(tree: &Tree, index: usize, call: &SystemCall, label: &dyn Fn(usize) -> String) -> String {
    let wanted = match call.number {
        libc::SYS_wait4 => Some(call.args[0] as i32),
        _ if call.args[0] == u64::from(libc::P_PID) => Some(call.args[1] as i32),
        _ => None,
    };
    let child = wanted.filter(|pid| *pid > 0).and_then(Pid::from_raw).and_then(|pid| tree.of_number(pid));
    match child {
        Some(child) => format!("waits for {} to end", label(child)),
        None => {
            let children: Vec<String> =
                tree.alive().filter(|child| tree.member(*child).parent == Some(index)).map(label).collect();
            match children.as_slice() {
                [] => "waits for a child to end".to_owned(),
                [one] => format!("waits for {one} to end"),
                several => format!("waits for one of {} to end", several.join(", ")),
            }
        }
    }
}

/// Those whose descriptors lead to `target` and may be written to (or read from).
fn holders(tree: &Tree, target: &str, to_write: bool) -> Vec<usize> {
    tree.alive().filter(|index| proc::holds(tree.member(*index).pid, target, to_write)).collect()
}

/// What a descriptor leads to: what it is, what its other end is called, and what that one leads to.
fn far_end(target: &str, end_of_pipe: &'static str) -> Option<(&'static str, &'static str, String)> {
    if target.starts_with("pipe:") {
        return Some(("pipe", end_of_pipe, target.to_owned()));
    }
    sockets::other_end(target).map(|other| ("socket", "other end", other))
}

fn reads(tree: &Tree, index: usize, tid: Pid, descriptor: u64, label: &dyn Fn(usize) -> String) -> String {
    let Some(target) = proc::descriptor(tid, descriptor) else {
        return "waits for something to read".to_owned();
    };
    let Some((what, end, other)) = far_end(&target, "writing end") else {
        return format!("waits to read from descriptor {descriptor}, which nobody writes to");
    };
    match holders(tree, &other, true).as_slice() {
        [] => format!("waits to read from a {what}"),
        [only] if *only == index => {
            format!("waits to read from a {what} whose {end} it alone still holds open: close that end")
        }
        several => {
            let names: Vec<String> = several.iter().map(|writer| label(*writer)).collect();
            format!(
                "waits to read from a {what} that nobody writes to (its {end} is held open by {})",
                names.join(", ")
            )
        }
    }
}

fn writes(tree: &Tree, index: usize, tid: Pid, descriptor: u64, label: &dyn Fn(usize) -> String) -> String {
    let Some(target) = proc::descriptor(tid, descriptor) else { return "waits to write".to_owned() };
    let Some((what, _, other)) = far_end(&target, "reading end") else {
        return format!("waits to write to descriptor {descriptor}, which is full and which nobody reads");
    };
    let readers: Vec<String> =
        holders(tree, &other, false).into_iter().filter(|reader| *reader != index).map(label).collect();
    if readers.is_empty() {
        return format!("waits to write to a {what} that is full and that only it could read");
    }
    format!("waits to write to a {what} that is full and that {} does not read", readers.join(" or "))
}

/// A lock on a file, of flock(2) or fcntl(2).
fn waits_for_file(tree: &Tree, index: usize, label: &dyn Fn(usize) -> String) -> String {
    let holder = proc::lock_in_the_way(tree.member(index).pid).and_then(|pid| tree.of_number(pid));
    match holder {
        Some(holder) if holder == index => {
            "waits for a lock on a file that it holds itself, by another descriptor".to_owned()
        }
        Some(holder) => format!("waits for a lock on a file that {} holds", label(holder)),
        None => "waits for a lock on a file".to_owned(),
    }
}

/// A futex is a number in memory; that of a mutex of the C library has its owner eight bytes behind it.
fn waits_for_lock(tree: &Tree, tid: Pid, call: &SystemCall, label: &dyn Fn(usize) -> String) -> String {
    let owner = proc::memory::<4>(tid, call.args[0].wrapping_add(8))
        .and_then(|bytes| Pid::from_raw(i32::from_ne_bytes(bytes).max(0)))
        .filter(|owner| *owner != tid)
        .and_then(|owner| tree.of_thread(owner));
    match owner {
        Some(owner) => format!("waits for a lock that {} holds", label(owner)),
        None => "waits for a lock, a semaphore or a condition that nobody will release".to_owned(),
    }
}
