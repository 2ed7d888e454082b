//! A program that cannot go on is told from one that is slow, and why it cannot.

use grader::model::{Ending, Policy, Schedule};

use crate::schedules::CHILDREN_LAST;
use crate::support::{FREE, assert_right_end, free, patient, python, run, run_with, texts};

/// The sentences about a deadlock, found under both kinds of schedule before the time limit is near.
fn waits(script: &str) -> Vec<String> {
    let steered = Schedule { policy: Policy::ChildrenLast, seed: 0 };
    let mut found = Vec::new();
    for schedule in [FREE, steered] {
        let record = run(&python(script), schedule);
        let Ending::Deadlocked { waits } = record.ending else { panic!("{schedule}: {record:?}") };
        found = waits;
    }
    found
}

#[test]
fn two_that_wait_for_each_other_s_pipe() {
    let waits = waits(
        "
a, b = os.pipe(), os.pipe()
if os.fork() == 0: os.read(a[0], 1); os.write(b[1], b'x'); os._exit(0)
os.read(b[0], 1)",
    );
    assert_eq!(waits.len(), 2);
    assert!(waits.iter().all(|wait| wait.contains("read from a pipe that nobody writes to")), "{waits:?}");
}

#[test]
fn a_parent_that_waits_for_a_child_that_reads() {
    let waits = waits("a, b = os.pipe()\nif os.fork() == 0: os.read(a, 1)\nos.wait()");
    assert_eq!(waits[0], "Main waits for child 1 to end.");
}

#[test]
fn whoever_waits_for_a_connection_or_sleeps_for_ever() {
    let accepts = waits("a = socket.socket(socket.AF_UNIX); a.bind(''); a.listen(); a.accept()");
    assert_eq!(accepts, ["Main waits for a connection that nobody makes."]);
    let sleeps = waits("time.sleep(4e9)");
    assert_eq!(sleeps, ["Main sleeps, for longer than anybody lives."]);
}

#[test]
fn two_that_wait_for_each_other_s_socket() {
    let waits = waits(
        "
a, b = socket.socketpair()
if os.fork() == 0: a.close(); b.recv(1); b.send(b'x'); os._exit(0)
b.close(); a.recv(1)",
    );
    let expected = [
        "Main waits to read from a socket that nobody writes to (its other end is held open by child 1).",
        "Child 1 waits to read from a socket that nobody writes to (its other end is held open by main).",
    ];
    assert_eq!(waits, expected);
}

#[test]
fn whoever_polls_waits_for_an_end_or_for_word() {
    let child = "a, b = socket.socketpair()\nif (child := os.fork()) == 0: a.close(); b.recv(1)\nb.close(); p = select.poll();";
    let end = waits(&format!("{child} p.register(os.pidfd_open(child), select.POLLIN); p.poll()"));
    assert_eq!(end[0], "Main waits for child 1 to end.");
    let word = waits(&format!("{child} p.register(a, select.POLLIN); p.poll()"));
    assert_eq!(word[0], "Main waits for word from child 1.");
    let nothing = waits("a, b = os.pipe(); p = select.poll(); p.register(a, select.POLLIN); p.poll()");
    assert_eq!(nothing, ["Main waits for something to read or write that never comes."]);
}

#[test]
fn a_socket_whose_other_end_was_not_closed() {
    let waits = waits("a, b = socket.socketpair(); a.recv(1)");
    let expected =
        "Main waits to read from a socket whose other end it alone still holds open: close that end.";
    assert_eq!(waits, [expected]);
}

#[test]
fn a_socket_that_is_full() {
    let waits = waits(
        "
a, b = socket.socketpair()
if os.fork() == 0: b.close(); a.sendall(bytes(1 << 22)); os._exit(0)
a.close(); os.wait()",
    );
    assert_eq!(waits[1], "Child 1 waits to write to a socket that is full and that main does not read.");
}

#[test]
fn locks_on_files_are_told_with_who_holds_them() {
    let waits = waits(
        "
import fcntl, tempfile
files = [tempfile.NamedTemporaryFile() for _ in range(2)]; here, there = os.pipe()
def lock(index): fcntl.flock(os.open(files[index].name, os.O_RDWR), fcntl.LOCK_EX)
lock(1)
if os.fork() == 0: lock(0); os.write(there, b'x'); lock(1)
os.read(here, 1); lock(0)",
    );
    let expected = [
        "Main waits for a lock on a file that child 1 holds.",
        "Child 1 waits for a lock on a file that main holds.",
    ];
    assert_eq!(waits, expected);
}

