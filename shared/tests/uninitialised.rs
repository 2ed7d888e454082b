//! A program that never calls `init`. This file therefore must not have `init_tests!`.

use std::env;

use multiprocessing::{Error, Pool, spawn};

#[test]
fn nothing_is_started_before_init() {
    let error = spawn(|x: u8| x, 1).unwrap_err();
    assert!(matches!(error, Error::NotInitialised));
    let text = error.to_string();
    assert!(text.starts_with("start a process: call `multiprocessing::init()` first in `main`"), "{text}");
    assert!(matches!(Pool::new(2), Err(Error::NotInitialised)));
}

/// Runs the test above once more, as a child that does not know that it is one.
#[test]
fn a_child_that_does_not_call_init_starts_no_children_of_its_own() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the library refuses to start a process here, as it should"
    )]
    let mut command = std::process::Command::new(env::current_exe().unwrap());
    command.args(["--exact", "nothing_is_started_before_init"]);
    command.env("MULTIPROCESSING_CHILD", format!("3:{}", std::process::id()));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
