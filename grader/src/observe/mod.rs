//! Running a submission and recording what it did.
//!
//! Responsible for one run at a time: its environment, its limits, its streams, its end, and that nothing of it
//! is alive afterwards.
//! Whatever a submission does is in the record; an error is the grader's own trouble alone.
//! Nothing here judges, and nothing here knows a question's checks.
//!
//! The plain observer sees the output and the end of main.
//! What it shares with any other observer is here: lines, the run's environment, the machine.

mod awaited;
mod clock;
mod effort;
mod environment;
mod holding;
mod journal;
mod limit;
mod line;
mod machine;
mod patience;
mod plain;
mod proc;
mod rest;
mod run_folder;
mod sharing;
mod sockets;
mod stray;
mod stream;
mod timers;
mod traced;
mod tree;
mod turn;
mod vdso;
mod waits;

use std::io;
use std::path::{Path, PathBuf};

pub use crate::sys::Step;
pub use machine::machine;
pub use plain::run_plain;
pub use sharing::Sharing;
pub use traced::{Plan, TraceError, TracedRun, run_traced};

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program itself cannot be started: the submission's fault, to be shown as one that did not build.
    #[error("start `{}`", executable.display())]
    Start {
        /// The file that was to be executed.
        executable: PathBuf,
        /// What is wrong with it, as a sentence for a learner.
        sentence: String,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
    /// The grader could not make the process, or part of what it needs.
    #[error("prepare the run of `{}` ({step})", executable.display())]
    Prepare {
        /// The file that was to be executed.
        executable: PathBuf,
        /// What was being done.
        step: Step,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// There is no folder for the run's temporary files.
    #[error("make a folder for temporary files in `{}`", parent.display())]
    Folder {
        /// Where it was to be made.
        parent: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// An argument or a variable cannot be given to a process.
    #[error("pass the arguments to `{}`", executable.display())]
    Arguments {
        /// The file that was to be executed.
        executable: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The pipes or the keeper that the grader talks to did not work.
    #[error("follow the run of `{}`", executable.display())]
    Follow {
        /// The file that was executed.
        executable: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl RunError {
    /// The error of a step on the way to the program; that of the last one is the program's own fault.
    fn not_started(executable: &Path, step: Step, errno: i32) -> RunError {
        let executable = executable.to_owned();
        let source = io::Error::from_raw_os_error(errno);
        if step != Step::Exec {
            return RunError::Prepare { executable, step, source };
        }
        let path = executable.display();
        let sentence = match errno {
            libc::ENOEXEC => format!(
                "`{path}` is neither a program for this machine nor a script whose first line names its interpreter."
            ),
            libc::ENOENT if executable.exists() => {
                format!("The interpreter that `{path}` names is not there.")
            }
            libc::ENOENT | libc::ENOTDIR => format!("There is no file `{path}`."),
            libc::EACCES => format!("`{path}` may not be executed: `chmod +x` allows it."),
            libc::ETXTBSY => format!("`{path}` is still open for writing."),
            _ => format!("`{path}` cannot be executed: {source}."),
        };
        RunError::Start { executable, sentence, source }
    }
}
