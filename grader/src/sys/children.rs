//! The children of a process, as `/proc` shows them; needs no memory, so that a forked copy may ask.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::process::Pid;

/// Calls `visit` with each process whose parent is `parent`, as soon as it is found.
///
/// `/proc` is listed in ascending order of numbers, so that a process born during the walk is mostly still met.
pub(super) fn each_child(parent: Pid, mut visit: impl FnMut(Pid)) -> io::Result<()> {
    let proc =
        rustix::fs::open(c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut room = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&proc, &mut room);
    while let Some(entry) = entries.next() {
        let name = entry?;
        let Some(pid) = pid(name.file_name().to_bytes()) else { continue };
        if parent_of(proc.as_fd(), name.file_name()) == Some(parent) {
            visit(pid);
        }
    }
    Ok(())
}

/// The parent of the process whose folder in `/proc` has this name; none if it is gone.
fn parent_of(proc: BorrowedFd<'_>, process: &CStr) -> Option<Pid> {
    let mut path = [0; 32];
    let name = process.to_bytes();
    path.get_mut(..name.len())?.copy_from_slice(name);
    path.get_mut(name.len()..name.len() + 6)?.copy_from_slice(b"/stat\0");
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    let file = rustix::fs::openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = [0; 256];
    let length = rustix::io::read(&file, &mut text).ok()?;
    parent_in_stat(text.get(..length)?)
}

/// The fourth field of `/proc/PID/stat`, see proc_pid_stat(5).
///
/// The second is the program's name in parentheses, which may itself hold parentheses and spaces.
fn parent_in_stat(text: &[u8]) -> Option<Pid> {
    let name_end = text.iter().rposition(|byte| *byte == b')')?;
    let parent = text.get(name_end + 1..)?.split(|byte| *byte == b' ').nth(2)?;
    pid(parent)
}

fn pid(digits: &[u8]) -> Option<Pid> {
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if number > 0 { Pid::from_raw(number) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_a_name_with_parentheses_and_spaces() {
        let parent = parent_in_stat(b"17 (a) S 3 (b) S 42 17 17 0 -1 4194560");
        assert_eq!(parent.map(|pid| pid.as_raw_pid()), Some(42));
    }

    #[test]
    fn a_process_without_a_parent_has_none() {
        assert_eq!(parent_in_stat(b"1 (init) S 0 1 1 0 -1 4194560"), None);
        assert_eq!(parent_in_stat(b"1 (cut o"), None);
    }
}
