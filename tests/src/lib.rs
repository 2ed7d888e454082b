//! What the workspace's tests share.
//!
//! Finding fixtures, grading what is built, starting the grader's command line, and folders to do so in.
//! The tests themselves lie beside `submissions/`, one file a subject; nothing here asserts what they are about.

pub mod canonical;
pub mod code;
pub mod fixture;
pub mod folder;
pub mod graded;
pub mod program;

use std::path::{Path, PathBuf};

/// The root folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("this package lies in a folder of the workspace").to_owned()
}
