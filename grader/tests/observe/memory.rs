//! Memory that processes share: races in it are seen, and whoever shares memory rightly reaches the right end.

use std::time::Duration;

use grader::model::{Ending, Limits, Policy, Schedule};
use grader::observe::Sharing;

use crate::support::{assert_right_end, patient, python, run, run_with, signal, statuses, texts};

fn memory(seed: u64) -> Schedule {
    Schedule { policy: Policy::Memory, seed }
}

/// Shared memory without a file, and words in it.
const SHARED: &str = "
shared = mmap.mmap(-1, 8192)
words = (ctypes.c_long * 16).from_buffer(shared)
";

/// Runs a script under some seeds; its last line is `Done!`.
fn right(script: &str) {
    let program = python(&format!("{SHARED}{script}"));
    for seed in 1..=12 {
        let record = run(&program, memory(seed));
        assert_right_end(&record);
        assert_eq!(texts(&record).last(), Some(&"Done!"), "{seed}: {record:?}");
    }
}

#[test]
fn an_update_is_lost_where_nobody_locks() {
    let program = python(&format!(
        "{SHARED}
for _ in range(3):
    if os.fork() == 0:
        for _ in range(5): words[0] += 1
        os._exit(0)
for _ in range(3): os.wait()
say(str(words[0]))"
    ));
    for seed in 1..=8 {
        let counts: Vec<i64> = (0..3)
            .map(|_| {
                let record = run(&program, memory(seed));
                assert_right_end(&record);
                texts(&record)[0].parse().unwrap()
            })
            .collect();
        assert!(counts[0] < 15, "{seed}: {counts:?}");
        assert!(counts.windows(2).all(|two| two[0] == two[1]), "{seed}: {counts:?}");
    }
}

#[test]
fn a_lock_in_a_file_keeps_every_update() {
    right(
        "
import fcntl
lock = os.memfd_create('lock')
for _ in range(3):
    if os.fork() == 0:
        own = os.open(f'/proc/self/fd/{lock}', os.O_RDWR)
        for _ in range(5):
            fcntl.flock(own, fcntl.LOCK_EX); words[0] += 1; fcntl.flock(own, fcntl.LOCK_UN)
        os._exit(0)
for _ in range(3): os.wait()
assert words[0] == 15, words[0]
say('Done!')",
    );
}

#[test]
fn a_semaphore_in_the_memory_itself_keeps_every_update() {
    right(
        "
libc = ctypes.CDLL(None, use_errno=True)
semaphore = ctypes.byref(words, 64)
libc.sem_init(semaphore, 1, 1)
for _ in range(3):
    if os.fork() == 0:
        for _ in range(5):
            while libc.sem_wait(semaphore): pass
            words[0] += 1
            libc.sem_post(semaphore)
        os._exit(0)
for _ in range(3): os.wait()
assert words[0] == 15, words[0]
say('Done!')",
    );
}

#[test]
fn whoever_looks_at_a_flag_again_and_again_sees_it() {
    right(
        "
if os.fork() == 0:
    while words[0] == 0: pass
    words[1] = 7; os._exit(0)
words[0] = 1
while words[1] == 0: time.sleep(0.001)
os.wait(); say('Done!')",
    );
}

#[test]
fn calls_reach_into_the_memory_as_ever() {
    right(
        "
import array, socket
a, b = socket.socketpair()
view = memoryview(shared)
if os.fork() == 0:
    words[0] += 1
    a.recv_into(view[4096:4100]); os.readv(a.fileno(), [view[4100:4102], view[4102:4104]])
    a.sendmsg([view[4096:4104]]); words[0] += 1
    os._exit(0)
words[0] += 1
b.sendall(b'abcdefgh')
buffers = [view[5000:5004], view[5004:5008]]
assert b.recvmsg_into(buffers, 0, socket.MSG_WAITALL)[0] == 8
assert shared[5000:5008] == b'abcdefgh' == shared[4096:4104]
os.wait()
shared[0:6] = b'Done!\\n'
os.write(1, view[0:6])",
    );
}

#[test]
fn arguments_that_are_no_addresses_lead_nowhere() {
    right(
        "
if os.fork() == 0:
    words[0] = 1
    with open('/etc/passwd', 'rb') as file: file.seek(-1, os.SEEK_END)
    os._exit(0)
with open('/etc/passwd', 'rb') as file: file.seek(-1, os.SEEK_END)
os.wait(); say('Done!')",
    );
}

