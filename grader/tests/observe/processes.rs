//! The tree, ends, and who was waited for.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use grader::model::{Ending, Waited};

use crate::support::{
    FREE, assert_right_end, code, free, patient, program, python, run, run_with, shell, signal, statuses,
    texts, written,
};

#[test]
fn parents_and_children_are_numbered_in_order_of_birth() {
    let record = free(
        "
for child in range(2):
    if os.fork() == 0:
        if os.fork() == 0: say('grandchild'); os._exit(7)
        os.wait(); say('child'); os._exit(child)
    os.wait()
say('main')",
    );
    assert_right_end(&record);
    let parents: Vec<_> = record.processes.iter().map(|process| process.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(0), Some(3)]);
    assert_eq!(statuses(&record), [code(0), code(0), code(7), code(1), code(7)]);
    let lines = [("child", 1), ("child", 3), ("grandchild", 2), ("grandchild", 4), ("main", 0)];
    assert_eq!(written(&record), lines);
    assert!(record.processes.iter().all(|process| process.born <= process.ended.unwrap()));
}

#[test]
fn ends_by_signals_are_told_from_codes() {
    let record = free(
        "
for number in (9, 6, 11, 15):
    child = os.fork()
    if child == 0: signal.pause()
    os.kill(child, number); os.waitpid(child, 0)
if os.fork() == 0: os._exit(137)
os.wait()",
    );
    assert_right_end(&record);
    assert_eq!(statuses(&record)[1..], [signal(9), signal(6), signal(11), signal(15), code(137)]);
}

#[test]
fn every_way_to_wait_counts_and_none_does_not() {
    let waits = [
        ("os.wait()", Waited::Yes),
        ("os.waitid(os.P_PID, child, os.WEXITED)", Waited::Yes),
        ("os.waitid(os.P_PIDFD, os.pidfd_open(child), os.WEXITED)", Waited::Yes),
        ("os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)", Waited::No),
        ("threading.Thread(target=os.wait).start()", Waited::Yes),
        (
            "signal.signal(signal.SIGCHLD, lambda *_: os.wait()); os.kill(child, 15); time.sleep(30)",
            Waited::Yes,
        ),
        ("select.select([os.pidfd_open(child)], [], [])", Waited::No),
    ];
    for (wait, waited) in waits {
        let record =
            free(&format!("child = os.fork()\nif child == 0: time.sleep(0.02); os._exit(0)\n{wait}"));
        assert_right_end(&record);
        assert_eq!(record.processes[1].waited, waited, "{wait}");
    }
    let ignored = free(
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0: os._exit(0)
try: os.wait()
except ChildProcessError: pass",
    );
    assert_eq!(ignored.processes[1].waited, Waited::Yes);
}

#[test]
fn an_orphan_counts_as_waited_for_only_where_the_program_takes_it_over() {
    let script = "
ready, go = os.pipe()
if os.fork() == 0:
    if os.fork() == 0: os.close(go); os.read(ready, 1); os._exit(0)
    os._exit(0)
os.wait(); os.close(go)";
    let left = free(&format!("{script}; time.sleep(0.1)"));
    assert_eq!((left.processes[1].waited, left.processes[2].waited), (Waited::Yes, Waited::No));
    let taken = free(&format!("ctypes.CDLL(None).prctl(36, 1)\n{script}; os.wait()"));
    assert_eq!((taken.processes[1].waited, taken.processes[2].waited), (Waited::Yes, Waited::Yes));
}

#[test]
fn whoever_takes_orphans_over_may_wait_for_those_that_have_ended() {
    // The grandchild has ended before the child does, which does not wait for it.
    let script = "
ctypes.CDLL(None).prctl(36, 1)
child = os.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild == 0: os._exit(0)
    os.waitid(os.P_PID, grandchild, os.WEXITED | os.WNOWAIT); os._exit(0)
os.waitpid(child, 0)";
    let waited = |record: &grader::model::RunRecord| (record.processes[1].waited, record.processes[2].waited);
    let forgotten = free(&format!("{script}; time.sleep(0.1)"));
    assert_eq!(waited(&forgotten), (Waited::Yes, Waited::No));
    assert_eq!(waited(&free(&format!("{script}; os.wait()"))), (Waited::Yes, Waited::Yes));
}

