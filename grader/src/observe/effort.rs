//! What the processes of a run have done so far.

use std::ops::AddAssign;
use std::time::Duration;

/// Computing leaves the kernel a smaller share of the time than this, and asking it again and again a larger one.
const KERNELS_SHARE: u32 = 10;

/// How long threads had a CPU, and how long they could have used one but had none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Effort {
    pub(super) starved: Duration,
    /// In their own code.
    pub(super) user: Duration,
    /// In the kernel's.
    pub(super) system: Duration,
}

impl Effort {
    pub(super) fn since(self, before: Effort) -> Effort {
        Effort {
            starved: self.starved.saturating_sub(before.starved),
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }

    /// For how much of this time others kept the CPUs away from it.
    ///
    /// Threads that take all CPUs from each other are short of them by themselves.
    pub(super) fn kept_waiting(self, time: Duration, cpus: u32) -> Duration {
        self.starved.min(time.saturating_sub((self.user + self.system) / cpus.max(1)))
    }

    /// Whether all of it was computing, with next to no system call.
    pub(super) fn is_computing(self) -> bool {
        self.system < self.user / KERNELS_SHARE
    }
}

impl AddAssign for Effort {
    fn add_assign(&mut self, other: Effort) {
        self.starved += other.starved;
        self.user += other.user;
        self.system += other.system;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_all_cpus_is_kept_waiting_by_nobody() {
        let second = Duration::from_secs(1);
        let effort =
            |starved, user| Effort { starved: second * starved, user: second * user, system: Duration::ZERO };
        assert_eq!(effort(20, 20).kept_waiting(second * 10, 2), Duration::ZERO);
        assert_eq!(effort(8, 2).kept_waiting(second * 10, 2), second * 8);
        assert_eq!(effort(30, 4).kept_waiting(second * 10, 2), second * 8);
    }
}
