//! What `/proc` tells of a traced thread; see proc(5).
//!
//! A thread may be gone by the time it is asked for; whatever cannot be read is then simply not known.

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Pid;
use rustix::time::ClockId;

use super::effort::Effort;
use super::sharing::Sharing;
use crate::sys::{SystemCall, TimerSignal};

/// The process that a thread belongs to and that process's parent.
pub(super) struct Family {
    pub(super) process: Pid,
    pub(super) parent: Option<Pid>,
}

/// What a thread is doing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activity {
    /// The state's letter: `R` runs, `S` sleeps, …
    pub(super) state: u8,
    /// See [`ran`]; counted before all else.
    pub(super) ran: u64,
    /// The call that it is in.
    pub(super) call: Option<SystemCall>,
}

fn file(tid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{name}", tid.as_raw_pid()))
}

/// A file of one short line, as those are that are read again and again; by the fewest calls. A program's name is
/// left out, and what stands before it.
fn line<'a>(tid: Pid, name: &str, buffer: &'a mut [u8; 1024]) -> Option<&'a str> {
    let length = fs::File::open(file(tid, name)).ok()?.read(buffer).ok()?;
    // It stands in parentheses, and any byte may be in it.
    let name_end = buffer[..length].iter().rposition(|byte| *byte == b')').map_or(0, |end| end + 1);
    std::str::from_utf8(&buffer[name_end..length]).ok()
}

