//! What a run finds around itself: its variables and a folder for its temporary files.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::RunError;
use crate::sys::Environment;

/// Where programs are looked for if the grader's own PATH is not set, as in `confstr(_CS_PATH)`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A folder that one run has for itself, and that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct RunFolder(Option<TempDir>);

impl RunFolder {
    /// Makes a folder that only its owner may enter.
    pub(super) fn new() -> Result<RunFolder, RunError> {
        let made = tempfile::Builder::new()
            .prefix("grader-run-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        let made = made.map_err(|source| RunError::Folder { parent: std::env::temp_dir(), source })?;
        Ok(RunFolder(Some(made)))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// The variables that a run in this folder gets, and no others.
    ///
    /// None of the grader's own settings may change how a submission behaves: a RUST_BACKTRACE would add lines
    /// to its standard error, a PYTHONUNBUFFERED would hide a missing flush.
    pub(super) fn environment(&self) -> Environment {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let home = std::env::var_os("HOME").unwrap_or_else(|| self.path().into());
        let variables: [(&str, OsString); 4] =
            [("PATH", path), ("HOME", home), ("LANG", "C.UTF-8".into()), ("TMPDIR", self.path().into())];
        Environment(variables.into_iter().map(|(name, value)| (OsString::from(name), value)).collect())
    }

    /// The variable by which a process of this run is known, since no other run has the same.
    pub(super) fn mark(&self) -> OsString {
        let mut mark = OsString::from("TMPDIR=");
        mark.push(OsStr::new(self.path()));
        mark
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        let Some(folder) = self.0.take() else { return };
        let path = folder.path().to_owned();
        if folder.close().is_err() && make_removable(&path).is_ok() {
            // A folder that cannot be removed even so is left to whoever clears the temporary folder.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Opens every folder below `folder` to its owner, for a submission may have closed them.
fn make_removable(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // The type is the entry's own: a link to a folder elsewhere is no folder here.
        if entry.file_type()?.is_dir() {
            make_removable(&entry.path())?;
        }
    }
    Ok(())
}
