//! Programs that the tests start: the grader's command line and cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The grader's command line, to be run in a folder.
///
/// Variables that change what it prints or where it builds are taken away, so that a test sees the same everywhere.
#[must_use]
pub fn grader(folder: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(executable());
    command.current_dir(folder);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "TERM", "CARGO_TARGET_DIR"] {
        command.env_remove(variable);
    }
    command
}

/// The grader's executable, built by one call of cargo.
#[must_use]
pub fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        let arguments =
            ["build", "--quiet", "--package", "grader", "--bin", "grader", "--message-format", "json"];
        let output = cargo(&crate::root())
            .args(arguments)
            .output()
            .expect("cargo runs these tests, so it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut messages = output.stdout.split(|byte| *byte == b'\n');
        let executable = |line: &[u8]| -> Option<PathBuf> {
            let message: Value = serde_json::from_slice(line).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        };
        messages.find_map(executable).expect("cargo names the one executable that it was to build")
    })
}

/// Cargo, to be run in a folder.
#[must_use]
pub fn cargo(folder: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO"));
    command.current_dir(folder);
    command
}

/// A program that is followed while it runs.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests start a program that they do not wait for at once"
)]
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}
