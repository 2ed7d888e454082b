//! A question's limits as the kernel's.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit};

use crate::model::{ExitStatus, Limits};

/// How many threads a process of the submission may have on average before the brake on processes bites.
///
/// The kernel counts threads where the question counts processes, so that the exact count is not its business:
/// this only keeps a fork bomb from taking the machine.
const THREADS_PER_PROCESS: u64 = 16;

/// See signal(7).
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// What setrlimit(2) is to be called with.
///
/// Memory is RLIMIT_DATA and not RLIMIT_AS, since a thread reserves far more address space than it uses.
pub(super) fn resources(limits: &Limits) -> Vec<(Resource, Rlimit)> {
    let same = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    let cpu = cpu_seconds(limits);
    let mut resources = vec![
        (Resource::Cpu, Rlimit { current: Some(cpu), maximum: Some(cpu + 1) }),
        (Resource::Data, same(limits.memory)),
        (Resource::Core, same(0)),
    ];
    resources.extend(brake(limits).map(|most| (Resource::Nproc, same(most))));
    resources
}

/// The kernel takes whole seconds.
fn cpu_seconds(limits: &Limits) -> u64 {
    limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0)
}

/// RLIMIT_NPROC counts all tasks of the user, of which those that are there already are no more than the machine's.
///
/// It does not bind root.
fn brake(limits: &Limits) -> Option<u64> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    let there = tasks_in_loadavg(&load)?;
    Some(there.saturating_add(limits.processes.saturating_mul(THREADS_PER_PROCESS)))
}

/// The second number of the field `running/all`, see proc_loadavg(5).
fn tasks_in_loadavg(load: &str) -> Option<u64> {
    load.split(' ').nth(3)?.split_once('/')?.1.parse().ok()
}

/// Whether a process with this end was ended for its CPU time.
///
/// At the soft limit it gets SIGXCPU, and at the hard one, if it ignores that, SIGKILL; `charged` is what the kernel
/// counted against them.
pub(super) fn ended_for_cpu(status: ExitStatus, charged: Duration, limits: &Limits) -> bool {
    match status {
        ExitStatus::Signal(SIGXCPU) => true,
        ExitStatus::Signal(SIGKILL) => charged >= Duration::from_secs(cpu_seconds(limits)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tasks_of_the_machine_are_found() {
        assert_eq!(tasks_in_loadavg("0.20 0.18 0.12 1/1480 11206\n"), Some(1480));
        assert_eq!(tasks_in_loadavg("0.20 0.18"), None);
    }

    #[test]
    fn a_kill_is_for_the_cpu_time_only_where_that_was_used_up() {
        let limits = Limits { cpu: Duration::from_millis(1500), ..Limits::default() };
        assert!(ended_for_cpu(ExitStatus::Signal(SIGXCPU), Duration::ZERO, &limits));
        assert!(ended_for_cpu(ExitStatus::Signal(SIGKILL), Duration::from_secs(2), &limits));
        assert!(!ended_for_cpu(ExitStatus::Signal(SIGKILL), Duration::from_millis(1900), &limits));
        assert!(!ended_for_cpu(ExitStatus::Code(24), Duration::from_secs(9), &limits));
    }
}