fn pid(text: &str) -> Option<Pid> {
    text.trim().parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// The value of a line `name:\tvalue` of a status file.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// A file of many lines, in which a name that is no UTF-8 may stand.
fn text(tid: Pid, name: &str) -> Option<String> {
    fs::read(file(tid, name)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn family(tid: Pid) -> Option<Family> {
    let status = text(tid, "status")?;
    Some(Family { process: pid(field(&status, "Tgid")?)?, parent: field(&status, "PPid").and_then(pid) })
}

/// The file name of the program that a process runs.
pub(super) fn program(pid: Pid) -> String {
    let path = fs::read_link(file(pid, "exe")).unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is left of a process that is about to end.
pub(super) struct Remains {
    /// The most memory that it has held, in bytes.
    pub(super) peak_memory: u64,
    pub(super) parent: Option<Pid>,
}

pub(super) fn remains(pid: Pid) -> Remains {
    let status = text(pid, "status").unwrap_or_default();
    let kilobytes =
        field(&status, "VmHWM").and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok());
    Remains {
        peak_memory: kilobytes.unwrap_or(0).saturating_mul(1024),
        parent: field(&status, "PPid").and_then(self::pid),
    }
}

/// Whether a process has ended and nobody has taken note of it.
pub(super) fn is_zombie(pid: Pid) -> bool {
    state(pid).is_some_and(|(state, _)| state == b'Z')
}

/// The letter of a thread's state, and its parent.
fn state(tid: Pid) -> Option<(u8, Option<Pid>)> {
    let mut buffer = [0; 1024];
    let mut fields = line(tid, "stat", &mut buffer)?.split_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    Some((state, fields.next().and_then(pid)))
}

/// What a thread did; a process's first one has the CPU time of all of them, the others none.
pub(super) fn effort(tid: Pid, is_first: bool) -> Effort {
    let [user, system] = is_first.then(|| cpu_time(tid)).flatten().unwrap_or_default();
    Effort { starved: starved(tid), user, system }
}

/// How long a process had a CPU, in its own code and in the kernel's.
fn cpu_time(pid: Pid) -> Option<[Duration; 2]> {
    let mut buffer = [0; 1024];
    // The fields 14 and 15, in ticks; the first one behind the name is the third.
    let mut ticks =
        line(pid, "stat", &mut buffer)?.split_whitespace().skip(11).map(|field| field.parse().ok());
    let tick = Duration::from_secs(1) / u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some([tick.saturating_mul(ticks.next()??), tick.saturating_mul(ticks.next()??)])
}

/// The clock of a process's timer that was made by timer_create(2), and the signal that it sends, see proc_pid_timers(5).
///
/// None where the kernel does not tell, the timer sends none, or its clock is one of CPU time.
pub(super) fn created_timer(tid: Pid, number: i32) -> Option<(ClockId, TimerSignal)> {
    created_timer_in(&fs::read_to_string(file(tid, "timers")).ok()?, number)
}

fn created_timer_in(timers: &str, number: i32) -> Option<(ClockId, TimerSignal)> {
    let timers = format!("\n{timers}");
    let (_, entry) = timers.split_once(&format!("\nID: {number}\n"))?;
    let (signal, value) = field(entry, "signal")?.split_once('/')?;
    let (how, to) = field(entry, "notify")?.split_once('/')?;
    let clock = match field(entry, "ClockID")?.parse().ok()? {
        libc::CLOCK_REALTIME => ClockId::Realtime,
        libc::CLOCK_MONOTONIC => ClockId::Monotonic,
        libc::CLOCK_BOOTTIME => ClockId::Boottime,
        _ => return None,
    };
    let value = u64::from_str_radix(value, 16).ok()?;
    let signal = TimerSignal {
        timer: number,
        signal: signal.parse().ok()?,
        value,
        thread: to.strip_prefix("tid.").and_then(pid),
    };
    // A thread that is started for it waits for a signal; without one nobody is told.
    (how != "none").then_some((clock, signal))
}

/// Whether a process cannot learn from another one without a system call: it shares no memory and handles no signal.
pub(super) fn is_out_of_reach(pid: Pid) -> bool {
    let handles =
        || Some(handles_signals(u64::from_str_radix(field(&text(pid, "status")?, "SigCgt")?, 16).ok()?));
    handles() == Some(false) && text(pid, "maps").is_some_and(|maps| !maps.lines().any(is_shared_memory))
}

/// Whether a handler may be called for what another process does; those of Rust and Python for faults of the process
/// itself and for Ctrl-C are always there.
fn handles_signals(caught: u64) -> bool {
    let bit = |signal: i32| 1 << (signal - 1);
    caught & !(bit(libc::SIGSEGV) | bit(libc::SIGBUS) | bit(libc::SIGINT)) != 0
}

/// Whether a line of maps is memory into which others may write. Files of the system are mapped by C libraries.
fn is_shared_memory(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(1);
    words.next().is_some_and(|access| access.ends_with('s'))
        && words.nth(3).is_none_or(|path| !path.starts_with("/usr/"))
}

/// Memory that a process shares with others.
pub(super) struct Mapped {
    pub(super) range: Range<u64>,
    /// Whether the process may read and write there, or neither.
    pub(super) is_reached: bool,
}

/// Where a process has memory that it shares with others. What it may only read or only write is not told.
pub(super) fn shared_memory(pid: Pid) -> Option<Vec<Mapped>> {
    let maps = text(pid, "maps")?;
    Some(maps.lines().filter_map(shared).collect())
}

/// A line of maps that is such memory.
fn shared(line: &str) -> Option<Mapped> {
    let mut words = line.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let is_reached = match words.next()? {
        "rw-s" => true,
        "---s" => false,
        _ => return None,
    };
    let path = words.nth(3).unwrap_or_default();
    let range = u64::from_str_radix(from, 16).ok()?..u64::from_str_radix(to, 16).ok()?;
    (Sharing::by(path) != Sharing::Nothing).then_some(Mapped { range, is_reached })
}

/// Whether a thread stands still for its tracer.
pub(super) fn is_traced_stop(tid: Pid) -> bool {
    state(tid).is_some_and(|(state, _)| matches!(state, b't' | b'T'))
}

/// What a thread is doing; none if it is gone or may not be looked at.
pub(super) fn activity(tid: Pid) -> Option<Activity> {
    let ran = ran(tid)?;
    let (state, _) = state(tid)?;
    let call = match state {
        b'S' => current_call(tid),
        _ => None,
    };
    Some(Activity { state, ran, call })
}

/// Whether a thread that slept in a call when it was looked at has slept ever since.
///
/// It is off the CPU now, and then it is looked how long it has run.
pub(super) fn slept_on(tid: Pid, before: &Activity) -> bool {
    current_call(tid) == before.call && ran(tid) == Some(before.ran)
}

/// The call that a thread is in while it sleeps.
///
/// The kernel tells of it only while the thread is off the CPU and waits, so one that is about to sleep is in none, nor
/// one that was woken.
fn current_call(tid: Pid) -> Option<SystemCall> {
    call(line(tid, "syscall", &mut [0; 1024])?)
}

/// For how many nanoseconds a thread has been on a CPU, or, where the kernel does not tell that, how often it was taken
/// off one: unchanged from before one moment of sleep until after another, it has slept in between.
///
/// How often it was put onto one, as schedstat tells it as well, is no such count: on Linux 6.18 it is unchanged for some
/// threads that slept, were woken, and are in another call already.
fn ran(tid: Pid) -> Option<u64> {
    let on_a_cpu = schedstat(tid).map(|[on_a_cpu, _]| on_a_cpu).filter(|time| *time > 0);
    on_a_cpu.or_else(|| {
        let status = text(tid, "status")?;
        let count = |name| field(&status, name)?.parse::<u64>().ok();
        Some(count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?)
    })
}

/// What [`ran`] tells of a thread that has a CPU or waits for one; none for any other.
pub(super) fn ran_if_ready(tid: Pid) -> Option<u64> {
    state(tid).filter(|(state, _)| *state == b'R').and_then(|_| ran(tid))
}

/// How long a thread could have run but had no CPU, up to the last time when it got one.
pub(super) fn starved(tid: Pid) -> Duration {
    schedstat(tid).map_or(Duration::ZERO, |[_, waited]| Duration::from_nanos(waited))
}

/// Nanoseconds on a CPU, and nanoseconds waiting for one.
fn schedstat(tid: Pid) -> Option<[u64; 2]> {
    let mut buffer = [0; 1024];
    let mut numbers =
        line(tid, "schedstat", &mut buffer)?.split_whitespace().map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??])
}

/// `running`, or a number, six arguments and two pointers.
fn call(text: &str) -> Option<SystemCall> {
    let mut words = text.split_whitespace();
    let number = words.next()?.parse().ok().filter(|number| *number >= 0)?;
    let mut args = [0; 6];
    for arg in &mut args {
        *arg = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(SystemCall { number, args })
}

/// What a descriptor of a thread leads to, as in `pipe:[4711]`.
pub(super) fn descriptor(tid: Pid, number: u64) -> Option<String> {
    let target = fs::read_link(file(tid, &format!("fd/{}", in_argument(number)))).ok()?;
    target.into_os_string().into_string().ok()
}

/// The process that a pidfd of a thread stands for.
pub(super) fn pidfd_target(tid: Pid, number: u64) -> Option<Pid> {
    let info = fs::read_to_string(file(tid, &format!("fdinfo/{}", in_argument(number)))).ok()?;
    pid(field(&info, "Pid")?)
}

/// Whether a descriptor of a thread is a pidfd; files have paths, which begin in another way.
pub(super) fn is_pidfd(tid: Pid, number: u64) -> bool {
    descriptor(tid, number).is_some_and(|to| to.starts_with("anon_inode:[pidfd]") || to.starts_with("pidfd:"))
}

/// The descriptor in a call's argument: the kernel looks at the low half of the register alone.
fn in_argument(number: u64) -> i32 {
    number as i32
}

/// The descriptors of a process that lead to `target` and may be written to (or read from).
pub(super) fn holds(pid: Pid, target: &str, to_write: bool) -> bool {
    let Ok(entries) = fs::read_dir(file(pid, "fd")) else { return false };
    entries.flatten().any(|entry| {
        let is_target = fs::read_link(entry.path()).is_ok_and(|path| path.as_os_str() == target);
        is_target && {
            let info = fs::read_to_string(file(pid, "fdinfo").join(entry.file_name())).unwrap_or_default();
            // The access mode is the lowest two bits: 0 reads, 1 writes, 2 does both.
            let mode =
                field(&info, "flags").and_then(|flags| u32::from_str_radix(flags, 8).ok()).unwrap_or(2) & 3;
            mode == 2 || (mode == 1) == to_write
        }
    })
}

/// The process whose lock on a file another one waits for, see proc_locks(5).
pub(super) fn lock_in_the_way(waiting: Pid) -> Option<Pid> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    lock_before(&locks, waiting)
}

/// Whoever waits stands below the lock that it waits for, with its number and an arrow.
fn lock_before(locks: &str, waiting: Pid) -> Option<Pid> {
    let mut holder = None;
    for line in locks.lines() {
        let mut words = line.split_whitespace().skip(1).peekable();
        let waits = words.next_if_eq(&"->").is_some();
        let owner = words.nth(3).and_then(pid);
        if !waits {
            holder = owner;
        } else if owner == Some(waiting) {
            return holder;
        }
    }
    None
}

/// Bytes of a thread's memory.
pub(super) fn memory<const N: usize>(tid: Pid, address: u64) -> Option<[u8; N]> {
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; N];
    fs::File::open(file(tid, "mem")).ok()?.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

/// Overwrites a thread's memory; `None` where that is not possible.
pub(super) fn overwrite(tid: Pid, address: u64, bytes: &[u8]) -> Option<()> {
    use std::os::unix::fs::FileExt;
    let memory = fs::OpenOptions::new().write(true).open(file(tid, "mem")).ok()?;
    memory.write_all_at(bytes, address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_as_it_is() {
        let me = rustix::process::getpid();
        let family = family(me).expect("this process is there");
        assert_eq!((family.process, family.parent), (me, rustix::process::getppid()));
        assert!(!is_zombie(me));
        assert!(remains(me).peak_memory > 100_000);
        assert_eq!(remains(me).parent, rustix::process::getppid());
        assert!(ran(me).is_some_and(|ran| ran > 0));
        assert!(cpu_time(me).is_some());
        assert!(program(me).starts_with("grader"));
    }

    #[test]
    fn the_name_of_a_program_may_be_anything() {
        let seen = std::thread::spawn(|| {
            rustix::thread::set_name(c"(S) Z 7 \xff)").expect("a thread may name itself");
            let tid = rustix::thread::gettid();
            (state(tid), family(tid).expect("it is there"), remains(tid).parent)
        });
        let (state, family, parent) = seen.join().expect("it does not panic");
        assert_eq!(state, Some((b'R', rustix::process::getppid())));
        assert_eq!((family.process, parent), (rustix::process::getpid(), rustix::process::getppid()));
    }

    #[test]
    fn a_process_is_in_reach_by_shared_memory_and_by_signals() {
        let of_the_system = "7f12-7f13 r--s 00000000 fe:00 4711 /usr/lib/gconv/gconv-modules.cache";
        let lines = [
            "7f12-7f13 rw-s 00000000 00:01 4711   /dev/zero (deleted)",
            of_the_system,
            "7f12-7f13 rw-p 0 00:00 0",
        ];
        assert_eq!(lines.map(is_shared_memory), [true, false, false]);
        assert_eq!([0x440, 0x2, 0x442, 0x10442].map(handles_signals), [false, false, false, true]);
    }

    #[test]
    fn a_created_timer_is_found_by_its_number() {
        let timers = "ID: 10\nsignal: 32/00007f0a\nnotify: signal/tid.4711\nClockID: 1\n\
                      ID: 0\nsignal: 14/00000007\nnotify: signal/pid.4700\nClockID: 0\n\
                      ID: 2\nsignal: 14/00000007\nnotify: signal/pid.4700\nClockID: 2\n";
        let thread = Pid::from_raw(4711);
        let of_a_thread = TimerSignal { timer: 10, signal: 32, value: 0x7f0a, thread };
        let of_all = TimerSignal { timer: 0, signal: 14, value: 7, thread: None };
        assert_eq!(created_timer_in(timers, 10), Some((ClockId::Monotonic, of_a_thread)));
        assert_eq!(created_timer_in(timers, 0), Some((ClockId::Realtime, of_all)));
        assert_eq!([created_timer_in(timers, 2), created_timer_in(timers, 1)], [None, None]);
    }

    #[test]
    fn the_lock_in_the_way_is_the_one_above() {
        let locks = "1: FLOCK  ADVISORY  WRITE 100 08:01:17 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 200 08:01:18 0 EOF\n\
                     2: -> POSIX  ADVISORY  WRITE 201 08:01:18 0 EOF\n\
                     2:  -> POSIX  ADVISORY  READ  202 08:01:18 0 EOF\n";
        let holder = |waiting| lock_before(locks, Pid::from_raw(waiting)?).map(Pid::as_raw_pid);
        assert_eq!([201, 202, 100].map(holder), [Some(200), Some(200), None]);
    }

    #[test]
    fn a_call_is_read_with_its_arguments() {
        let call = call("61 0xffffffff 0x0 0x7 0x0 0x0 0x1 0x7ffe 0x7f12\n").expect("a call");
        assert_eq!((call.number, call.args), (61, [0xffff_ffff, 0, 7, 0, 0, 1]));
        assert_eq!(super::call("running\n"), None);
        assert_eq!(super::call("-1 0x7ffe 0x7f12\n"), None);
    }
}
