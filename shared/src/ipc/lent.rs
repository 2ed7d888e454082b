//! Memory in which long bytes cross, and then others.
//!
//! To get fresh memory from the kernel, and to give it back, takes ten times as long as to fill it. So whoever
//! sends long bytes keeps the memory that they crossed in, for the next ones. The receiver copies them out with
//! read(2) and maps nothing, so that it does not matter what stands there later, nor who writes it.
//!
//! Whether they are still needed there, a [lease](crate::sys::lease) says.
//!
//! The caller keeps it for as long as a job is submitted, a worker until it has sent nothing long for a while.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;

use crate::sys::lease::Lender;
use crate::sys::origin::Origin;

/// As many are kept at most: some are on their way while others are filled.
const MOST: usize = 4;

/// Longer bytes cross in memory of their own: so much is not kept, and not taken unseen by a limit on the address
/// space.
const LONGEST: usize = 256 << 20;

/// Bytes on their way.
#[derive(Debug)]
pub(crate) struct Lent {
    file: OwnedFd,
    length: usize,
}

/// The memory that a sender keeps.
#[derive(Default)]
pub(crate) struct Kept {
    files: Vec<Lender>,
    /// The process that has made it. A copy of that by fork has the same memory, and must not write there.
    origin: Option<Origin>,
    /// When bytes were put there last.
    last: Option<Instant>,
}

impl Kept {
    /// Puts bytes into memory; `None` where all of it is on its way, they are too long, or the system refuses
    /// something.
    pub(crate) fn lend(&mut self, bytes: &[u8]) -> Option<Lent> {
        if bytes.len() > LONGEST {
            return None;
        }
        let here = Some(Origin::here());
        if self.origin != here {
            *self = Kept { origin: here, ..Kept::default() };
        }
        let file = match self.files.iter().position(Lender::is_free) {
            Some(place) => self.files.swap_remove(place),
            None if self.files.len() < MOST => Lender::new(0, MemfdFlags::empty()).ok()?,
            None => return None,
        };
        // Where there is no room for the bytes, the memory is of no use any more.
        let lent = file.fill(bytes).and_then(|()| file.grant()).ok()?;
        self.files.push(file);
        self.last = Some(Instant::now());
        Some(Lent { file: lent, length: bytes.len() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Gives it back if it was not used for so long. What is on its way is there as long as somebody has it.
    pub(crate) fn give_back_after(&mut self, time: Duration) {
        if !self.is_empty() && self.last.is_none_or(|last| last.elapsed() >= time) {
            self.files.clear();
        }
    }
}

impl Lent {
    /// What another process has sent. Nothing is believed of it but that it is memory, which is what has seals, so that
    /// to read it takes no longer than that.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Lent> {
        rustix::fs::fcntl_get_seals(&file)?;
        let length = usize::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(0);
        if length == 0 { Err(io::ErrorKind::InvalidData.into()) } else { Ok(Lent { file, length }) }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

impl AsFd for Lent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::sys::huge;

    fn bytes_of(lent: &Lent) -> Vec<u8> {
        huge::read(lent.as_fd(), lent.len()).unwrap()
    }

    fn memory_of(lent: &Lent) -> u64 {
        rustix::fs::fstat(lent).unwrap().st_ino
    }

    #[test]
    fn memory_is_used_again_when_the_last_descriptor_is_gone_and_not_before() {
        let mut kept = Kept::default();
        let first = kept.lend(b"first").unwrap();
        let sent = Lent::open(first.file.try_clone().unwrap()).unwrap();
        let memory = memory_of(&first);
        drop(first);
        let second = kept.lend(b"second").unwrap();
        assert_ne!(memory_of(&second), memory);
        assert_eq!(bytes_of(&sent), b"first");
        drop(sent);
        let third = kept.lend(b"3").unwrap();
        assert_eq!(memory_of(&third), memory);
        assert_eq!(bytes_of(&Lent::open(third.file).unwrap()), b"3");
        assert_eq!(bytes_of(&second), b"second");
        kept.give_back_after(Duration::from_secs(3600));
        assert!(!kept.is_empty());
        kept.give_back_after(Duration::ZERO);
        assert!(kept.is_empty());
        assert_eq!(bytes_of(&second), b"second");
    }

    #[test]
    fn so_much_is_kept_and_no_more() {
        let mut kept = Kept::default();
        let all: Vec<Lent> = (0..MOST).map(|_| kept.lend(b"some").unwrap()).collect();
        assert!(kept.lend(b"more").is_none());
        drop(all);
        assert!(kept.lend(b"more").is_some());
    }

    #[test]
    fn a_thread_may_have_a_table_of_descriptors_of_its_own() {
        std::thread::spawn(|| {
            if nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).is_err() {
                return eprintln!("not run: this container refuses unshare(2)");
            }
            let lent = Kept::default().lend(b"here").unwrap();
            assert_eq!(bytes_of(&lent), b"here");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        assert!(Lent::open(rustix::pipe::pipe().unwrap().0).is_err());
        assert!(Lent::open(File::open("/dev/zero").unwrap().into()).is_err());
        assert!(Lent::open(File::open("/proc/self/maps").unwrap().into()).is_err());
        let empty = rustix::fs::memfd_create("multiprocessing", MemfdFlags::CLOEXEC).unwrap();
        assert!(Lent::open(empty).is_err());
    }
}
