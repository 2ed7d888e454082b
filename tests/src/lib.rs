//! What the workspace's tests share.
//!
//! Starting the grader's command line, folders to do so in, and reading what programs printed.
//! The tests themselves lie beside `submissions/`, one file a subject; nothing here asserts what they are about.

pub mod canonical;
pub mod code;
pub mod folder;
pub mod program;
pub mod terminal;

use std::path::{Path, PathBuf};

/// The root folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("this package lies in a folder of the workspace").to_owned()
}
