//! What the tests have in common: events between processes, and waiting for the end of a process that is no
//! child.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use multiprocessing::{Builder, Error, ExitStatus, Pool, Process, StartMethod, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longer than anything takes on a busy machine: a test that waits so long has failed.
pub(crate) const FOREVER: Duration = Duration::from_secs(120);

/// How children can be started.
pub(crate) const METHODS: [StartMethod; 2] = [StartMethod::Spawn, StartMethod::ForkServer];

/// Calls the function for each method, side by side. The name of the thread that panics says which it was.
pub(crate) fn by_each_method(test: impl Fn(StartMethod) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        for method in METHODS {
            let thread = std::thread::Builder::new().name(format!("{method:?}"));
            thread.spawn_scoped(scope, move || test(method)).unwrap();
        }
    });
}

/// Calls the function for each method in a process of its own, which has no children yet.
pub(crate) fn alone(test: impl Fn(StartMethod) + Copy + 'static) {
    for (index, method) in METHODS.iter().enumerate() {
        println!("{method:?}");
        spawn(move |index: usize| test(METHODS[index]), index).unwrap().join().unwrap();
    }
}

/// Which of [`METHODS`] it is, for a child that captures nothing.
pub(crate) fn index_of(method: StartMethod) -> usize {
    METHODS.iter().position(|other| *other == method).unwrap()
}

/// A process that is started in this way.
pub(crate) fn start<A, R>(method: StartMethod, f: impl Fn(A) -> R + Copy + 'static, arg: A) -> Process<R>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    try_start(method, f, arg).unwrap()
}

pub(crate) fn try_start<A, R>(
    method: StartMethod,
    f: impl Fn(A) -> R + Copy + 'static,
    arg: A,
) -> Result<Process<R>, Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    Builder::new().start_method(method).spawn(f, arg)
}

pub(crate) fn double(x: u64) -> u64 {
    2 * x
}

/// A pool of so many workers that are started in this way.
pub(crate) fn start_pool(method: StartMethod, processes: usize) -> Pool {
    Pool::builder().start_method(method).processes(processes).build().unwrap()
}

/// Two named pipes in a folder of their own, by which processes of a test tell each other that something has
/// happened.
///
/// The test keeps both open, so what is written stays until someone reads it.
pub(crate) struct Events {
    folder: tempfile::TempDir,
    said: File,
    released: File,
}

impl Events {
    pub(crate) fn new() -> Events {
        let folder = tempfile::tempdir().unwrap();
        let [said, released] = ["said", "released"].map(|name| {
            let path = folder.path().join(name);
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
            open(&path)
        });
        Events { folder, said, released }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Waits until so many processes have said their numbers.
    pub(crate) fn pids(&self, count: usize) -> Vec<u32> {
        let read = |_| {
            let mut pid = [0; 4];
            (&self.said).read_exact(&mut pid).unwrap();
            u32::from_le_bytes(pid)
        };
        (0..count).map(read).collect()
    }

    /// Lets one process go on that waits in [`wait_for_release`], now or later.
    pub(crate) fn release(&self) {
        (&self.released).write_all(&[0]).unwrap();
    }
}

/// Opens a named pipe without waiting for the other side.
fn open(pipe: &Path) -> File {
    File::options().read(true).write(true).open(pipe).unwrap()
}

/// Says the number of this process.
pub(crate) fn say_pid(events: &Path) {
    open(&events.join("said")).write_all(&std::process::id().to_le_bytes()).unwrap();
}

/// Waits until the test calls [`Events::release`], or another process [`release`].
pub(crate) fn wait_for_release(events: &Path) {
    open(&events.join("released")).read_exact(&mut [0]).unwrap();
}

/// Lets one process go on that waits in [`wait_for_release`].
pub(crate) fn release(events: &Path) {
    open(&events.join("released")).write_all(&[0]).unwrap();
}

/// Waits until this thread of the process sleeps that waits for a result: on the channels if it drives the pool, or
/// else on its own queue.
pub(crate) fn wait_until_asleep(thread: Pid) {
    let call = format!("/proc/self/task/{}/syscall", thread.as_raw_nonzero());
    let asleep = [libc::SYS_ppoll, libc::SYS_futex].map(|number| format!("{number} "));
    let is_in = |call: String| asleep.iter().any(|asleep| call.starts_with(asleep));
    while !is_in(std::fs::read_to_string(&call).unwrap()) {
        std::thread::yield_now();
    }
}

/// The numbers of all processes whose parent is this one: children, and what makes and awaits them.
pub(crate) fn all_children() -> BTreeSet<u32> {
    let of_this_process = |pid: &u32| parent_of(*pid) == Some(std::process::id());
    let folders = std::fs::read_dir("/proc").unwrap();
    let pids = folders.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(of_this_process).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(1)?.parse().ok()
}

/// Says the numbers of all children of this process into a file, and then that this is done.
pub(crate) fn say_children(events: &Path) {
    let children: Vec<String> = all_children().iter().map(u32::to_string).collect();
    std::fs::write(events.join("children"), children.join(" ")).unwrap();
    say_pid(events);
}

/// The processes told by [`say_children`], when so many others have said that they are there.
pub(crate) fn said_children(events: &Events, others: usize) -> Vec<Watched> {
    events.pids(others + 1);
    let children = std::fs::read_to_string(events.path().join("children")).unwrap();
    children.split(' ').filter_map(|pid| Watched::find(pid.parse().unwrap())).collect()
}

/// Waits for ever.
pub(crate) fn wait_for_death() -> ! {
    loop {
        std::thread::park();
    }
}

/// Ends this process by a signal that nothing can catch.
pub(crate) fn kill_self() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), Signal::KILL).unwrap();
    wait_for_death()
}