#[test]
fn a_call_that_waits_inside_the_memory_keeps_nobody_from_it() {
    right(
        "
a, b = os.pipe(), os.pipe()
view = memoryview(shared)
def read_there():
    os.readv(a[0], [view[4096:4097]])
if os.fork() == 0:
    reader = threading.Thread(target=read_there); reader.start()
    for _ in range(5): words[0] += 1
    os.write(b[1], b'x'); reader.join()
    assert shared[4096:4097] == b'y'
    os._exit(0)
words[1] += 1
os.read(b[0], 1); os.write(a[1], b'y')
assert os.wait()[1] == 0 and words[0] == 5
say('Done!')",
    );
}

#[test]
fn memory_may_be_moved_taken_away_and_shared_anew() {
    right(
        "
if os.fork() == 0:
    words[2] += 1
    other = mmap.mmap(-1, 4096); other[0] = 1; other.close()
    private = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); private[5] = 1
    if os.fork() == 0: words[3] += 1; os._exit(0)
    os.wait(); os._exit(0)
file = os.memfd_create('file'); os.ftruncate(file, 4096)
grown = mmap.mmap(file, 4096); grown[0] = 1
if os.fork() == 0: grown[1] = 2; words[4] += 1; os._exit(0)
grown.resize(8192); grown[5000] = 3
os.wait(), os.wait()
assert (grown[0], grown[1], grown[5000]) == (1, 2, 3) and list(words[2:5]) == [1, 1, 1]
say('Done!')",
    );
}

#[test]
fn programs_are_started_beside_it() {
    right(
        "
import subprocess
file = os.memfd_create('file'); os.ftruncate(file, 4096); own = mmap.mmap(file, 4096); own[0] = 1
if os.fork() == 0: words[0] += 1; os._exit(0)
words[1] += 1
there = 'import mmap, sys; there = mmap.mmap(int(sys.argv[1]), 4096); there[1] = there[0] + 1'
for _ in range(2): subprocess.run([sys.executable, '-S', '-c', there, str(file)], pass_fds=[file], check=True)
os.wait()
assert own[1] == 2
say('Done!')",
    );
}

#[test]
fn signals_come_as_ever_and_the_programs_own_faults_too() {
    right(
        "
hits = []
signal.signal(signal.SIGUSR1, lambda *_: hits.append(words[3]))
parent = os.getpid()
if os.fork() == 0:
    for _ in range(5): words[0] += 1; os.kill(parent, signal.SIGUSR1)
    ctypes.string_at(8)
for _ in range(5): words[1] += 1
assert os.wait()[1] == signal.SIGSEGV and hits and words[1] == 5
say('Done!')",
    );
    let program = python(&format!("{SHARED}if os.fork() == 0: words[0] = 1; ctypes.string_at(8)\nos.wait()"));
    assert_eq!(statuses(&run(&program, memory(1)))[1], signal(11));
}

#[test]
fn whoever_waits_for_its_turn_may_be_killed() {
    right(
        "
child = os.fork()
if child == 0:
    while True: words[0] += 1
while words[0] == 0: time.sleep(0.001)
os.kill(child, 9); os.wait()
say('Done!')",
    );
}

#[test]
fn much_and_many_accesses_take_no_time_limit() {
    let script = format!(
        "{SHARED}
big = mmap.mmap(-1, 1 << 22)
for child in range(2):
    if os.fork() == 0:
        big[:] = bytes([child]) * (1 << 22)
        for _ in range(20000): words[child] += 1
        os._exit(0)
os.wait(), os.wait()
assert words[0] == words[1] == 20000 and len(set(big)) <= 2
say('Done!')"
    );
    let limits = Limits { wall: Duration::from_secs(20), ..patient() };
    let record = run_with(&python(&script), "", &limits, memory(1)).record;
    assert_right_end(&record);
    assert_eq!(texts(&record), ["Done!"]);
}

#[test]
fn a_lock_that_is_taken_twice_is_a_deadlock_here_too() {
    let program = python(&format!(
        "{SHARED}
libc = ctypes.CDLL(None)
one, other = ctypes.byref(words, 32), ctypes.byref(words, 64)
libc.sem_init(one, 1, 0); libc.sem_init(other, 1, 0)
if os.fork() == 0: libc.sem_wait(one); libc.sem_post(other); os._exit(0)
libc.sem_wait(other); libc.sem_post(one); os.wait()"
    ));
    let record = run(&program, memory(1));
    assert!(matches!(record.ending, Ending::Deadlocked { .. }), "{record:?}");
}