#[test]
fn a_lock_in_shared_memory_is_told_with_who_holds_it() {
    let waits = waits(
        "
libc = ctypes.CDLL(None); shared = mmap.mmap(-1, 4096); lock = ctypes.addressof(ctypes.c_char.from_buffer(shared))
kind = ctypes.create_string_buffer(64); libc.pthread_mutexattr_init(kind); libc.pthread_mutexattr_setpshared(kind, 1)
libc.pthread_mutex_init(ctypes.c_void_p(lock), kind); libc.pthread_mutex_lock(ctypes.c_void_p(lock))
if os.fork() == 0: libc.pthread_mutex_lock(ctypes.c_void_p(lock))
os.wait()",
    );
    assert_eq!(waits, ["Main waits for child 1 to end.", "Child 1 waits for a lock that main holds."]);
}

#[test]
fn a_pipe_that_is_full() {
    let waits = waits("a, b = os.pipe()\nif os.fork() == 0: os.write(b, bytes(1 << 20))\nos.wait()");
    assert!(waits[1].starts_with("Child 1 waits to write to a pipe that is full"), "{waits:?}");
}

#[test]
fn a_lock_that_is_taken_twice() {
    let waits = waits("lock = threading.Lock(); lock.acquire(); lock.acquire()");
    assert!(waits[0].starts_with("Main waits for a lock"), "{waits:?}");
}

#[test]
fn a_signal_that_nobody_sends_and_a_stop_that_nobody_ends() {
    let waits = waits("if os.fork() == 0: os.kill(os.getpid(), 19)\nsignal.pause()");
    assert!(waits[0].starts_with("Main waits for a signal that nobody sends any more;"), "{waits:?}");
    assert_eq!(waits[1], "Child 1 is stopped by a signal, and nobody continues it.");
}

#[test]
fn a_deadlock_behind_input_that_nobody_reads() {
    let input = "x".repeat(3 << 20);
    let record = run_with(&python("a, b = os.pipe(); os.read(a, 1)"), &input, &patient(), FREE).record;
    assert!(matches!(record.ending, Ending::Deadlocked { .. }), "{record:?}");
}

#[test]
fn whoever_waits_for_time_is_not_in_a_deadlock() {
    let sleepers = [
        "signal.signal(14, lambda *_: os._exit(0)); signal.alarm(1); signal.pause()",
        "signal.signal(14, lambda *_: os._exit(0)); signal.setitimer(signal.ITIMER_REAL, 0.3); signal.pause()",
        "
libc = ctypes.CDLL(None)
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 0, 300_000_000), None)
os.read(timer, 8)",
        "time.sleep(0.3)",
        "select.select([], [], [], 0.3)",
        "threading.Event().wait(0.3)",
        "signal.sigtimedwait([10], 0.3)",
        "
libc = ctypes.CDLL(None)
name = f'/deadlocks-{os.getpid()}'.encode()
queue = libc.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None)
libc.mq_unlink(name)
end = time.time() + 0.3
end = (ctypes.c_long * 2)(int(end), int(end % 1 * 1e9))
assert libc.mq_timedreceive(queue, ctypes.create_string_buffer(8192), ctypes.c_size_t(8192), None, end) == -1",
        "
word = ctypes.c_uint(0)
waiter = (ctypes.c_ulong * 3)(0, ctypes.addressof(word), 2)
end = time.monotonic() + 0.3
end = (ctypes.c_long * 2)(int(end), int(end % 1 * 1e9))
assert ctypes.CDLL(None).syscall(449, waiter, 1, 0, end, time.CLOCK_MONOTONIC) == -1",
        "
a, b = os.pipe()
if os.fork() == 0:
    timer = ctypes.CDLL(None).timerfd_create(1, 0)
    ctypes.CDLL(None).timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 0, 300_000_000), None)
    if os.fork() == 0: os.read(timer, 8); os.write(b, b'x')
    os._exit(0)
os.read(a, 1)",
    ];
    for script in sleepers {
        assert_right_end(&free(script));
        assert_right_end(&run(&python(script), CHILDREN_LAST));
    }
    let received = free(
        "
import struct
a, b = socket.socketpair()
a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 300_000))
assert ctypes.CDLL(None).recv(a.fileno(), ctypes.create_string_buffer(1), 1, 0) == -1",
    );
    assert_right_end(&received);
}

/// What a thread says of its time lies in its own memory, where anything is once it has been woken.
#[test]
fn short_sleeps_are_no_deadlock() {
    let record = free(
        "
for _ in range(20_000): time.sleep(1e-6)
say('Done!')",
    );
    assert_right_end(&record);
    assert_eq!(texts(&record), ["Done!"]);
}