/// The numbers of this process's descriptors.
pub(crate) fn descriptors() -> Vec<RawFd> {
    let names = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().file_name());
    let mut numbers: Vec<RawFd> = names.map(|name| name.to_str().unwrap().parse().unwrap()).collect();
    // The one by which they were read is closed by now.
    numbers.retain(|number| std::fs::exists(format!("/proc/self/fd/{number}")).unwrap());
    numbers
}

/// How many descriptors of memory a process has.
pub(crate) fn memories(pid: u32) -> usize {
    let descriptors = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).unwrap();
    let targets = descriptors.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.filter(|target| target.to_string_lossy().contains("memfd:")).count()
}

/// Calls itself until there is no stack left.
pub(crate) fn overflow_stack() {
    fn deeper(depth: u64) -> u64 {
        if depth == u64::MAX { 0 } else { deeper(std::hint::black_box(depth) + 1) + 1 }
    }
    std::hint::black_box(deeper(0));
}

/// Panics, and once more meanwhile.
pub(crate) fn panic_twice() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("while panicking");
        }
    }
    let _panics = PanicsWhenDropped;
    panic!("the first one");
}

/// A process that is to be watched, whoever its parent is.
pub(crate) struct Watched(OwnedFd);

impl Watched {
    pub(crate) fn new(pid: u32) -> Watched {
        Watched::find(pid).unwrap()
    }

    /// A process that may have ended, and been reaped, by now.
    pub(crate) fn find(pid: u32) -> Option<Watched> {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok().map(Watched)
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends a signal; to a process that has ended, nothing.
    pub(crate) fn signal(&self, signal: Signal) {
        let sent = rustix::process::pidfd_send_signal(&self.0, signal);
        assert!(matches!(sent, Ok(()) | Err(rustix::io::Errno::SRCH)));
    }

    /// Whether the process has not ended yet.
    pub(crate) fn is_alive(&self) -> bool {
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&Timespec::default())).unwrap() == 0
    }

    /// Whether the process ends before the test has waited too long.
    pub(crate) fn ends(&self) -> bool {
        let timeout = Timespec::try_from(FOREVER).unwrap();
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)).unwrap() == 1
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Writes nothing and cannot be read either, as its value says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stubborn {
    Unwritable,
    Unreadable,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Stubborn::Unwritable => Err(serde::ser::Error::custom("not to be written")),
            Stubborn::Unreadable => serializer.serialize_u8(0),
        }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Stubborn, D::Error> {
        Err(serde::de::Error::custom("not to be read"))
    }
}

/// Whether a call has failed since its worker ended in this way.
pub(crate) fn died_of(error: &Error, expected: ExitStatus) -> bool {
    matches!(error, Error::Died { status, .. } if *status == expected)
}

/// All results but one are the doubled index, and that one is an error.
pub(crate) fn all_but_one(results: Vec<Result<u32, Error>>, failed: usize) -> Error {
    let mut error = None;
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(value as usize, 2 * index),
            Err(_) if index != failed => panic!("{index} failed as well"),
            Err(failure) => error = Some(failure),
        }
    }
    error.unwrap()
}
