//! Submissions that do what no ordinary one does, whether by mistake or not.

use std::time::{Duration, Instant};

use grader::model::{Ending, ExitStatus, Limit, Limits, Policy, Process, Schedule, Waited};

use crate::support::{
    FREE, assert_right_end, code, free, patient, python, run, run_with, schedules, signal, statuses, texts,
    written,
};

/// Runs a script under a few schedules and looks at each record.
fn each(script: &str, look: impl Fn(&grader::model::RunRecord)) {
    let program = python(script);
    for schedule in schedules().into_iter().take(6) {
        look(&run(&program, schedule));
    }
}

#[test]
fn whoever_kills_everybody_kills_its_own() {
    each(
        "
if os.fork() == 0: signal.pause()
if os.fork() == 0: os.kill(-1, 9); say('alone'); os._exit(0)
signal.pause()",
        |record| {
            assert_eq!(record.main_status(), signal(9), "{record:?}");
            assert!(record.ending == Ending::Finished && record.lines.len() <= 1, "{record:?}");
        },
    );
}

#[test]
fn neither_keeper_nor_grader_nor_anybody_else_can_be_killed() {
    let script = format!(
        "
failed = 0
for victim in (os.getppid(), {}, 1, -os.getppid()):
    try: os.kill(victim, 9)
    except PermissionError: failed += 1
try: signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)
except PermissionError: failed += 1
libc = ctypes.CDLL(None, use_errno=True)
for descriptor in (os.pidfd_open(os.getppid()) | 1 << 32, os.open(f'/proc/{{os.getppid()}}', os.O_RDONLY)):
    failed += libc.syscall(424, ctypes.c_long(descriptor), 9, None, 0) == -1
say(str(failed))",
        std::process::id()
    );
    each(&script, |record| {
        assert_right_end(record);
        assert_eq!(texts(record), ["7"]);
    });
}

#[test]
fn processes_that_kill_each_other_while_they_write() {
    each(
        "
children = []
for number in range(6):
    child = os.fork()
    if child == 0:
        while True: say('x')
    children.append(child)
for child in children: os.kill(child, 9)
for child in children: os.waitpid(child, 0)
say('Done!')",
        |record| {
            assert_right_end(record);
            assert!(statuses(record)[1..].iter().all(|status| *status == signal(9)));
            assert_eq!(texts(record).last(), Some(&"Done!"));
        },
    );
}

#[test]
fn a_child_killed_the_moment_it_is_born() {
    each(
        "
for _ in range(30):
    child = os.fork()
    if child == 0: say('lived'); os._exit(0)
    os.kill(child, 9); os.waitpid(child, 0)
say('Done!')",
        |record| {
            assert_right_end(record);
            assert_eq!(record.processes.len(), 31);
            assert!(record.processes[1..].iter().all(|child| child.parent == Some(0)));
        },
    );
}

#[test]
fn a_first_thread_that_ends_while_others_go_on() {
    each(
        "
def rest():
    time.sleep(0.05); say('thread')
    if os.fork() == 0: say('child'); os._exit(0)
    os.wait(); os._exit(4)
threading.Thread(target=rest).start()
ctypes.CDLL(None).syscall(60, 0)",
        |record| {
            assert_eq!(written(record), [("child", 1), ("thread", 0)]);
            assert_eq!(statuses(record), [code(4), code(0)]);
        },
    );
}

#[test]
fn a_thread_that_executes_a_program_while_the_first_is_writing() {
    for _ in 0..20 {
        let record = free(
            "
def other(): os.execv('/bin/sh', ['sh', '-c', 'echo end'])
threading.Thread(target=other).start()
while True: say('x' * 5000)",
        );
        assert_eq!((texts(&record).last(), record.main_status()), (Some(&"end"), code(0)));
    }
}

#[test]
fn two_thousand_short_lived_children() {
    let started = Instant::now();
    let record = free(
        "
for _ in range(2000):
    if os.fork() == 0: os._exit(0)
    os.wait()
say('Done!')",
    );
    assert_right_end(&record);
    assert_eq!(record.processes.len(), 2001);
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

#[test]
fn five_hundred_threads() {
    each(
        "
threading.stack_size(1 << 17); gate = threading.Event()
threads = [threading.Thread(target=gate.wait) for _ in range(500)]
for thread in threads: thread.start()
gate.set()
for thread in threads: thread.join()
say('Done!')",
        |record| {
            assert_right_end(record);
            assert_eq!(record.processes.len(), 1);
        },
    );
}

#[test]
fn a_signal_for_a_thread_that_was_just_made() {
    each(
        "
signal.signal(10, lambda *_: None)
for _ in range(50):
    thread = threading.Thread(target=time.sleep, args=[0.001]); thread.start()
    try: signal.pthread_kill(thread.ident, 10)
    except ProcessLookupError: pass
    thread.join()
say('Done!')",
        assert_right_end,
    );
}

#[test]
fn tracing_oneself_or_others_is_refused_and_harmless() {
    each(
        "
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0: signal.pause()
answers = [libc.ptrace(0, 0, 0, 0), libc.ptrace(16, child, 0, 0), libc.ptrace(16, os.getppid(), 0, 0)]
os.kill(child, 9); os.wait()
say(str(answers))",
        |record| assert_eq!(texts(record), ["[-1, -1, -1]"]),
    );
}

#[test]
fn ways_around_the_tracer_are_closed() {
    // clone with CLONE_UNTRACED, io_uring_setup, io_setup, clone3, seccomp.
    each(
        "
libc = ctypes.CDLL(None)
calls = [(56, 0x00800000 | 17, 0, 0, 0, 0), (425, 8, 0), (206, 8, 0), (435, 0, 0), (317, 2, 0, ctypes.byref(ctypes.c_uint(0x7fff0000)))]
say(str([libc.syscall(*call) for call in calls]))",
        |record| assert_eq!(texts(record), ["[-1, -1, -1, -1, -1]"]),
    );
}

#[test]
fn a_timer_that_goes_off_all_the_time_leaves_time_for_the_rest() {
    each(
        "
libc = ctypes.CDLL(None)
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 1, 0, 1), None)
if os.fork() == 0: os.read(timer, 8); say('child'); os._exit(0)
os.wait(); say('Done!')",
        |record| {
            assert_right_end(record);
            assert_eq!(texts(record), ["child", "Done!"]);
        },
    );
}

