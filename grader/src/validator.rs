//! An instructor's own program that judges an output.
//!
//! It reads the output from its standard input and answers by its exit code, as the output validators of problem
//! packages do (Kattis problem package format, "Output Validators").

use std::path::Path;
use std::time::Duration;

use crate::model::{
    Ending, ExitStatus, Invocation, Limits, Policy, RunRecord, Schedule, Stream, ValidatorAnswer, signal_name,
};
use crate::observe::{self, RunError};
use crate::submission;

/// The exit codes of the format.
const ACCEPTED: i32 = 42;
const REJECTED: i32 = 43;

/// How long a validator may take.
const WALL: Duration = Duration::from_secs(10);

/// What the record of a validator's run says of its observation; nobody reads it.
const REASON: &str = "A validator is not graded.";

/// Lets a validator, started in the question's folder, judge the standard output of a run.
///
/// Nothing that it starts outlives this call.
#[must_use]
pub fn validate(command: &[String], folder: &Path, record: &RunRecord) -> ValidatorAnswer {
    validate_within(WALL, command, folder, record)
}

fn validate_within(wall: Duration, command: &[String], folder: &Path, record: &RunRecord) -> ValidatorAnswer {
    let program = match submission::find_program(command, folder) {
        Ok(program) => program,
        Err(sentence) => return ValidatorAnswer::Broken(sentence),
    };
    let invocation = Invocation { args: Vec::new(), stdin: text(record, Stream::Stdout) };
    let limits = Limits { wall, cpu: wall, ..Limits::default() };
    let schedule = Schedule { policy: Policy::Free, seed: 0 };
    match observe::run_plain(&program, &invocation, &limits, schedule, REASON) {
        Ok(run) => answer(&run, wall),
        Err(RunError::Start { sentence, .. }) => ValidatorAnswer::Broken(sentence),
        Err(error) => ValidatorAnswer::Broken(format!("The grader failed to {error}.")),
    }
}

/// The lines of a stream, each with its newline.
fn text(record: &RunRecord, stream: Stream) -> String {
    let lines = record.lines.iter().filter(|line| line.stream == stream);
    lines.flat_map(|line| [line.text.as_str(), "\n"]).collect()
}

fn answer(run: &RunRecord, wall: Duration) -> ValidatorAnswer {
    let broken = |what: String| {
        let said = text(run, Stream::Stderr);
        let said = said.trim_end();
        let said =
            if said.is_empty() { String::new() } else { format!(" It wrote to its standard error:\n{said}") };
        ValidatorAnswer::Broken(format!("The validator {what}.{said}"))
    };
    match (&run.ending, run.main_status()) {
        (Ending::TimedOut, _) => broken(format!("took longer than {wall:?}")),
        (Ending::LimitExceeded(limit), _) => broken(format!("exceeded its limit of {limit}")),
        (_, Some(ExitStatus::Code(ACCEPTED))) => ValidatorAnswer::Accepted,
        (_, Some(ExitStatus::Code(REJECTED))) => {
            ValidatorAnswer::Rejected(text(run, Stream::Stdout).trim_end().to_owned())
        }
        (_, Some(ExitStatus::Code(code))) => {
            broken(format!("exited with {code}, which is neither {ACCEPTED} (right) nor {REJECTED} (wrong)"))
        }
        (_, Some(ExitStatus::Signal(signal))) => broken(format!("was ended by {}", signal_name(signal))),
        (_, None) => broken("did not end".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_validator_is_stopped() {
        let words = |script: &str| ["sh", "-c", script].map(str::to_owned);
        let folder = Path::new("/");
        let program = submission::find_program(&words("echo x"), folder).unwrap();
        let schedule = Schedule { policy: Policy::Free, seed: 0 };
        let record =
            observe::run_plain(&program, &Invocation::default(), &Limits::default(), schedule, "").unwrap();
        let answer =
            validate_within(Duration::from_millis(200), &words("sleep 1000 & sleep 1000"), folder, &record);
        assert_eq!(answer, ValidatorAnswer::Broken("The validator took longer than 200ms.".to_owned()));
    }
}
