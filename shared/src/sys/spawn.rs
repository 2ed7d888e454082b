//! Starting this very program once more, by `posix_spawn`(3).
//!
//! `posix_spawn` shares the parent's memory with the child until the exec, so its cost does not grow with the
//! parent, and nothing of ours runs between fork and exec.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use rustix::process::Pid;

use super::environment;
use super::signals::SignalSet;

/// The running program's own file, also after it was replaced or deleted on disk.
const PROGRAM: &CStr = c"/proc/self/exe";

/// What the new process is to have.
pub(crate) struct Setup<'a> {
    pub(crate) arguments: &'a [CString],
    /// `NAME=value` and a zero byte for each variable.
    pub(crate) environment: &'a [u8],
    /// Where it begins, if not where this process is.
    pub(crate) folder: Option<&'a CStr>,
    /// Its standard input, output and errors. Without one the input is empty, and the others are this process's.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
    /// Descriptors that it gets under the numbers that they have here.
    pub(crate) inherited: &'a [BorrowedFd<'a>],
    /// Those that it does not get though they are not closed on exec.
    pub(crate) withheld: &'a [RawFd],
    /// Whether it begins a process group.
    pub(crate) own_group: bool,
    /// Whether Ctrl-C waits until it says what that is to do.
    pub(crate) blocks_interrupt: bool,
}

/// Starts this program again.
///
/// Of the descriptors, the child gets those that are to be inherited, and whatever else is not closed on exec
/// and not withheld. Its signal mask is empty, but for SIGINT if that is to wait. SIGPIPE and SIGCHLD are at their
/// defaults, since a Rust program relies on that; other ignored signals stay ignored, so that `nohup` holds
/// for a child as well.
pub(crate) fn spawn_again(setup: &Setup<'_>) -> io::Result<Pid> {
    let mut actions = FileActions::new()?;
    if setup.streams[0].is_none() {
        actions.empty_standard_input()?;
    }
    for (number, stream) in (0..).zip(setup.streams) {
        if let Some(stream) = stream {
            actions.duplicate(stream, number)?;
        }
    }
    for number in setup.withheld {
        actions.close(*number)?;
    }
    for descriptor in setup.inherited {
        actions.keep_open(*descriptor)?;
    }
    if let Some(folder) = setup.folder {
        actions.change_folder(folder)?;
    }
    let mut attributes = Attributes::new()?;
    attributes.set(setup.own_group, setup.blocks_interrupt)?;
    let arguments = setup.arguments.iter().map(|argument| argument.as_ptr());
    let arguments: Vec<_> = arguments.chain([ptr::null()]).collect();
    let environment = environment::pointers(setup.environment);
    let mut pid = 0;
    // SAFETY: `posix_spawn` asks for a path, initialised actions and attributes, and arrays of strings that
    // end with null, all alive during the call. It copies what it needs before it returns.
    let code = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            PROGRAM.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            arguments.as_ptr().cast(),
            environment.as_ptr().cast(),
        )
    };
    check(code)?;
    Pid::from_raw(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

fn check(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

/// What the child does to its descriptors before the exec.
struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> io::Result<FileActions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: `posix_spawn_file_actions_init` asks for a pointer that it may write through, which this
        // is.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: `assume_init` asks for an initialised value, which the call above has made, as its result
        // says.
        Ok(FileActions(unsafe { actions.assume_init() }))
    }

    fn empty_standard_input(&mut self) -> io::Result<()> {
        let path = c"/dev/null";
        // SAFETY: `posix_spawn_file_actions_addopen` asks for initialised actions and a path, which it
        // copies.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(
                &raw mut self.0,
                libc::STDIN_FILENO,
                path.as_ptr(),
                libc::O_RDONLY,
                0,
            )
        })
    }

    /// The child's descriptor of that number is a duplicate of this one.
    fn duplicate(&mut self, descriptor: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
        let original = descriptor.as_raw_fd();
        // SAFETY: `posix_spawn_file_actions_adddup2` asks for initialised actions; it only records the
        // numbers.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, original, number) })
    }

    fn change_folder(&mut self, folder: &CStr) -> io::Result<()> {
        // SAFETY: `posix_spawn_file_actions_addchdir_np` asks for initialised actions and a path, which it copies.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&raw mut self.0, folder.as_ptr()) })
    }

    /// Duplicating a descriptor onto its own number means, here alone, to clear its close-on-exec flag in the
    /// child (POSIX.1-2024; glibc 2.29). In the parent the flag stays, so that no other start can leak it.
    fn keep_open(&mut self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        self.duplicate(descriptor, descriptor.as_raw_fd())
    }

    /// A number that is not open is passed over.
    fn close(&mut self, number: RawFd) -> io::Result<()> {
        // SAFETY: `posix_spawn_file_actions_addclose` asks for initialised actions; it only records the
        // number, and the child's descriptors are its own to close.
        check(unsafe { libc::posix_spawn_file_actions_addclose(&raw mut self.0, number) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: `posix_spawn_file_actions_destroy` asks for initialised actions that are not used again.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// How the child is to be set up apart from its descriptors.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: `posix_spawnattr_init` asks for a pointer that it may write through, which this is.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: `assume_init` asks for an initialised value, which the call above has made, as its result
        // says.
        Ok(Attributes(unsafe { attributes.assume_init() }))
    }

    /// The signal mask, signals at their defaults, and the process group.
    fn set(&mut self, own_group: bool, blocks_interrupt: bool) -> io::Result<()> {
        let none = SignalSet::empty();
        let blocked = if blocks_interrupt { none.with(libc::SIGINT) } else { none };
        let defaults = SignalSet::empty().with(libc::SIGPIPE).with(libc::SIGCHLD);
        // SAFETY: `posix_spawnattr_setsigmask` asks for initialised attributes and a set, which it copies.
        check(unsafe { libc::posix_spawnattr_setsigmask(&raw mut self.0, blocked.as_ptr()) })?;
        // SAFETY: `posix_spawnattr_setsigdefault` asks for initialised attributes and a set, which it copies.
        check(unsafe { libc::posix_spawnattr_setsigdefault(&raw mut self.0, defaults.as_ptr()) })?;
        // The group is 0 unless it is set: one of the process's own. The flag alone decides.
        let group = if own_group { libc::POSIX_SPAWN_SETPGROUP } else { 0 };
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | group;
        let flags = flags as libc::c_short;
        // SAFETY: `posix_spawnattr_setflags` asks for initialised attributes and known flags.
        check(unsafe { libc::posix_spawnattr_setflags(&raw mut self.0, flags) })
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: `posix_spawnattr_destroy` asks for initialised attributes that are not used again.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
