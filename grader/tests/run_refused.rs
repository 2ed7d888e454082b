//! A machine on which nobody may trace: here the grader itself is a submission, and those may not.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;
use std::time::Duration;

use grader::model::{ExitStatus, Invocation, Limits, Policy, RunRecord, Schedule, Stream};
use grader::observe::run_traced;
use grader::submission::Program;

/// What a command of the grader prints where tracing is refused.
fn refused(args: &[&str]) -> RunRecord {
    let program = Program {
        executable: env!("CARGO_BIN_EXE_grader").into(),
        args: args.iter().map(Into::into).collect(),
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into(),
    };
    let limits = Limits { wall: Duration::from_secs(60), ..Limits::default() };
    let free = Schedule { policy: Policy::Free, seed: 0 };
    run_traced(&program, &Invocation::default(), &limits, free).unwrap().record
}

fn printed(record: &RunRecord) -> Vec<&str> {
    record.stream(Stream::Stdout).iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn a_report_says_first_that_nobody_was_observed_and_nothing_passes_unseen() {
    let record = refused(&["grade", "q3", "--command", "/bin/echo 'Person 1 started'"]);
    let printed = printed(&record);
    let reason = printed.iter().position(|line| line.contains("does not let the grader observe processes"));
    let check = |text: &str| printed.iter().position(|line| line.contains(text));
    let passed = check("✓ prints `Person 1 started` and nothing else");
    assert!(reason.is_some() && reason < passed, "{printed:#?}");
    assert_eq!(printed.iter().filter(|line| line.contains('✓')).count(), 1, "{printed:#?}");
    assert_eq!(printed.iter().filter(|line| line.trim() == "not run").count(), 2, "{printed:#?}");
    assert_eq!(printed.last(), Some(&"  not run, 4 of 10 points"));
    assert_eq!(record.main_status(), Some(ExitStatus::Code(4)));
}

#[test]
fn a_wrong_output_fails_unobserved_too() {
    let record = refused(&["grade", "q3", "--command", "/bin/echo Nobody", "--schedules", "children-last"]);
    let printed = printed(&record);
    assert!(printed.iter().any(|line| line.contains("✗ prints `Person 1 started`")), "{printed:#?}");
    assert_eq!(printed.last(), Some(&"  failed, 0 of 10 points"));
    assert_eq!(record.main_status(), Some(ExitStatus::Code(1)));
}

#[test]
fn the_doctor_finds_out_and_says_what_to_do() {
    let record = refused(&["doctor"]);
    let printed = printed(&record).join("\n");
    assert!(
        printed.contains("ptrace(2) is refused") && printed.contains("--cap-add=SYS_PTRACE"),
        "{printed}"
    );
    assert_eq!(record.main_status(), Some(ExitStatus::Code(4)));
}