#[test]
fn a_sleep_without_an_end_and_a_time_that_is_none_change_no_clock() {
    each(
        "
libc = ctypes.CDLL(None, use_errno=True)
for_ever = (ctypes.c_long * 2)(2**63 - 1, 999_999_999)
sleeper = lambda: [libc.nanosleep(for_ever, None) for _ in range(4)]
for _ in range(3): threading.Thread(target=sleeper, daemon=True).start()
before = time.time()
for clock, time_of in ((0, (-1, 0, 1, 0)), (0, (0, 0, 1, 10**6))):
    assert libc.setitimer(clock, (ctypes.c_long * 4)(*time_of), None) == -1 and ctypes.get_errno() == errno.EINVAL
for _ in range(2):
    if os.fork() == 0: time.sleep(0.1); say('child'); os._exit(0)
for _ in range(2): os.wait()
say('Done!' if 0 < time.time() - before < 3600 else str(time.time()))
os._exit(0)",
        |record| {
            assert_right_end(record);
            assert_eq!(texts(record), ["child", "child", "Done!"]);
        },
    );
}

#[test]
fn a_name_that_is_no_text_leaves_threads_threads_and_children_waited_for() {
    each(
        "
assert ctypes.CDLL(None).prctl(15, b'\\xff', 0, 0, 0) == 0
barrier = threading.Barrier(3)
threads = [threading.Thread(target=lambda: (barrier.wait(), say('thread'))) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if os.fork() == 0: say('child'); os._exit(0)
os.wait()",
        |record| {
            assert_right_end(record);
            assert_eq!(written(record), [("child", 1), ("thread", 0), ("thread", 0), ("thread", 0)]);
            assert_eq!(record.processes.len(), 2);
            assert_eq!(record.processes[1].waited, Waited::Yes);
        },
    );
}

#[test]
fn the_code_that_reads_clocks_may_be_overwritten() {
    each(
        "
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
base = libc.getauxval(33)
memory = os.open('/proc/self/mem', os.O_RDWR)
for place in (32, 54, 56): os.pwrite(memory, b'\\xff' * 8, base + place)
if os.fork() == 0: say('child'); os._exit(0)
os.wait(); say('Done!')",
        |record| {
            assert_right_end(record);
            assert_eq!(texts(record), ["child", "Done!"]);
        },
    );
}

#[test]
fn a_sibling_made_by_clone_parent_is_followed() {
    each(
        "
if ctypes.CDLL(None).syscall(56, 0x8000 | 17, 0, 0, 0, 0) == 0: say('sibling'); os._exit(3)
time.sleep(0.1); say('main')",
        |record| {
            assert_eq!(written(record), [("main", 0), ("sibling", 1)]);
            assert_eq!((record.processes[1].parent, record.processes[1].status), (Some(0), code(3)));
        },
    );
}

#[test]
fn hiding_from_other_processes_hides_nothing() {
    each(
        "
assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0
if os.fork() == 0: say('child'); os._exit(0)
os.wait(); say('Done!')",
        |record| assert_eq!(written(record), [("Done!", 0), ("child", 1)]),
    );
}

#[test]
fn a_filter_of_the_submission_s_own_stays_in_force() {
    // Every getppid (110) ends the process by SIGSYS.
    each(
        "
import struct
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 110), (6, 0, 0, 0x80000000), (6, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *one) for one in code))
if os.fork() == 0:
    ctypes.CDLL(None).prctl(22, 2, struct.pack('HxxxxxxQ', len(code), ctypes.addressof(program)), 0, 0)
    say('child'); os.getppid(); say('never')
os.wait(); say('Done!')",
        |record| {
            assert_eq!(texts(record), ["child", "Done!"]);
            assert_eq!(record.processes[1].status, signal(31));
        },
    );
}

