//! Whom somebody waits for by name: the child of a waitpid(2), or the process of a pidfd that is polled.

use rustix::process::Pid;

use super::proc;
use super::tree::Tree;
use crate::sys::SystemCall;

/// More descriptors than this are not looked through.
const MOST_POLLED: u64 = 64;

/// The processes that a living thread waits for by name, by their indexes.
pub(super) fn awaited(tree: &Tree) -> Vec<usize> {
    let mut awaited = Vec::new();
    for index in tree.alive() {
        for tid in &tree.member(index).threads {
            let call = proc::activity(*tid).and_then(|activity| activity.call);
            let targets = call.map_or_else(Vec::new, |call| targets(*tid, &call));
            awaited.extend(targets.into_iter().filter_map(|pid| tree.of_number(pid)));
        }
    }
    awaited
}

/// The processes that a thread in this call waits for by name.
pub(super) fn targets(tid: Pid, call: &SystemCall) -> Vec<Pid> {
    let number = |value: u64| Pid::from_raw((value as i32).max(0));
    match call.number {
        libc::SYS_wait4 => number(call.args[0]).into_iter().collect(),
        libc::SYS_waitid if call.args[0] == u64::from(libc::P_PID) => {
            number(call.args[1]).into_iter().collect()
        }
        libc::SYS_waitid if call.args[0] == u64::from(libc::P_PIDFD) => {
            proc::pidfd_target(tid, call.args[1]).into_iter().collect()
        }
        libc::SYS_ppoll => polled(tid, call),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => polled(tid, call),
        _ => Vec::new(),
    }
}

/// The processes whose pidfds are among what is polled.
fn polled(tid: Pid, call: &SystemCall) -> Vec<Pid> {
    descriptors(tid, call).filter_map(|descriptor| proc::pidfd_target(tid, descriptor)).collect()
}

/// The descriptors that poll(2) or ppoll(2) looks at; each entry is one of them and two sets of events.
pub(super) fn descriptors(tid: Pid, call: &SystemCall) -> impl Iterator<Item = u64> {
    let SystemCall { args, .. } = *call;
    (0..args[1].min(MOST_POLLED)).filter_map(move |entry| {
        let descriptor: [u8; 4] = proc::memory(tid, args[0] + entry * 8)?;
        u64::try_from(i32::from_ne_bytes(descriptor)).ok()
    })
}
