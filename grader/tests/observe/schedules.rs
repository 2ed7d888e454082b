//! Schedules: a right program reaches its right end under each, and a wrong order is shown every time.

use std::time::Duration;

use grader::model::{Limits, Orders, Policy, Schedule};
use grader::runner::run_all;
use grader::schedule::Selection;

use crate::support::{assert_right_end, patient, python, question, run, run_with, schedules, texts};

pub const CHILDREN_LAST: Schedule = Schedule { policy: Policy::ChildrenLast, seed: 0 };

/// Runs a script, whose last line is `Done!`, under all schedules.
fn right(script: &str) {
    right_under(script, schedules());
}

/// The same for a script that is slow, under one schedule of each kind.
fn slowly_right(script: &str) {
    right_under(script, schedules().into_iter().take(6).collect());
}

fn right_under(script: &str, schedules: Vec<Schedule>) {
    let program = python(script);
    for schedule in schedules {
        let record = run(&program, schedule);
        assert_right_end(&record);
        assert_eq!(texts(&record).last(), Some(&"Done!"), "{schedule}: {record:?}");
    }
}

#[test]
fn pipes_both_ways() {
    right(
        "
a, b = os.pipe(), os.pipe()
if os.fork() == 0:
    for _ in range(20): os.write(b[1], os.read(a[0], 1))
    say('child'); os._exit(0)
for _ in range(20): os.write(a[1], b'x'); os.read(b[0], 1)
os.wait(); say('Done!')",
    );
}

#[test]
fn a_barrier_of_processes_that_print_on_both_sides() {
    right(
        "
here, go = os.pipe(), os.pipe()
for _ in range(3):
    if os.fork() == 0:
        say('before'); os.write(here[1], b'x'); os.read(go[0], 1); say('after'); os._exit(0)
for _ in range(3): os.read(here[0], 1)
os.write(go[1], b'xxx')
for _ in range(3): os.wait()
say('Done!')",
    );
}

#[test]
fn a_child_ends_last_under_children_last() {
    // Its last word comes before its end, and main waits for the word alone: asleep, or looking again and again. Whether
    // the child's first thread goes on to its end or has left the others alone is all the same.
    let ends =
        ["os.write(word[1], b'x'); os._exit(0)", "threading.Thread(target=last_word).start(); leave()"];
    let waits =
        ["os.read(word[0], 1)", "while not select.select([word[0]], [], [], 0)[0]: time.sleep(0.001)"];
    for (end, wait) in ends.iter().flat_map(|end| waits.map(|wait| (end, wait))) {
        let program = python(&format!(
            "
word = os.pipe()
def last_word(): time.sleep(0.01); os.write(word[1], b'x'); os._exit(0)
def leave(): ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)
if os.fork() == 0: {end}
{wait}
say('Done!')
os.wait()"
        ));
        for _ in 0..8 {
            let record = run(&program, CHILDREN_LAST);
            let (child, line) = (&record.processes[1], &record.lines[0]);
            assert!(child.ended.is_some_and(|ended| ended > line.at), "{end} {wait} {record:?}");
            assert!(child.done.is_some_and(|done| done < line.at), "{end} {wait} {record:?}");
        }
    }
}

#[test]
fn semaphores_of_multiprocessing() {
    right(
        "
import multiprocessing as m
m.set_start_method('fork')
s, t = m.Semaphore(0), m.Barrier(3)
def work(): t.wait(); s.acquire(); print('child', flush=True)
ps = [m.Process(target=work) for _ in range(2)]
for p in ps: p.start()
t.wait(); s.release(); s.release()
for p in ps: p.join()
print('Done!')",
    );
}

#[test]
fn polling_without_waiting() {
    slowly_right(
        "
child = os.fork()
if child == 0: time.sleep(0.05); say('child'); os._exit(0)
while os.waitpid(child, os.WNOHANG) == (0, 0): time.sleep(0.01)
say('Done!')",
    );
}