#[test]
fn sessions_groups_limits_and_closed_descriptors_change_nothing() {
    each(
        "
import resource
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setpgid(0, 0); resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4)); say('grandchild'); os._exit(0)
    os.wait(); os.dup2(1, 9); os.closerange(0, 3); os.write(9, b'child\\n')
    try: os.execv('/nowhere/at/all', ['x'])
    except OSError: os.write(9, b'no such file\\n')
    os.set_inheritable(9, True); os.execv('/bin/sh', ['x', '-c', 'echo program >&9'])
os.wait(); say('Done!')",
        |record| {
            assert_right_end(record);
            let lines = [("Done!", 0), ("child", 1), ("grandchild", 2), ("no such file", 1), ("program", 1)];
            assert_eq!(written(record), lines);
        },
    );
}

#[test]
fn too_many_processes_end_the_run() {
    let limits = Limits { processes: 10, ..patient() };
    let script = python("while True:\n    if os.fork() == 0: signal.pause()");
    for policy in [Policy::Free, Policy::ChildrenLast, Policy::ChildrenFirst] {
        let record = run_with(&script, "", &limits, Schedule { policy, seed: 0 }).record;
        assert_eq!(record.ending, Ending::LimitExceeded(Limit::Processes));
    }
    let bomb = run_with(&python("while True: os.fork()"), "", &limits, FREE).record;
    assert_eq!(bomb.ending, Ending::LimitExceeded(Limit::Processes));
}

#[test]
fn a_run_whose_time_is_over_ends_with_all_that_is_held() {
    let limits = Limits { wall: Duration::from_millis(300), ..patient() };
    let script = python(
        "
for _ in range(5):
    if os.fork() == 0:
        while True: pass
while True: say('x')",
    );
    for schedule in schedules().into_iter().take(6) {
        let started = Instant::now();
        let record = run_with(&script, "", &limits, schedule).record;
        assert!(
            matches!(record.ending, Ending::TimedOut | Ending::LimitExceeded(Limit::Output)),
            "{record:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(20), "{schedule}: {:?}", started.elapsed());
    }
}

#[test]
fn a_pool_that_replaces_what_is_killed_comes_to_an_end_without_its_children() {
    let script = python(
        "
import multiprocessing as m
m.set_start_method('fork')
with m.Pool(4) as pool: print(pool.map(abs, range(5)))",
    );
    let started = Instant::now();
    for schedule in Schedule::without_children(1) {
        let record = run(&script, schedule);
        assert_eq!(record.ending, Ending::Finished);
        assert!(texts(&record).is_empty(), "{record:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    // Nor is a shorter time limit held against it.
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let run = run_with(&script, "", &limits, Schedule::without_children(1)[0]);
    assert_eq!(run.record.ending, Ending::Finished);
}

#[test]
fn whoever_looks_again_and_again_for_missing_children_does_so_for_the_time_limit() {
    let script = python(
        "
ready, go = os.pipe()
if os.fork() == 0: os.write(go, b'x'); os._exit(0)
while not select.select([ready], [], [], 0.1)[0]: say('not yet')",
    );
    let limits = Limits { wall: Duration::from_secs(3), ..Limits::default() };
    for schedule in Schedule::without_children(1) {
        let record = run_with(&script, "", &limits, schedule).record;
        assert_eq!((&record.ending, record.main_status()), (&Ending::Finished, None));
        let looks = texts(&record).len();
        // A machine that is busy may make it wait for real at times, which comes on top.
        assert!((25..150).contains(&looks), "{looks}");
    }
}

#[test]
fn only_the_first_children_do_their_part_where_the_others_are_not_wanted() {
    let script = python(
        "
for number in range(5):
    if os.fork() == 0: say(str(number)); os._exit(0)
for _ in range(5): os.wait()
say('Done!')",
    );
    let schedules = Schedule::without_children(4);
    let [ended, standing, some] =
        schedules.iter().map(|schedule| run(&script, *schedule)).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(written(&ended), [("0", 1), ("1", 2), ("2", 3), ("Done!", 0)]);
    let killed = |process: &Process| process.status == Some(ExitStatus::Signal(9));
    assert_eq!(ended.processes.iter().filter(|process| killed(process)).count(), 2, "{ended:?}");
    // Main waits for those who stand for ever, and the run is over all the same.
    assert_eq!(written(&standing), [("0", 1), ("1", 2), ("2", 3)]);
    assert_eq!(standing.ending, Ending::Finished);
    assert_eq!(written(&some), [("0", 1), ("2", 3), ("3", 4), ("4", 5), ("Done!", 0)]);
}

#[test]
fn sixteen_runs_at_once_do_not_meet() {
    let script = python(
        "
for number in range(4):
    if os.fork() == 0: say(f'{sys.argv[0]} {number}'); os._exit(0)
for _ in range(4): os.wait()
say('Done!')",
    );
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let script = &script;
            scope.spawn(move || {
                let schedule = schedules()[thread % 7];
                let record = run(script, schedule);
                assert_right_end(&record);
                assert_eq!((record.processes.len(), record.lines.len()), (5, 5), "{record:?}");
            });
        }
    });
}
