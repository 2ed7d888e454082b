//! The folder that one run has for its temporary files.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use super::RunError;

/// How each such folder's name begins, and how many letters and digits follow.
const PREFIX: &str = "grader-run-";
const RANDOM: usize = 12;

/// What a file system says that has no locks.
const KNOWS_NO_LOCKS: [Errno; 4] = [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS, Errno::INVAL];

/// A folder that was touched so recently may be one that was just made, and is not locked yet.
const YOUNG: Duration = Duration::from_secs(60);

/// A folder that one run has for itself, and that is removed when this is dropped.
///
/// It is locked as long, so that the next grader can tell what one that was killed has left.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// None where the file system knows no locks; then nobody else gets one either, and removes it.
    _lock: Option<OwnedFd>,
}

impl RunFolder {
    /// Makes a folder that only its owner may enter.
    pub(super) fn new() -> Result<RunFolder, RunError> {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| sweep(&std::env::temp_dir()));
        let path = make().map_err(|source| RunError::Folder { parent: std::env::temp_dir(), source })?;
        match lock(&path) {
            Ok(lock) => Ok(RunFolder { path, _lock: Some(lock) }),
            Err(error) if KNOWS_NO_LOCKS.contains(&error) => Ok(RunFolder { path, _lock: None }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(RunError::Folder { parent: std::env::temp_dir(), source: error.into() })
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
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
        remove(&self.path);
    }
}

fn make() -> io::Result<PathBuf> {
    let made = tempfile::Builder::new()
        .prefix(PREFIX)
        .rand_bytes(RANDOM)
        .permissions(Permissions::from_mode(0o700))
        .tempdir();
    made.map(tempfile::TempDir::keep)
}

/// An error if somebody else has it locked.
fn lock(folder: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = rustix::fs::open(folder, flags, Mode::empty())?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

/// Whether a folder may have been made by [`make`]; other folders of this user may begin as that does.
fn is_name(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes what graders have left here that were killed.
fn sweep(parent: &Path) {
    let is_old = |metadata: &Metadata| {
        metadata.modified().ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age >= YOUNG)
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = |metadata: &Metadata| {
            metadata.is_dir()
                && metadata.mode() & 0o777 == 0o700
                && metadata.uid() == rustix::process::geteuid().as_raw()
                && is_old(metadata)
        };
        if is_name(&entry.file_name())
            && entry.metadata().as_ref().is_ok_and(is_ours)
            && lock(&entry.path()).is_ok()
        {
            remove(&entry.path());
        }
    }
}

/// Removes a folder with all that is in it, though a submission may have closed folders to their owner, or have made
/// one within the other thousands of times: each is moved out of the one that it is in first, so that nothing is done
/// far down.
///
/// What cannot be removed even so is left to whoever clears the temporary folder.
fn remove(folder: &Path) {
    if fs::remove_dir(folder).is_ok() {
        return;
    }
    if !fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
        // A submission has put something else in its place, which may lead anywhere.
        let _ = fs::remove_file(folder);
        return;
    }
    let Ok(beside) = make() else { return };
    let mut left = vec![folder.to_owned()];
    let mut moved = 0_u64;
    while let Some(folder) = left.pop() {
        let _ = open_to_owner(&folder);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // The type is the entry's own: a link to a folder elsewhere is no folder here.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let place = beside.join(moved.to_string());
                moved += 1;
                // What is moved gets another parent, and may be written to for that.
                let _ = open_to_owner(&entry.path());
                // Should somebody be left who puts a link in its place, that is not followed.
                let is_folder = || fs::symlink_metadata(&place).is_ok_and(|moved| moved.is_dir());
                if fs::rename(entry.path(), &place).is_ok() && is_folder() {
                    left.push(place);
                }
            } else {
                let _ = fs::remove_file(entry.path());
            }
        }
        let _ = fs::remove_dir(&folder);
    }
    let _ = fs::remove_dir(&beside);
}

fn open_to_owner(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};
    use std::os::unix::fs::symlink;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_folder_is_removed_however_deep_and_closed_it_is() {
        let outside = tempfile::tempdir().unwrap();
        let kept = outside.path().join("kept");
        fs::write(&kept, "").unwrap();
        let folder = make().unwrap();
        let mut path = folder.clone();
        // No path leads as deep as this, so it is built from the innermost folder on.
        let inner = folder.with_extension("inner");
        fs::create_dir(&inner).unwrap();
        for _ in 0..20_000 {
            let outer = folder.with_extension("outer");
            fs::create_dir(&outer).unwrap();
            fs::rename(&inner, outer.join("d".repeat(200))).unwrap();
            fs::rename(&outer, &inner).unwrap();
        }
        fs::rename(&inner, folder.join("deep")).unwrap();
        for name in ["a", "b", "c"] {
            path.push(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("0"), name).unwrap();
            symlink(outside.path(), path.join("link")).unwrap();
        }
        let mut closed = path.as_path();
        while closed != folder {
            fs::set_permissions(closed, Permissions::from_mode(0o0)).unwrap();
            closed = closed.parent().unwrap();
        }
        let run = RunFolder { path: folder.clone(), _lock: lock(&folder).ok() };
        drop(run);
        assert!(!folder.exists() && kept.exists());
        assert!(fs::read_dir(outside.path()).unwrap().count() == 1);
    }

    #[test]
    fn a_link_in_a_folders_place_is_removed_and_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let kept = outside.path().join("kept");
        fs::write(&kept, "").unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o755)).unwrap();
        let folder = make().unwrap();
        let run = RunFolder { path: folder.clone(), _lock: lock(&folder).ok() };
        fs::remove_dir(&folder).unwrap();
        symlink(outside.path(), &folder).unwrap();
        drop(run);
        assert!(fs::symlink_metadata(&folder).is_err() && kept.exists());
        assert_eq!(fs::metadata(outside.path()).unwrap().mode() & 0o777, 0o755);
    }

    #[test]
    fn what_a_killed_grader_has_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let begin = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
            fs::write(path.join("file"), "").unwrap();
            path
        };
        let names = ["123456789abc", "Locked7890ab", "results", "young56789ab"];
        let [left, locked, other, young] = names.map(|name| begin(&format!("{PREFIX}{name}")));
        let long_ago = FileTimes::new().set_modified(SystemTime::now() - 2 * YOUNG);
        for path in [&left, &locked, &other] {
            File::open(path).unwrap().set_times(long_ago).unwrap();
        }
        let lock = lock(&locked).unwrap();
        sweep(parent.path());
        assert_eq!([&left, &locked, &other, &young].map(|path| path.exists()), [false, true, true, true]);
        drop(lock);
    }
}
