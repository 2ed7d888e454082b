//! What is measured: the rows of the table, who takes part in each, and what is to be reached.

use crate::peers::{by_hand, floors, ours, procspawn, threads};

/// One question.
pub struct Row {
    pub name: &'static str,
    pub what: &'static str,
    pub unit: Unit,
    /// The first one is the library.
    pub contenders: &'static [Contender],
    pub targets: &'static [Target],
    /// Whether it takes many seconds.
    pub is_long: bool,
}

/// Whoever answers it.
pub struct Contender {
    pub name: &'static str,
    pub run: Run,
}

#[derive(Clone, Copy)]
pub enum Run {
    /// A function of this program, called in a process of its own.
    Here(fn() -> f64),
    /// A measurement of `cpython.py`.
    Python(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Micros,
    Millis,
    PerSecond,
    MegabytesPerSecond,
    Kibibytes,
    Count,
    /// How many times as fast as one process that does everything.
    SpeedUp,
}

impl Unit {
    pub fn more_is_better(self) -> bool {
        matches!(self, Unit::PerSecond | Unit::MegabytesPerSecond | Unit::SpeedUp)
    }
}

/// What the library, or the contender that is named, is to reach.
pub struct Target {
    pub who: &'static str,
    pub aim: Aim,
}

pub enum Aim {
    /// At most so many times what this contender takes.
    AtMost(f64, &'static str),
    /// At least so many times as good as this contender.
    Better(f64, &'static str),
    /// No more than this.
    Limit(f64),
}

const OURS: &str = "ours";

const fn here(name: &'static str, measure: fn() -> f64) -> Contender {
    Contender { name, run: Run::Here(measure) }
}

const fn python(name: &'static str, measurement: &'static str) -> Contender {
    Contender { name, run: Run::Python(measurement) }
}

const fn aim(aim: Aim) -> Target {
    Target { who: OURS, aim }
}

const fn row(
    name: &'static str,
    what: &'static str,
    unit: Unit,
    contenders: &'static [Contender],
    targets: &'static [Target],
) -> Row {
    Row { name, what, unit, contenders, targets, is_long: false }
}

pub const ROWS: &[Row] = &[
    row(
        "start-spawn",
        "start to join, by re-exec",
        Unit::Micros,
        &[
            here(OURS, ours::start),
            here("posix_spawn and wait", floors::posix_spawn),
            here("procspawn", procspawn::start),
            python("CPython fork", "start"),
        ],
        &[aim(Aim::AtMost(1.15, "posix_spawn and wait"))],
    ),
    row(
        "start-fork-server",
        "start to join, by the fork server",
        Unit::Micros,
        &[
            here(OURS, ours::start_by_server),
            here("fork and wait", floors::fork),
            python("CPython fork", "start"),
            python("CPython forkserver", "start-by-server"),
        ],
        &[aim(Aim::AtMost(1.5, "fork and wait")), aim(Aim::Better(15.0, "CPython fork"))],
    ),
    row(
        "start-large-parent",
        "start to join, by the fork server, from a parent that holds 1 GiB",
        Unit::Micros,
        &[
            here(OURS, ours::start_by_server_from_large_parent),
            here("ours, small parent", ours::start_by_server),
            here("ours, by re-exec", ours::start_from_large_parent),
            here("fork and wait", floors::fork_from_large_parent),
            python("CPython fork", "start-from-large-parent"),
        ],
        &[aim(Aim::AtMost(1.15, "ours, small parent"))],
    ),
    row(
        "pool-start",
        "a pool of 4 up, one task, and down, by the fork server",
        Unit::Millis,
        &[
            here(OURS, ours::pool_start_by_server),
            here("ours, by re-exec", ours::pool_start),
            here("procspawn", procspawn::pool_start),
            python("CPython fork", "pool-start"),
        ],
        &[aim(Aim::Better(10.0, "CPython fork"))],
    ),
    row(
        "map",
        "map of x·x over 1,000,000 items, default chunks",
        Unit::PerSecond,
        &[
            here(OURS, ours::map),
            here("procspawn", procspawn::map),
            here("rayon", threads::map),
            python("CPython", "map"),
        ],
        &[aim(Aim::Better(20.0, "CPython")), aim(Aim::Better(3.0, "procspawn"))],
    ),
    row(
        "map-single",
        "map of x·x, chunks of 1",
        Unit::PerSecond,
        &[
            here(OURS, ours::map_single),
            here("ipc-channel by hand", by_hand::map_single),
            here("procspawn", procspawn::map_single),
            python("CPython", "map-single"),
        ],
        &[aim(Aim::Better(40.0, "CPython")), aim(Aim::Better(8.0, "ipc-channel by hand"))],
    ),
    row(
        "apply",
        "one call on a warm pool, a core free",
        Unit::Micros,
        &[
            here(OURS, ours::apply),
            here("socketpair round trip", floors::round_trip),
            here("ipc-channel by hand", by_hand::apply),
            here("procspawn", procspawn::apply),
            python("CPython", "apply"),
        ],
        &[aim(Aim::AtMost(0.25, "socketpair round trip"))],
    ),
    row(
        "apply-busy",
        "one call on a warm pool, every core busy",
        Unit::Micros,
        &[here(OURS, ours::apply_busy), here("socketpair round trip", floors::round_trip_busy)],
        &[aim(Aim::AtMost(1.5, "socketpair round trip"))],
    ),
    row(
        "large",
        "8 × 64 MiB there and back",
        Unit::MegabytesPerSecond,
        &[
            here(OURS, ours::large),
            here("raw socketpairs", floors::large),
            python("CPython", "large"),
            python("CPython shared_memory", "large-shared-memory"),
        ],
        &[aim(Aim::Better(8.0, "CPython")), aim(Aim::Better(2.5, "CPython shared_memory"))],
    ),
    row(
        "large-in-place",
        "8 × 64 MiB there and back, read and written in place (`SharedBytes`)",
        Unit::MegabytesPerSecond,
        &[
            here(OURS, ours::large_in_place),
            here("the same in one thread", floors::large_in_place),
            python("CPython", "large"),
            python("CPython shared_memory", "large-shared-memory"),
        ],
        &[aim(Aim::Better(8.0, "CPython")), aim(Aim::Better(2.5, "CPython shared_memory"))],
    ),
    row(
        "idle-memory",
        "memory of an idle worker (proportional set size)",
        Unit::Kibibytes,
        &[
            here(OURS, ours::idle_memory),
            here("procspawn", procspawn::idle_memory),
            python("CPython fork", "idle-memory"),
        ],
        &[aim(Aim::AtMost(1.0, "procspawn"))],
    ),
    row(
        "idle-wake-ups",
        "wake-ups of an idle pool of 4 in 2 s",
        Unit::Count,
        &[here(OURS, ours::idle_wakeups), here("procspawn", procspawn::idle_wakeups)],
        &[aim(Aim::Limit(0.0))],
    ),
    row(
        "idle-descriptors",
        "descriptors for one more worker, in parent and worker, beside those inherited",
        Unit::Count,
        &[here(OURS, ours::idle_descriptors), here("procspawn", procspawn::idle_descriptors)],
        &[aim(Aim::Limit(3.0))],
    ),
    row(
        "speed-up",
        "speed-up of CPU-bound work, a worker for each CPU",
        Unit::SpeedUp,
        &[here(OURS, ours::speed_up), here("rayon", threads::speed_up)],
        &[aim(Aim::Better(0.95, "rayon"))],
    ),
    Row {
        is_long: true,
        ..row(
            "linear",
            "one of 10 million tasks, chunks of 1",
            Unit::Micros,
            &[
                here(OURS, ours::one_of_ten_million),
                here("one of 1 million", ours::one_of_a_million),
                here("one of 100,000", ours::one_of_a_hundred_thousand),
            ],
            &[aim(Aim::AtMost(1.25, "one of 100,000"))],
        )
    },
    row(
        "queue",
        "one of 100,000 tasks submitted one by one before the first is waited for",
        Unit::Micros,
        &[
            here(OURS, ours::one_of_a_long_queue),
            here("one of 10,000", ours::one_of_a_queue),
            here("one of 1,000", ours::one_of_a_short_queue),
        ],
        &[aim(Aim::AtMost(1.25, "one of 10,000"))],
    ),
    row(
        "queue-memory",
        "growth of the parent's peak memory in imap over 1,000,000 items",
        Unit::Kibibytes,
        &[here(OURS, ours::memory_of_a_long_imap), here("over 10,000", ours::memory_of_a_short_imap)],
        &[aim(Aim::AtMost(1.25, "over 10,000"))],
    ),
    row(
        "workers",
        "for each worker of a pool of 256: up, one task, and down",
        Unit::Micros,
        &[here(OURS, ours::one_of_256_workers), here("of 8", ours::one_of_8_workers)],
        &[aim(Aim::AtMost(1.25, "of 8"))],
    ),
];
