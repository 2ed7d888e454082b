//! What of the machine an output may rightly show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Machine;
use crate::sys;

/// Looks at the machine as a program that is started now from this thread would.
#[must_use]
pub fn machine() -> Machine {
    let affinity = rustix::thread::sched_getaffinity(None).map(|cpus| u64::from(cpus.count()));
    let parallelism = std::thread::available_parallelism().map(|count| count.get() as u64);
    let counts = [sys::online_cpus(), affinity.ok(), parallelism.ok(), Some(num_cpus::get() as u64)];
    let mut cpus: BTreeSet<u64> = counts.into_iter().flatten().collect();
    let most = cpus.last().copied().unwrap_or(1);
    let read = |path: &Path| fs::read_to_string(path).ok();
    cpus.extend(quotas(&read).iter().flat_map(Quota::counts).filter(|count| *count <= most));
    Machine { cpus }
}

/// CPU time that a control group grants in each period.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quota {
    granted: u64,
    period: u64,
}

impl Quota {
    /// As whole CPUs, rounded down and up, at least one.
    fn counts(&self) -> [u64; 2] {
        [(self.granted / self.period).max(1), self.granted.div_ceil(self.period).max(1)]
    }

    /// The content of cpu.max, `max 100000` or `150000 100000`; see the kernel's cgroup-v2.rst.
    fn of_version_2(text: &str) -> Option<Quota> {
        let (granted, period) = text.trim().split_once(' ')?;
        Quota::new(granted.parse().ok()?, period.parse().ok()?)
    }

    fn new(granted: u64, period: u64) -> Option<Quota> {
        (period > 0).then_some(Quota { granted, period })
    }
}

/// The quotas of this process's control groups and of all groups around them.
fn quotas(read: &impl Fn(&Path) -> Option<String>) -> Vec<Quota> {
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mounts = read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    mounts.lines().filter_map(CpuMount::parse).flat_map(|mount| mount.quotas(&groups, read)).collect()
}

/// A mounted hierarchy of control groups that can limit CPU time.
struct CpuMount {
    /// The group that is seen at the mount point; a container sees only its own part of the tree.
    root: PathBuf,
    point: PathBuf,
    version_2: bool,
}

impl CpuMount {
    /// A line of mountinfo, see proc_pid_mountinfo(5): `36 25 0:31 ROOT POINT options… - TYPE source super-options`.
    fn parse(line: &str) -> Option<CpuMount> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?.into(), place.next()?.into());
        let mut kind = kind.split(' ');
        let (kind, options) = (kind.next()?, kind.nth(1)?);
        let version_2 = kind == "cgroup2";
        let relevant = version_2 || (kind == "cgroup" && options.split(',').any(|option| option == "cpu"));
        relevant.then_some(CpuMount { root, point, version_2 })
    }

    fn quotas(&self, groups: &str, read: &impl Fn(&Path) -> Option<String>) -> Vec<Quota> {
        let Some(group) = groups.lines().find_map(|line| self.group(line)) else { return Vec::new() };
        let inner = Path::new(group).strip_prefix(&self.root).or_else(|_| Path::new(group).strip_prefix("/"));
        let Ok(inner) = inner else { return Vec::new() };
        let folders = inner.ancestors().map(|ancestor| self.point.join(ancestor));
        folders.filter_map(|folder| self.quota(&folder, read)).collect()
    }

    /// The path in a line of `/proc/self/cgroup`, `4:cpu,cpuacct:/path` or `0::/path`, if it is this hierarchy's.
    fn group<'a>(&self, line: &'a str) -> Option<&'a str> {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let mine =
            if self.version_2 { number == "0" } else { controllers.split(',').any(|one| one == "cpu") };
        mine.then_some(path)
    }

    fn quota(&self, folder: &Path, read: &impl Fn(&Path) -> Option<String>) -> Option<Quota> {
        if self.version_2 {
            return Quota::of_version_2(&read(&folder.join("cpu.max"))?);
        }
        let number = |file: &str| read(&folder.join(file))?.trim().parse().ok();
        // A quota of -1 is none, and no number without a sign.
        Quota::new(number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(files: &[(&str, &str)]) -> BTreeSet<u64> {
        let read = |path: &Path| {
            files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
        };
        quotas(&read).iter().flat_map(Quota::counts).collect()
    }

    #[test]
    fn a_quota_of_version_2_counts_rounded_down_and_up_and_so_does_that_of_a_group_around() {
        let files = [
            ("/proc/self/cgroup", "0::/outer/inner\n"),
            (
                "/proc/self/mountinfo",
                "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
            ),
            ("/sys/fs/cgroup/outer/inner/cpu.max", "250000 100000\n"),
            ("/sys/fs/cgroup/outer/cpu.max", "600000 100000\n"),
        ];
        assert_eq!(counts(&files), BTreeSet::from([2, 3, 6]));
    }

    #[test]
    fn a_quota_of_version_1_is_found_where_a_container_mounts_its_part_of_the_tree() {
        let files = [
            ("/proc/self/cgroup", "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n"),
            (
                "/proc/self/mountinfo",
                "31 30 0:27 /docker/1 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
            ),
            ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"),
            ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(counts(&files), BTreeSet::from([1]));
    }

    #[test]
    fn no_quota_gives_no_count() {
        let files = [
            ("/proc/self/cgroup", "4:cpu:/\n0::/\n"),
            (
                "/proc/self/mountinfo",
                "31 30 0:27 / /c rw - cgroup c rw,cpu\n30 2 0:26 / /u rw - cgroup2 c rw\n",
            ),
            ("/c/cpu.cfs_quota_us", "-1\n"),
            ("/c/cpu.cfs_period_us", "100000\n"),
            ("/u/cpu.max", "max 100000\n"),
        ];
        assert_eq!(counts(&files), BTreeSet::new());
    }

    #[test]
    fn this_machine_has_a_cpu() {
        assert!(machine().cpus.first().is_some_and(|count| *count >= 1));
    }
}
