//! Memory that one process fills and others then read in place.
//!
//! It is a file without a name (memfd_create(2)). While it is filled, nobody else has its descriptor. Then it is
//! sealed (fcntl(2), F_ADD_SEALS): from then on the kernel lets nobody shrink or grow it, or get hold of it for
//! writing, so that readers may take its bytes for a plain slice whoever has the descriptor as well.
//!
//! Long memory is written more than once. Its maker, and no copy of that by fork, still has it mapped as it was before
//! it was sealed, but may do nothing there until everybody is done with it, whom a [lease](super::lease) tells. Then it
//! is filled again ([`kept`](super::kept)).

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, OFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};

use super::kept;
use super::lease::Lender;
use super::nameless;
use super::origin::Origin;

/// Nobody can take the bytes away.
const LENGTH: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

/// Shorter memory is got from the kernel anew each time, which is quick then.
const LONG: usize = 1 << 20;

/// Memory that is being filled.
pub(crate) enum Unsealed {
    Short { mapping: Mapping, file: OwnedFd },
    Long(Lendable),
}

/// Memory that is as it will be for as long as anybody has it.
///
/// The order of the fields is that in which they are dropped: memory is kept when nothing of this is left.
pub(crate) struct Sealed {
    mapping: Mapping,
    /// What is sent to others, and what is mapped.
    file: OwnedFd,
    /// Set if this process has made it, and can write there again.
    _own: Option<Own>,
}

/// Memory of this process, which is kept when this is dropped.
struct Own(Option<Lendable>);

/// Memory that this process has made, and can write when nobody else has it.
pub(crate) struct Lendable {
    mapping: Mapping,
    file: Lender,
}

impl Unsealed {
    /// So many bytes, at least one; all of them zero.
    pub(crate) fn zeroed(length: usize) -> io::Result<Unsealed> {
        let (mut memory, is_used) = Unsealed::any(length)?;
        if is_used {
            memory.fill(0);
        }
        Ok(memory)
    }

    /// A copy of these bytes, of which there is at least one.
    pub(crate) fn copy(bytes: &[u8]) -> io::Result<Unsealed> {
        let (mut memory, _) = Unsealed::any(bytes.len())?;
        memory.copy_from_slice(bytes);
        Ok(memory)
    }

    /// So many bytes, and whether something else stood there before.
    fn any(length: usize) -> io::Result<(Unsealed, bool)> {
        if length >= LONG {
            return Ok(match kept::take(length) {
                Some(memory) => (memory.into_unsealed()?, true),
                None => (Unsealed::Long(Lendable::new(length)?), false),
            });
        }
        let file = nameless::create(length, MemfdFlags::ALLOW_SEALING)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // A copy by fork has the same pages, but may not use them: two processes would write there.
        let mapping = Mapping::new(file.as_fd(), length, access, MapFlags::SHARED)?.of_this_process();
        Ok((Unsealed::Short { mapping, file }, false))
    }

    /// Ends the writing.
    pub(crate) fn seal(self) -> io::Result<Sealed> {
        match self {
            Unsealed::Short { mapping, .. } if !mapping.is_here() => Err(io::ErrorKind::Unsupported.into()),
            Unsealed::Short { mapping, file } => {
                // No seal against writing where there is a mapping to write by.
                drop(mapping);
                rustix::fs::fcntl_add_seals(&file, LENGTH | SealFlags::WRITE | SealFlags::SEAL)?;
                Sealed::open(file)
            }
            Unsealed::Long(memory) => memory.seal(),
        }
    }

    /// Where it is.
    ///
    /// # Panics
    ///
    /// In a copy of the process by fork, which does not have it.
    fn mapping(&self) -> &Mapping {
        let mapping = match self {
            Unsealed::Short { mapping, .. } => mapping,
            Unsealed::Long(memory) => &memory.mapping,
        };
        assert!(
            mapping.is_here(),
            "bytes that are not frozen belong to one process, of which this is a copy"
        );
        mapping
    }
}

impl Lendable {
    /// So many bytes, at least one; all of them zero.
    pub(super) fn new(length: usize) -> io::Result<Lendable> {
        Lendable::of(Lender::new(length, MemfdFlags::ALLOW_SEALING)?, length)
    }

