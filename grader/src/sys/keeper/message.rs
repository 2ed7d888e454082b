//! What a keeper tells the grader: messages of one length, each written at once.

use std::fmt;
use std::time::Duration;

use rustix::process::Pid;

/// The length of a message; pipe(7) keeps writes of up to 4096 bytes in one piece.
pub(super) const LENGTH: usize = 40;

/// What a keeper tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// Main exists; it may not run its program yet.
    Born {
        /// Its process id.
        main: Pid,
    },
    /// Main could not become its program.
    NotStarted {
        /// What it was about to do.
        step: Step,
        /// The number of the error that this met, see errno(3).
        errno: i32,
    },
    /// Main has ended.
    Ended(Ended),
    /// The keeper is through.
    Swept {
        /// Whether nothing that main started is left.
        clean: bool,
    },
}

/// How main ended and what it had used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The status as wait(2) gives it.
    pub(crate) wait_status: i32,
    /// CPU time of its own threads, without its children's.
    pub(crate) cpu: Duration,
    /// The same in whole ticks, as the kernel counts it against the limit.
    pub(crate) charged: Duration,
    /// The most memory that it held, in bytes; at least what the grader held when it made the process.
    pub(crate) peak_memory: u64,
}

/// What is done to make a process and turn it into the program, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To make the keeper's own means.
    Keeper,
    /// To make the process.
    Fork,
    /// To give it a session of its own and tie its life to the keeper's.
    Session,
    /// To set the limits.
    Limits,
    /// To connect the standard streams.
    Streams,
    /// To enter the folder.
    Folder,
    /// To be followed by a tracer.
    Tracing,
    /// To execute the program.
    Exec,
}

impl Step {
    const ALL: [Step; 8] = [
        Step::Keeper,
        Step::Fork,
        Step::Session,
        Step::Limits,
        Step::Streams,
        Step::Folder,
        Step::Tracing,
        Step::Exec,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Keeper => "its keeper",
            Step::Fork => "its process",
            Step::Session => "its session",
            Step::Limits => "its limits",
            Step::Streams => "its streams",
            Step::Folder => "its folder",
            Step::Tracing => "its tracing",
            Step::Exec => "its program",
        })
    }
}

impl Report {
    /// Five numbers: which message it is, and what it holds.
    pub(super) fn encode(self) -> [u8; LENGTH] {
        let numbers = match self {
            Report::Born { main } => [0, i64::from(main.as_raw_pid()), 0, 0, 0],
            Report::NotStarted { step, errno } => [1, step as i64, i64::from(errno), 0, 0],
            Report::Ended(Ended { wait_status, cpu, charged, peak_memory }) => {
                let times = [cpu, charged].map(|time| clamp(time.as_nanos()));
                [2, i64::from(wait_status), times[0], times[1], clamp(peak_memory.into())]
            }
            Report::Swept { clean } => [3, i64::from(clean), 0, 0, 0],
        };
        let mut bytes = [0; LENGTH];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// `None` for bytes that no keeper writes.
    pub(super) fn decode(bytes: &[u8; LENGTH]) -> Option<Report> {
        let mut numbers = [0; 5];
        for (number, place) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = i64::from_le_bytes(place.try_into().ok()?);
        }
        let [kind, first, second, third, fourth] = numbers;
        match kind {
            0 if first > 0 => Some(Report::Born { main: Pid::from_raw(first.try_into().ok()?)? }),
            1 => {
                let step = *Step::ALL.get(usize::try_from(first).ok()?)?;
                Some(Report::NotStarted { step, errno: second.try_into().ok()? })
            }
            2 => Some(Report::Ended(Ended {
                wait_status: first.try_into().ok()?,
                cpu: Duration::from_nanos(second.try_into().ok()?),
                charged: Duration::from_nanos(third.try_into().ok()?),
                peak_memory: fourth.try_into().ok()?,
            })),
            3 => Some(Report::Swept { clean: first != 0 }),
            _ => None,
        }
    }
}

fn clamp(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        let ended = Ended {
            wait_status: 9,
            cpu: Duration::from_nanos(1_234_567),
            charged: Duration::from_millis(4),
            peak_memory: 5 << 30,
        };
        let steps = Step::ALL.map(|step| Report::NotStarted { step, errno: 13 });
        let others = [
            Report::Born { main: Pid::INIT },
            Report::Ended(ended),
            Report::Swept { clean: true },
            Report::Swept { clean: false },
        ];
        for report in steps.into_iter().chain(others) {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
    }

    #[test]
    fn bytes_of_no_message_are_refused() {
        assert_eq!(Report::decode(&[0xff; LENGTH]), None);
        assert_eq!(Report::decode(&[0; LENGTH]), None);
        let mut unknown_step = Report::NotStarted { step: Step::Exec, errno: 2 }.encode();
        unknown_step[8] = 99;
        assert_eq!(Report::decode(&unknown_step), None);
    }
}
