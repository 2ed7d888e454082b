//! Starting a child as the same program, started again.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Resource, Signal, WaitOptions, getrlimit};

use super::environment::{self, c_string};
use super::{Begun, Greeting, Kind, World, channel, spawner, summons};
use crate::sys::spawn::{Setup, spawn_again};
use crate::sys::{descriptor, standing};

/// Starts a child that has these files, and writes as much of the greeting as its channel takes.
pub(super) fn start(
    greeting: &Greeting<'_>,
    files: Vec<OwnedFd>,
    world: World,
    kind: Kind,
) -> io::Result<Begun> {
    let (socket, theirs) = channel()?;
    // Before the child is there, so that it finds it.
    let sent = greeting.write(&socket);
    let (pid, handle) = spawner::run(move || start_here(&theirs, &files, &world, kind))??;
    Ok(Begun { pid, handle, socket, sent })
}

/// Starts a child of the calling thread.
fn start_here(channel: &OwnedFd, files: &[OwnedFd], world: &World, kind: Kind) -> io::Result<(Pid, OwnedFd)> {
    let channel = &Lifted::new(channel.as_fd())?;
    let files = files.iter().map(|file| Lifted::new(file.as_fd())).collect::<io::Result<Vec<_>>>()?;
    let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    let summons = (summons::VARIABLE.into(), summons::write(channel.as_fd(), &files).into());
    let environment = environment::with(world.variables.iter().chain([&summons]))?;
    let arguments = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;
    let inherited: Vec<BorrowedFd<'_>> = [channel.as_fd()].into_iter().chain(files).collect();
    let withheld = if kind == Kind::Helper { open_descriptors()? } else { Vec::new() };
    let folder = world.folder.clone().map(|folder| c_string(folder.into())).transpose()?;
    let streams =
        [Lifted::stream(&world.input)?, Lifted::stream(&world.output)?, Lifted::stream(&world.errors)?];
    let pid = spawn_again(&Setup {
        folder: folder.as_deref(),
        streams: streams.each_ref().map(|stream| stream.as_ref().map(AsFd::as_fd)),
        arguments: &arguments,
        environment: &environment,
        inherited: &inherited,
        withheld: &withheld,
        // A child of the helper could not leave it for a group that has no number here.
        own_group: kind == Kind::Helper && standing::group().is_some(),
        blocks_interrupt: kind != Kind::Child,
    })?;
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => Ok((pid, handle)),
        Err(error) => {
            abandon(pid);
            Err(error.into())
        }
    }
}

/// A descriptor whose number is none of a standard stream. Where the program has closed one of these, the next descriptor
/// gets its number, which in the child is to be the stream's again.
enum Lifted<'a> {
    AsItWas(BorrowedFd<'a>),
    Above(OwnedFd),
}

impl<'a> Lifted<'a> {
    fn new(descriptor: BorrowedFd<'a>) -> io::Result<Lifted<'a>> {
        if descriptor.as_raw_fd() > libc::STDERR_FILENO {
            return Ok(Lifted::AsItWas(descriptor));
        }
        Ok(Lifted::Above(rustix::io::fcntl_dupfd_cloexec(descriptor, libc::STDERR_FILENO + 1)?))
    }

    fn stream(stream: &'a Option<Arc<OwnedFd>>) -> io::Result<Option<Lifted<'a>>> {
        stream.as_ref().map(|stream| Lifted::new(stream.as_fd())).transpose()
    }
}

impl AsFd for Lifted<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Lifted::AsItWas(descriptor) => *descriptor,
            Lifted::Above(descriptor) => descriptor.as_fd(),
        }
    }
}

/// Ends a child that cannot be watched. It was not reaped yet, so its number is still its own.
pub(super) fn abandon(pid: Pid) {
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    reap(pid);
}

/// Waits for the end of a child that nobody else knows of.
pub(super) fn reap(pid: Pid) {
    let _ = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(pid), WaitOptions::empty()));
}

/// The numbers of this process's descriptors but for the standard streams, those that close on exec, and those beyond
/// the limit on descriptors, which posix_spawn(3) refuses to close; a helper does that itself.
fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    let is_within = |number: RawFd| number > libc::STDERR_FILENO && i64::from(number).cast_unsigned() < limit;
    numbers.retain(|number| is_within(*number) && !descriptor::closes_on_exec(*number));
    Ok(numbers)
}