    /// All of a new file of this length.
    fn of(file: Lender, length: usize) -> io::Result<Lendable> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let mapping = Mapping::new(file.as_fd(), length, access, MapFlags::SHARED)?.in_no_copy()?;
        Ok(Lendable { mapping, file })
    }

    pub(super) fn len(&self) -> usize {
        self.mapping.bytes.len()
    }

    /// Whether this is the process that has made it, and no copy of that by fork.
    pub(super) fn is_ours(&self) -> bool {
        self.mapping.is_here()
    }

    /// Where leases of it come from.
    pub(super) fn file(&self) -> &Lender {
        &self.file
    }

    /// The same for writing; it has to be free.
    fn into_unsealed(self) -> io::Result<Unsealed> {
        self.mapping.allow(MprotectFlags::READ | MprotectFlags::WRITE)?;
        Ok(Unsealed::Long(self))
    }

    /// Ends the writing, until it is free again.
    pub(super) fn seal(self) -> io::Result<Sealed> {
        if !self.is_ours() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.mapping.allow(MprotectFlags::READ)?;
        let Ok(lease) = self.file.grant() else {
            // Nobody could tell when the others are done.
            return Sealed::copy(&[&Unsealed::Long(self)]);
        };
        let seals = LENGTH | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
        // By itself the kernel may have set another one, F_SEAL_EXEC.
        if !rustix::fs::fcntl_get_seals(&self.file)?.contains(seals) {
            rustix::fs::fcntl_add_seals(&self.file, seals)?;
        }
        Ok(Sealed { _own: Some(Own(Some(self))), ..Sealed::open(lease)? })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(memory) = self.0.take() {
            kept::keep(memory);
        }
    }
}

impl Sealed {
    /// A copy of these bytes, one part after the other; at least one byte. The kernel fills the pages as it gets
    /// them, which takes less than to write into a mapping.
    pub(crate) fn copy(parts: &[&[u8]]) -> io::Result<Sealed> {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut file = File::from(nameless::create(length, MemfdFlags::ALLOW_SEALING)?);
        // Mapped first: where there is no room for that, no memory is taken.
        let mapping = Mapping::new(file.as_fd(), length, ProtFlags::READ, MapFlags::PRIVATE)?;
        for part in parts {
            file.write_all(part)?;
        }
        rustix::fs::fcntl_add_seals(&file, LENGTH | SealFlags::WRITE | SealFlags::SEAL)?;
        Ok(Sealed { mapping, file: file.into(), _own: None })
    }

    /// Whether it is memory that nobody can change, at least as long as there is this descriptor of it: of what its maker
    /// can write again, that has to be a lease, which is for reading.
    pub(crate) fn is_sealed(file: BorrowedFd<'_>) -> bool {
        let Ok(seals) = rustix::fs::fcntl_get_seals(file) else { return false };
        let is_lease =
            || rustix::fs::fcntl_getfl(file).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY);
        seals.contains(LENGTH | SealFlags::WRITE)
            || seals.contains(LENGTH | SealFlags::FUTURE_WRITE) && is_lease()
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
        Ok(Sealed { mapping, file, _own: None })
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
        // lives as long as `self`, a file without a name is initialised, and nobody else has it: it is new, or
        // free, and then nobody can map it for writing. A copy of this process by fork that has it does not come here.
        unsafe { self.mapping().bytes.as_ref() }
    }
}

impl DerefMut for Unsealed {
    fn deref_mut(&mut self) -> &mut [u8] {
        let mut bytes = self.mapping().bytes;
        // SAFETY: as in `deref`, and `self` is borrowed for this reference alone. A seal takes the right to write away,
        // and `self` with it.
        unsafe { bytes.as_mut() }
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: a reference asks for valid, initialised memory that nobody writes while it lives. The mapping lives
        // as long as `self`. The seals, which were looked at, keep everyone from making the file shorter and from
        // mapping it for writing. If it is a lease, one process may have it mapped since before it was sealed: its
        // maker, and no copy of that (`in_no_copy`), which writes there only when all leases are gone, also those that
        // are only mapped, as here (`kept::take`).
        unsafe { self.mapping.bytes.as_ref() }
    }
}

