//! Memory that is lent: whether anybody has it still.
//!
//! For each lease the file is opened once more, for reading, and what is sent to others is that open file, under a
//! shared lock (flock(2)). The kernel drops the lock with the last descriptor and the last mapping of it, wherever they
//! have gone and however their holders have ended. So there is no lease any more when the lender gets the lock for
//! itself alone.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags, flock};

use super::nameless;

/// A file without a name (memfd_create(2)), of which leases can be granted.
///
/// A program that closes all descriptors closes this one too, and another file may have its number since then, as in a
/// thread that has a table of descriptors for itself. With that nothing is done; it is not even closed.
#[derive(Debug)]
pub(crate) struct Lender {
    file: ManuallyDrop<File>,
    identity: Identity,
}

/// Device and inode.
type Identity = (u64, u64);

fn identity(file: impl AsFd) -> io::Result<Identity> {
    let status = rustix::fs::fstat(file)?;
    Ok((status.st_dev, status.st_ino))
}

impl Lender {
    /// A file of this length.
    pub(crate) fn new(length: usize, flags: MemfdFlags) -> io::Result<Lender> {
        let file = nameless::create(length, flags)?;
        Ok(Lender { identity: identity(&file)?, file: ManuallyDrop::new(file.into()) })
    }

    /// Replaces what is there.
    pub(crate) fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        nameless::set_length(&*self.file, bytes.len())?;
        self.file.write_all_at(bytes, 0)
    }

    /// Opens it once more, to be sent.
    pub(crate) fn grant(&self) -> io::Result<OwnedFd> {
        // The thread's own table of descriptors, which may be another than the process's: unshare(2).
        let again = format!("/proc/thread-self/fd/{}", self.file.as_raw_fd());
        let lease = rustix::fs::open(again, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        if identity(&lease)? != self.identity {
            return Err(io::ErrorKind::NotFound.into());
        }
        flock(&lease, FlockOperation::NonBlockingLockShared)?;
        Ok(lease)
    }

    /// Whether there is no lease.
    pub(crate) fn is_free(&self) -> bool {
        self.is_itself()
            && flock(&*self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
            && flock(&*self.file, FlockOperation::Unlock).is_ok()
    }

    fn is_itself(&self) -> bool {
        identity(&*self.file).is_ok_and(|identity| identity == self.identity)
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        if self.is_itself() {
            // SAFETY: `ManuallyDrop::drop` asks that the value is not used again: this is the end of what holds it.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}

impl AsFd for Lender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lasts_until_its_last_descriptor_is_gone() {
        let lender = Lender::new(0, MemfdFlags::empty()).unwrap();
        assert!(lender.is_free());
        let lease = lender.grant().unwrap();
        let same = lease.try_clone().unwrap();
        drop(lease);
        assert!(!lender.is_free());
        drop(same);
        assert!(lender.is_free());
    }

    #[test]
    fn another_file_with_the_number_of_the_descriptor_is_left_alone() {
        let mut lender = Lender::new(0, MemfdFlags::empty()).unwrap();
        let other = tempfile::tempfile().unwrap();
        *lender.file = other.try_clone().unwrap();
        let number = lender.file.as_raw_fd();
        assert!(!lender.is_free());
        assert!(lender.grant().is_err());
        drop(lender);
        assert!(std::fs::exists(format!("/proc/self/fd/{number}")).unwrap());
    }
}
