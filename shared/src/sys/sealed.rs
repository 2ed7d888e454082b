//! Memory that one process fills and others then read in place.
//!
//! It is a file without a name (memfd_create(2)). While it is filled, nobody else has its descriptor. Then it is
//! sealed (fcntl(2), F_ADD_SEALS): from then on the kernel lets nobody write, shrink or grow it, this process
//! included, so that readers may take its bytes for a plain slice whoever has the descriptor as well.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// Nobody can change the bytes or take them away.
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::SHRINK).union(SealFlags::GROW);

/// Memory that is being filled; all zero at first.
pub(crate) struct Unsealed {
    mapping: Mapping,
    file: OwnedFd,
}

/// Memory that is as it will always be.
pub(crate) struct Sealed {
    mapping: Mapping,
    file: OwnedFd,
}

impl Unsealed {
    /// So many bytes, at least one.
    pub(crate) fn new(length: usize) -> io::Result<Unsealed> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("multiprocessing", flags)?;
        rustix::fs::ftruncate(&file, length as u64)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        Ok(Unsealed { mapping: Mapping::new(file.as_fd(), length, access, MapFlags::SHARED)?, file })
    }

    pub(crate) fn seal(self) -> io::Result<Sealed> {
        let Unsealed { mapping, file } = self;
        // No seal against writing where there is a mapping to write by.
        drop(mapping);
        rustix::fs::fcntl_add_seals(&file, SEALS | SealFlags::SEAL)?;
        Sealed::open(file)
    }
}

impl Sealed {
    /// A copy of these bytes, one part after the other; at least one byte. The kernel fills the pages as it gets
    /// them, which takes less than to write into a mapping.
    pub(crate) fn copy(parts: &[&[u8]]) -> io::Result<Sealed> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(rustix::fs::memfd_create("multiprocessing", flags)?);
        let length = parts.iter().map(|part| part.len()).sum();
        rustix::fs::ftruncate(&file, length as u64)?;
        // Mapped first: where there is no room for that, no memory is taken.
        let mapping = Mapping::new(file.as_fd(), length, ProtFlags::READ, MapFlags::PRIVATE)?;
        for part in parts {
            file.write_all(part)?;
        }
        rustix::fs::fcntl_add_seals(&file, SEALS | SealFlags::SEAL)?;
        Ok(Sealed { mapping, file: file.into() })
    }

    /// Whether it is memory that nobody can change any more.
    pub(crate) fn is_sealed(file: BorrowedFd<'_>) -> bool {
        rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS))
    }

    /// Maps memory that another process has filled and sealed.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Sealed> {
        let length = usize::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(0);
        if length == 0 || !Sealed::is_sealed(file.as_fd()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // A private mapping that is only read shows the file's own pages. Kernels before 6.7 refuse a shared one
        // of what is sealed against writing.
        let mapping = Mapping::new(file.as_fd(), length, ProtFlags::READ, MapFlags::PRIVATE)?;
        Ok(Sealed { mapping, file })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl AsFd for Sealed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Deref for Unsealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a reference asks for valid, initialised memory that nobody writes while it lives: the mapping
        // lives as long as `self`, a new file is all zero, and nobody else has it or can map it.
        unsafe { self.mapping.0.as_ref() }
    }
}

impl DerefMut for Unsealed {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `self` is borrowed for this reference alone.
        unsafe { self.mapping.0.as_mut() }
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a reference asks for valid, initialised memory that nobody writes while it lives: the mapping
        // lives as long as `self`, and the seals, which were looked at, keep everyone from writing the file or
        // from making it shorter.
        unsafe { self.mapping.0.as_ref() }
    }
}

/// Unmapped when dropped.
struct Mapping(NonNull<[u8]>);

// SAFETY: `Send` asks that the value may be used and dropped on another thread: mappings belong to the process.
unsafe impl Send for Mapping {}

// SAFETY: `Sync` asks that several threads may use `&Mapping`: it gives nothing away by itself, and those who hold
// one give `&[u8]` for `&self` and `&mut [u8]` for `&mut self`, as a vector does.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(file: BorrowedFd<'_>, length: usize, access: ProtFlags, kind: MapFlags) -> io::Result<Mapping> {
        // SAFETY: `mmap` asks that no existing mapping is replaced, and without MAP_FIXED none is.
        let start = unsafe { rustix::mm::mmap(std::ptr::null_mut(), length, access, kind, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Mapping(NonNull::slice_from_raw_parts(start, length)))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `munmap` asks that nothing uses the mapping any more: every reference into it borrows from
        // whoever holds `self`. A failure would only leave it mapped.
        let _ = unsafe { rustix::mm::munmap(self.0.as_ptr().cast(), self.0.len()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_in_place_and_written_by_nobody() {
        let mut memory = Unsealed::new(10_000).unwrap();
        assert!(memory.iter().all(|byte| *byte == 0));
        memory[9_999] = 7;
        let sealed = memory.seal().unwrap();
        let other = Sealed::open(sealed.as_fd().try_clone_to_owned().unwrap()).unwrap();
        assert_eq!((sealed.len(), other[9_999]), (10_000, 7));
        assert!(rustix::io::pwrite(sealed.as_fd(), &[1], 0).is_err());
        assert!(rustix::fs::ftruncate(sealed.as_fd(), 1).is_err());
        let access = ProtFlags::READ | ProtFlags::WRITE;
        assert!(Mapping::new(sealed.as_fd(), 10_000, access, MapFlags::SHARED).is_err());
    }

    #[test]
    fn memory_that_could_still_change_is_refused() {
        let memory = Unsealed::new(100).unwrap();
        assert!(Sealed::open(memory.file.try_clone().unwrap()).is_err());
        assert!(Sealed::open(tempfile::tempfile().unwrap().into()).is_err());
    }
}