#[test]
fn all_orders_were_seen_only_of_what_could_be_steered() {
    let orders = |wait: &str| {
        let script = format!(
            "
children = [os.fork(), 0]
if children[0]: children[1] = os.fork()
if 0 in children: say('child'); os._exit(0)
for child in children: {wait}"
        );
        run_all(&python(&script), &question(), &Selection::exhaustive()).unwrap().orders
    };
    assert_eq!(orders("os.waitpid(child, 0)"), Orders::All);
    let polls = "
    while os.waitpid(child, os.WNOHANG) == (0, 0): time.sleep(0.01)";
    assert_eq!(orders(polls), Orders::Unsure);
}

#[test]
fn spinning_on_shared_memory() {
    slowly_right(
        "
shared = mmap.mmap(-1, 4096)
if os.fork() == 0: time.sleep(0.01); say('child'); shared[0] = 1; os._exit(0)
while shared[0] == 0: pass
os.wait(); say('Done!')",
    );
}

#[test]
fn signals_as_a_start_gun() {
    right(
        "
signal.pthread_sigmask(signal.SIG_BLOCK, [10])
children = []
for _ in range(3):
    child = os.fork()
    if child == 0: signal.sigwait([10]); say('child'); os._exit(0)
    children.append(child)
for child in children: os.kill(child, 10)
for child in children: os.waitpid(child, 0)
say('Done!')",
    );
}

#[test]
fn stopped_and_continued_by_another() {
    right(
        "
child = os.fork()
if child == 0:
    threading.Thread(target=time.sleep, args=[0.1]).start()
    os.kill(os.getpid(), 19); say('child'); time.sleep(0.1); os._exit(0)
os.waitpid(child, os.WUNTRACED); os.kill(child, 18); os.waitpid(child, 0); say('Done!')",
    );
}

#[test]
fn vfork_from_two_threads_at_once() {
    right(
        "
def start(): os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'sleep 0.05; echo child'], os.environ), 0)
threads = [threading.Thread(target=start) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
say('Done!')",
    );
}

#[test]
fn a_ticking_thread_beside_a_long_sleep_does_not_make_it_longer() {
    slowly_right(
        "
def tick():
    while True: time.sleep(0.005)
threading.Thread(target=tick, daemon=True).start()
if os.fork() == 0: time.sleep(1); say('child'); os._exit(0)
os.wait(); time.sleep(1); say('Done!'); os._exit(0)",
    );
}

#[test]
fn timeouts_that_never_come_true_where_others_are_quicker() {
    right(
        "
import subprocess
ready, go = os.pipe()
if os.fork() == 0:
    os.write(go, b'x')
    for _ in range(10): time.sleep(0.02)
    os.write(go, b'x'); os._exit(0)
os.read(ready, 1); assert select.select([ready], [], [], 5)[0]
os.wait(); say('Done!')",
    );
}

#[test]
fn a_pool_with_its_threads() {
    right(
        "
import multiprocessing as m
m.set_start_method('fork')
def square(number): return number * number
with m.Pool(3) as pool: print(pool.map(square, range(5)), flush=True)
print('Done!')",
    );
}

#[test]
fn time_in_which_somebody_was_held_is_not_the_submission_s() {
    // Main sits in a call without a rest for as long as patience lasts; its own time is far less.
    let script = python(
        "
shared = mmap.mmap(-1, 4096)
for turn in (1, 2):
    if os.fork() == 0: shared[0] = turn; os._exit(0)
    while shared[0] != turn: pass
    os.wait()
say('Done!')",
    );
    let limits = Limits { wall: Duration::from_secs(4), ..patient() };
    let record = run_with(&script, "", &limits, CHILDREN_LAST).record;
    assert_eq!(texts(&record), ["Done!"], "{record:?}");
    assert_right_end(&record);
}

