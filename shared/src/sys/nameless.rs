//! Files without a name: memory that has a descriptor (memfd_create(2)).

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// A file of this length, all of it zero. It is closed on exec.
pub(crate) fn create(length: usize, flags: MemfdFlags) -> io::Result<OwnedFd> {
    let create = |more| rustix::fs::memfd_create("multiprocessing", MemfdFlags::CLOEXEC | flags | more);
    let file = match create(MemfdFlags::empty()) {
        // The kernel is set to refuse files that could be run: "memfd_noexec", proc_sys_vm(5). Before Linux 6.3 it knows
        // neither this nor the flag.
        Err(Errno::ACCESS) => create(MemfdFlags::NOEXEC_SEAL)?,
        created => created?,
    };
    set_length(&file, length)?;
    Ok(file)
}

/// Gives the file this length; nothing is to be written beyond it.
///
/// The limit on the size of files counts for these too, and the kernel ends a process that goes beyond (SIGXFSZ,
/// setrlimit(2)). Here that is an error.
pub(crate) fn set_length(file: impl AsFd, length: usize) -> io::Result<()> {
    let length = length as u64;
    if getrlimit(Resource::Fsize).current.is_some_and(|most| length > most) {
        return Err(Errno::FBIG.into());
    }
    Ok(rustix::fs::ftruncate(file, length)?)
}
