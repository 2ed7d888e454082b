//! What a submission may use.

use std::fmt;
use std::time::Duration;

/// The bounds of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time from start to end.
    pub wall: Duration,
    /// CPU time of each process.
    pub cpu: Duration,
    /// Bytes of data memory of each process.
    pub memory: u64,
    /// Processes alive at once, the first one included.
    pub processes: u64,
    /// Bytes written to standard output and standard error together.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            wall: Duration::from_secs(10),
            cpu: Duration::from_secs(10),
            memory: 1 << 30,
            processes: 64,
            output: 1 << 20,
        }
    }
}

/// Which bound was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// [`Limits::cpu`].
    Cpu,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::processes`].
    Processes,
    /// [`Limits::output`].
    Output,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Cpu => "CPU time",
            Limit::Memory => "memory",
            Limit::Processes => "processes",
            Limit::Output => "output",
        })
    }
}

/// A number of bytes as people read it, as in `1 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, factor) in UNITS {
        if bytes >= factor {
            return format!("{} {unit}", (bytes as f64 / factor as f64 * 10.0).round() / 10.0);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_units_that_fit() {
        assert_eq!(size(41), "41 B");
        assert_eq!(size(1 << 30), "1 GiB");
        assert_eq!(size(3_300_000), "3.1 MiB");
    }
}
