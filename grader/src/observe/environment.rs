//! The variables that a run finds around itself.

use std::ffi::OsString;

use super::run_folder::RunFolder;
use crate::sys::Environment;

/// Where programs are looked for if the grader's own PATH is not set, as in `confstr(_CS_PATH)`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The variables that a run in this folder gets, and no others.
///
/// None of the grader's own settings may change how a submission behaves: a RUST_BACKTRACE would add lines to its
/// standard error, a PYTHONUNBUFFERED would hide a missing flush.
pub(super) fn environment(folder: &RunFolder) -> Environment {
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let home = std::env::var_os("HOME").unwrap_or_else(|| folder.path().into());
    let variables: [(&str, OsString); 4] =
        [("PATH", path), ("HOME", home), ("LANG", "C.UTF-8".into()), ("TMPDIR", folder.path().into())];
    Environment(variables.into_iter().map(|(name, value)| (OsString::from(name), value)).collect())
}
