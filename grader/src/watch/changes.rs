//! Word of changed files.
//!
//! The kernel's word (inotify) makes for a quick answer and is not relied on: it is missing on some file systems, and
//! the watch of a folder ends with the folder.
//! What counts is whether the files look different, which is looked at after every word and once in a while without.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use rustix::event::EventfdFlags;

use crate::learner::Answer;
use crate::submission::Workspace;

/// Word of changes anywhere below the workspace's exercises, and of its manifest's.
pub(super) struct Changes {
    told: Arc<OwnedFd>,
    /// None where the kernel offers none.
    watcher: Option<RecommendedWatcher>,
}

impl Changes {
    pub(super) fn of(workspace: &Workspace) -> io::Result<Changes> {
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let told = Arc::new(rustix::event::eventfd(0, flags)?);
        let teller = Arc::clone(&told);
        let tell = move |_| {
            // It can only fail when there is word already.
            let _ = rustix::io::write(&*teller, &1_u64.to_ne_bytes());
        };
        let mut changes = Changes { told, watcher: notify::recommended_watcher(tell).ok() };
        changes.follow(workspace);
        Ok(changes)
    }

    /// Asks for word again, which ends when a folder is removed.
    pub(super) fn follow(&mut self, workspace: &Workspace) {
        let Some(watcher) = &mut self.watcher else { return };
        // What cannot be followed is looked at all the same, if less often.
        let _ = watcher.watch(workspace.root(), RecursiveMode::NonRecursive);
        let _ = watcher.watch(&workspace.root().join("exercises"), RecursiveMode::Recursive);
    }

    /// How often to look without word.
    pub(super) fn patience(&self) -> Duration {
        match self.watcher {
            Some(_) => Duration::from_secs(1),
            None => Duration::from_millis(100),
        }
    }

    /// Takes note of the word there was.
    pub(super) fn heard(&self) {
        let _ = rustix::io::read(&*self.told, &mut [0; 8]);
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.told.as_fd()
    }
}

/// What the files that decide about a grade look like from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Look(Vec<(PathBuf, Option<Stamp>)>);

/// What differs when a file was written: its place on the disk, its length, its time.
type Stamp = (u64, u64, i64, i64);

impl Look {
    pub(super) fn at(workspace: &Workspace, question: &str) -> Look {
        let answer = Answer::find(workspace, question);
        let own = ["question.toml", "question.md", "program.rs", "Cargo.toml"]
            .map(|name| answer.folder().join(name));
        let shared = workspace.root().join("Cargo.toml");
        let files = answer.files().map(|file| answer.folder().join(file));
        Look(files.chain(own).chain([shared]).map(|file| (file.clone(), stamp(&file))).collect())
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}