#[test]
fn a_created_timer_that_ticks_and_is_deleted() {
    right(
        "
libc = ctypes.CDLL(None); timer = ctypes.c_void_p(); spans = (ctypes.c_long * 4)(0, 50_000_000, 0, 50_000_000)
signal.pthread_sigmask(0, [14]); libc.timer_create(1, None, ctypes.byref(timer))
if os.fork() == 0: time.sleep(0.2); say('child'); os._exit(0)
assert libc.timer_settime(timer, 0, spans, None) == 0
assert [signal.sigwaitinfo([14]).si_code for _ in range(3)] == [-2, -2, -2]
assert libc.timer_gettime(timer, spans) == 0 and 0 < spans[3] <= 50_000_000, list(spans)
assert libc.timer_delete(timer) == 0
signal.setitimer(signal.ITIMER_REAL, 50, 7); left = signal.getitimer(signal.ITIMER_REAL)
assert 40 < left[0] <= 50 and left[1] == 7, left
assert signal.setitimer(signal.ITIMER_REAL, 0)[1] == 7 and signal.getitimer(signal.ITIMER_REAL) == (0, 0)
os.wait(); assert not signal.sigtimedwait([14], 0.2); say('Done!')",
    );
}

/// Main says `Done!` before the child says anything, each time.
fn broken(instead_of_a_join: &str) {
    let program =
        python(&format!("if os.fork() == 0: say('child'); os._exit(0)\n{instead_of_a_join}\nsay('Done!')"));
    for _ in 0..3 {
        let record = run(&program, CHILDREN_LAST);
        assert_eq!(texts(&record), ["Done!", "child"], "{instead_of_a_join}: {record:?}");
    }
}

#[test]
fn no_join_or_something_in_its_place_is_shown_every_time() {
    for instead in [
        "",
        "time.sleep(0.005)",
        "time.sleep(0.1)",
        "time.sleep(3)",
        "time.sleep(30)",
        "for _ in range(20): time.sleep(0.01)",
        "end = time.monotonic() + 0.2\nwhile time.monotonic() < end: time.sleep(0.01)",
        "select.select([], [], [], 0.5)",
        "threading.Event().wait(0.5)",
        "signal.sigtimedwait([10], 2)",
        "import multiprocessing.connection as c; c.wait([os.pipe()[0]], 0.1)",
        "sum(range(3_000_000))",
        "end = time.monotonic() + 0.5\nwhile time.monotonic() < end: pass",
        "end = time.perf_counter() + 5\nwhile time.perf_counter() < end: pass",
        "end = time.time() + 4\nwhile time.time() < end: time.sleep(0.01)",
        "import multiprocessing.connection as c; c.wait([os.pipe()[0]], 5)",
        "l = threading.Lock(); l.acquire(); l.acquire(timeout=4)",
        "signal.signal(14, lambda *_: None); signal.alarm(2); signal.pause()",
        "signal.pthread_sigmask(0, [14]); signal.setitimer(signal.ITIMER_REAL, 3, 3); signal.sigwait([14])",
        "
libc = ctypes.CDLL(None); timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 3, 0), None); os.read(timer, 8)",
        "
libc = ctypes.CDLL(None); timer = libc.timerfd_create(1, 0); end = int(time.monotonic()) + 4; time.sleep(1)
libc.timerfd_settime(timer, 1, (ctypes.c_long * 4)(0, 0, end, 0), None); os.read(timer, 8)",
        "
signal.signal(14, lambda *_: None); libc = ctypes.CDLL(None); timer = ctypes.c_void_p()
libc.timer_create(1, None, ctypes.byref(timer))
libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 3, 0), None); signal.pause()",
    ] {
        broken(instead);
    }
}

#[test]
fn computing_in_place_of_a_join_is_shown_however_long_it_lasts() {
    let program = python(
        "
import resource
if os.fork() == 0: say('child'); os._exit(0)
while resource.getrusage(resource.RUSAGE_SELF).ru_utime < 2.5: sum(range(2_000_000))
say('Done!')",
    );
    let record = run(&program, CHILDREN_LAST);
    assert_eq!(texts(&record), ["Done!", "child"], "{record:?}");
}