#[test]
fn threads_are_no_processes_and_what_they_start_is_their_process_s() {
    let record = free(
        "
def start():
    child = os.fork()
    if child == 0: say('forked'); os._exit(0)
    os.waitpid(child, 0)
threads = [threading.Thread(target=start) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()",
    );
    assert_right_end(&record);
    assert_eq!((record.processes.len(), record.processes[0].threads), (9, 8));
    let children = &record.processes[1..];
    assert!(
        children.iter().all(|child| child.parent == Some(0) && child.waited == Waited::Yes),
        "{children:?}"
    );
}

#[test]
fn cpu_time_and_memory_are_each_process_s_own() {
    let record = free(
        "
if os.fork() == 0:
    held = bytearray(60_000_000)
    while time.process_time() < 0.2: pass
    os._exit(0)
os.wait()",
    );
    let [main, child] = record.processes.as_slice() else { panic!("{:?}", record.processes) };
    assert!(child.cpu >= Duration::from_millis(190) && main.cpu < Duration::from_millis(150), "{record:?}");
    assert!(child.peak_memory > 60_000_000 && main.peak_memory < 50_000_000, "{record:?}");
}

#[test]
fn a_program_executed_by_a_thread_that_is_not_the_first_goes_on_as_the_process() {
    let record = free(
        "
threading.Thread(target=lambda: os.execv('/bin/sh', ['sh', '-c', 'echo executed; exit 5'])).start()
time.sleep(30)",
    );
    assert_eq!((texts(&record), statuses(&record)), (vec!["executed"], vec![code(5)]));
    assert_eq!(record.ending, Ending::Finished);
}

#[test]
fn helpers_of_a_wrapper_script_are_none_of_the_submission() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shim");
    let helpers: String = (0..12).map(|number| format!("a{number}=$(echo {number})\n")).collect();
    let python = python("if os.fork() == 0: say('child'); os._exit(0)\nos.wait(); say('main')");
    let script = &python.args[2].to_str().unwrap().replace('\'', "'\\''");
    let body = format!("#!/bin/sh\n{helpers}exec {} -S -c '{script}'\n", python.executable.display());
    fs::write(&file, body).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    let seen = run_with(&program(file.to_str().unwrap(), &[]), "", &patient(), FREE);
    assert_right_end(&seen.record);
    assert_eq!(written(&seen.record), [("child", 1), ("main", 0)]);
    assert_eq!((seen.record.processes.len(), seen.wrappers), (2, 1));
}

#[test]
fn whatever_outlives_main_is_ended() {
    let marks = ["9876501", "9876502", "9876503"];
    let [daemon, closed, group] = marks;
    let record = free(&format!(
        "
def sleeper(mark): os.execv('/bin/sleep', ['sleep', mark])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: sleeper('{daemon}')
    os._exit(0)
if os.fork() == 0: os.closerange(0, 100); sleeper('{closed}')
if os.fork() == 0: os.setpgid(0, 0); signal.signal(15, signal.SIG_IGN); sleeper('{group}')
time.sleep(0.2)"
    ));
    assert_eq!(record.main_status(), code(0));
    assert_eq!(record.processes.iter().filter(|process| process.ended.is_none()).count(), 3);
    let entries = fs::read_dir("/proc").unwrap().flatten();
    for line in entries.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default()) {
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_left = line.starts_with("sleep\0") && marks.iter().any(|mark| line.contains(mark));
        assert!(!is_left, "{line:?}");
    }
}

#[test]
fn a_pipeline_of_a_shell_is_seen_as_its_processes() {
    let record = run(&shell("printf 'b\\na\\n' | /usr/bin/sort; (exit 3); echo $?"), FREE);
    assert_eq!(texts(&record), ["a", "b", "3"]);
    assert_right_end(&record);
    let programs: Vec<&str> = record.processes.iter().map(|process| process.program.as_str()).collect();
    assert!(programs.contains(&"sort"), "{programs:?}");
}