/// Unmapped when dropped.
pub(crate) struct Mapping {
    bytes: NonNull<[u8]>,
    /// The one process that may use it, if copies of that by fork may not.
    only: Option<Origin>,
    /// Whether copies of the process by fork have it, whether they may use it or not.
    is_in_copies: bool,
}

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
        Ok(Mapping { bytes: NonNull::slice_from_raw_parts(start, length), only: None, is_in_copies: true })
    }

    /// The same, which copies of the process by fork may not use.
    fn of_this_process(mut self) -> Mapping {
        self.only = Some(Origin::here());
        self
    }

    /// The same, which copies of the process by fork will not have.
    fn in_no_copy(mut self) -> io::Result<Mapping> {
        let start = self.bytes.as_ptr().cast();
        // SAFETY: `madvise` asks for mapped memory that bears the advice: nobody else has this, and `is_here` keeps copies
        // of the process from using it.
        unsafe { rustix::mm::madvise(start, self.bytes.len(), Advice::LinuxDontFork) }?;
        self.is_in_copies = false;
        Ok(self.of_this_process())
    }

    fn is_here(&self) -> bool {
        self.only.is_none_or(Origin::is_here)
    }

    /// Allows this access from now on and no other.
    fn allow(&self, access: MprotectFlags) -> io::Result<()> {
        // SAFETY: `mprotect` asks that nobody relies on the access that is taken away. References into it borrow from
        // an `Unsealed`, which is made after writing is allowed and is gone before it is not.
        Ok(unsafe { rustix::mm::mprotect(self.bytes.as_ptr().cast(), self.bytes.len(), access) }?)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.is_in_copies || self.is_here() {
            // SAFETY: `munmap` asks that the mapping is there and that nothing uses it any more: it is here, or in copies
            // as well, and every reference into it borrows from whoever holds `self`. A failure would only leave it mapped.
            let _ = unsafe { rustix::mm::munmap(self.bytes.as_ptr().cast(), self.bytes.len()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_in_place_and_written_by_nobody() {
        let mut memory = Unsealed::zeroed(10_000).unwrap();
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
        let is_refused = |file: BorrowedFd<'_>| Sealed::open(file.try_clone_to_owned().unwrap()).is_err();
        let Unsealed::Short { file, .. } = Unsealed::zeroed(100).unwrap() else { panic!("it is short") };
        assert!(is_refused(file.as_fd()));
        assert!(is_refused(tempfile::tempfile().unwrap().as_fd()));
        let memory = Lendable::new(100).unwrap();
        assert!(is_refused(memory.file.as_fd()));
        let mut sealed = memory.seal().unwrap();
        assert!(!is_refused(sealed.as_fd()));
        // Only a lease keeps its maker from writing.
        let Own(memory) = sealed._own.as_mut().unwrap();
        assert!(is_refused(memory.as_ref().unwrap().file.as_fd()));
    }

    #[test]
    fn memory_that_cannot_be_run_is_sealed_as_well() {
        // As the kernel makes it where no memory is to be run, if it knows that (Linux 6.3).
        let Ok(file) = Lender::new(10_000, MemfdFlags::NOEXEC_SEAL) else { return };
        let sealed = Lendable::of(file, 10_000).unwrap().seal().unwrap();
        assert!(rustix::fs::fcntl_get_seals(&sealed).unwrap().contains(SealFlags::EXEC));
    }

    #[test]
    fn memory_can_be_filled_again_when_it_is_free() {
        let mut unsealed = Unsealed::Long(Lendable::new(10_000).unwrap());
        for round in 1..4 {
            unsealed.fill(round);
            let mut sealed = unsealed.seal().unwrap();
            assert!(sealed.iter().all(|byte| *byte == round));
            let memory = sealed._own.take().unwrap().0.take().unwrap();
            assert!(!memory.file.is_free());
            let access = ProtFlags::READ | ProtFlags::WRITE;
            assert!(Mapping::new(sealed.as_fd(), 10_000, access, MapFlags::SHARED).is_err());
            assert!(rustix::io::pwrite(&memory.file, &[1], 0).is_err());
            // The mapping alone holds the lease.
            let Sealed { mapping, file, .. } = sealed;
            drop(file);
            assert!(!memory.file.is_free());
            drop(mapping);
            assert!(memory.file.is_free());
            unsealed = memory.into_unsealed().unwrap();
        }
    }
}