#[test]
fn the_simplest_race_is_seen_where_all_take_turns() {
    let count = "words[0] += 1; os._exit(0)";
    // Whether a call of another kind comes before, or the memory was closed at first, is all the same.
    for before in ["", "os.writev(pipe, [b'x']); ", "libc.mprotect(page, 4096, 3); "] {
        let closed = if before.contains("mprotect") { "libc.mprotect(page, 4096, 0)" } else { "" };
        let program = python(&format!(
            "{SHARED}
libc, page = ctypes.CDLL(None), ctypes.c_void_p(ctypes.addressof(words))
pipe = os.pipe()[1]
{closed}
for _ in range(2):
    if os.fork() == 0: {before}{count}
os.wait(), os.wait()
libc.mprotect(page, 4096, 3)
say(str(words[0]))"
        ));
        let found = run_with(&program, "", &patient(), memory(1));
        assert!(found.sharing == Sharing::Memory && !found.is_disturbed);
        assert_eq!(texts(&found.record), ["1"], "{before}");
    }
}

#[test]
fn every_signal_comes_with_what_it_says() {
    right(
        "
seen = []
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
    signal.signal(number, lambda number, _: seen.append(number))
parent = os.getpid()
if os.fork() == 0: os.kill(parent, signal.SIGUSR1); os.kill(parent, signal.SIGUSR2); os._exit(0)
while len(set(seen)) < 3: words[1] += 1
os.wait()
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
child = os.fork()
if child == 0:
    words[2] += 1
    assert signal.sigwaitinfo([40]).si_pid == parent; os._exit(0)
words[2] += 1
os.kill(child, 40)
assert os.wait()[1] == 0
say('Done!')",
    );
}

#[test]
fn whoever_is_born_when_nobody_is_held_any_more_reaches_in() {
    right(
        "
for _ in range(3):
    for _ in range(2):
        if os.fork() == 0:
            for _ in range(150): words[0] += 1
            os._exit(0)
    assert (os.wait()[1], os.wait()[1]) == (0, 0)
say('Done!')",
    );
}

#[test]
fn what_a_program_closes_itself_stays_closed() {
    right(
        "
libc, page = ctypes.CDLL(None), ctypes.c_void_p(ctypes.addressof(words))
words[1] = 5
if os.fork() == 0: words[0] += 1; os._exit(0)
words[2] += 1
os.wait()
if os.fork() == 0: libc.mprotect(page, 4096, 1); assert words[1] == 5; words[3] = 1; os._exit(0)
assert os.wait()[1] == signal.SIGSEGV
if os.fork() == 0: libc.mprotect(page, 4096, 0); print(words[1])
assert os.wait()[1] == signal.SIGSEGV and words[3] == 0
say('Done!')",
    );
}

#[test]
fn arguments_lie_in_shared_memory_too() {
    right(
        "
libc = ctypes.CDLL(None, use_errno=True)
name = b'/bin/true\\0'
shared[1024:1024 + len(name)] = name
at = ctypes.addressof(words)
words[8], words[9] = at + 1024, 0
if os.fork() == 0: words[0] += 1; os._exit(0)
made = ctypes.c_int()
here, argv = ctypes.c_void_p(at + 1024), ctypes.c_void_p(at + 64)
assert libc.posix_spawn(ctypes.byref(made), here, None, None, argv, None) == 0
os.wait(), os.wait()
say('Done!')",
    );
}

/// Of what the kernel does for a program out of its sight nobody is blamed.
#[test]
fn a_run_that_may_have_been_disturbed_says_so() {
    let robust = "
lock, kind = ctypes.byref(words, 64), (ctypes.c_long * 8)()
libc.pthread_mutexattr_init(kind); libc.pthread_mutexattr_setpshared(kind, 1)
libc.pthread_mutexattr_setrobust(kind, 1); libc.pthread_mutex_init(lock, kind)
if os.fork() == 0: libc.pthread_mutex_lock(lock); os._exit(0)
while words[8] == 0: pass
libc.pthread_mutex_lock(lock); os.wait(); say('Done!')";
    let filtered = "
if os.fork() == 0: words[0] += 1; libc.prctl(22, 1, 0, 0, 0); libc.syscall(60, 0)
words[0] += 1; os.wait(); say('Done!')";
    for script in [robust, filtered] {
        let program = python(&format!("{SHARED}\nlibc = ctypes.CDLL(None)\n{script}"));
        for seed in 1..=6 {
            let run = run_with(&program, "", &patient(), memory(seed));
            assert!(run.is_disturbed || texts(&run.record) == ["Done!"], "{:?}", run.record);
        }
    }
}
