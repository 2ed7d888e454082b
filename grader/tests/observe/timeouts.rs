//! Waits with a timeout that is over only because others are held: what a program makes of it decides.

use std::time::Duration;

use grader::model::{Invocation, RunRecord};
use grader::observe::{Plan, TracedRun, run_traced};
use grader::runner::run_all;
use grader::schedule::Selection;

use crate::schedules::CHILDREN_LAST;
use crate::support::{assert_right_end, code, patient, python, question, texts};

/// What counts under `children-last` of a script in which main waits for what its child writes into a pipe or for its end.
fn runs(wait: &str) -> Vec<RunRecord> {
    let script = format!(
        "
ready, go = os.pipe()
child = os.fork()
if child == 0: say('child'); os.write(go, b'x'); os._exit(0)
{wait}
say('Done!'); os.waitpid(child, 0)"
    );
    run_all(&python(&script), &question(), &Selection::one(CHILDREN_LAST)).unwrap().records
}

#[test]
fn whoever_gives_up_and_says_so_gets_its_time() {
    for wait in [
        "if not select.select([ready], [], [], 5)[0]: sys.exit('too slow')",
        "if not select.select([ready], [], [], 1)[0]: os.abort()",
        "signal.alarm(3); os.read(ready, 1); signal.alarm(0)",
        "end = time.monotonic() + 8\nwhile not select.select([ready], [], [], 0)[0]:\n    assert time.monotonic() < end",
        "end = time.monotonic() + 4\nwhile not select.select([ready], [], [], 0.01)[0]:\n    assert time.monotonic() < end",
        "if not select.select([ready], [], [], 5)[0]: os.write(2, b'too slow\\n'); os._exit(0)",
    ] {
        for record in runs(wait) {
            assert_right_end(&record);
            assert_eq!(texts(&record), ["child", "Done!"], "{wait}: {record:?}");
        }
    }
}

#[test]
fn whoever_goes_on_as_if_nothing_had_happened_is_shown_to() {
    for wait in [
        "select.select([ready], [], [], 5)",
        "time.sleep(2)",
        "end = time.monotonic() + 4\nwhile time.monotonic() < end and not select.select([ready], [], [], 0.01)[0]: pass",
        "os.write(2, b'waiting\\n'); select.select([ready], [], [], 5)",
    ] {
        for record in runs(wait) {
            assert_eq!(texts(&record), ["Done!", "child"], "{wait}: {record:?}");
        }
    }
}

#[test]
fn a_short_timeout_is_no_safety_net() {
    let runs = runs("if not select.select([ready], [], [], 0.5)[0]: os._exit(7)");
    assert!(runs.iter().any(|record| record.main_status() == code(7)), "{runs:?}");
}

#[test]
fn a_wait_beyond_the_time_limit_is_as_good_as_one_without_an_end() {
    let lines = |wait: &str| {
        let script = format!(
            "
ready, go = os.pipe()
if os.fork() == 0: say('child'); os.write(go, b'x'); os._exit(0)
{wait}; say('Done!'); os.wait()"
        );
        let run = run_traced(&python(&script), &Invocation::default(), &patient(), CHILDREN_LAST).unwrap();
        (texts(&run.record).join(" "), run.hurried)
    };
    // The limit is a minute.
    assert_eq!(lines("select.select([ready], [], [], 61)"), ("child Done!".to_owned(), vec![]));
    assert_eq!(lines("select.select([ready], [], [], 59)"), ("Done! child".to_owned(), vec![0]));
    // A sleep ends for nothing else, and is passed over however long it is.
    assert_eq!(lines("time.sleep(61)").0, "Done! child");
}

#[test]
fn a_patient_run_passes_over_sleeps_alone() {
    let script = python(
        "
ready, go = os.pipe()
if os.fork() == 0: say('child'); os.write(go, b'x'); os._exit(0)
say('early' if select.select([ready], [], [], 5)[0] == [] else 'late')
if os.fork() == 0: say('child'); os._exit(0)
time.sleep(5); say('asleep'); os.wait(); os.wait()",
    );
    let run = |plan: Plan| run_traced(&script, &Invocation::default(), &patient(), plan).unwrap();
    let told = |run: &TracedRun| (texts(&run.record).join(" "), run.hurried.clone());
    let early = ("early asleep child child".to_owned(), vec![0]);
    let late = ("child late asleep child".to_owned(), vec![0]);
    let plan = Plan::from(CHILDREN_LAST);
    let mut hurried = run(plan);
    assert_eq!(told(&hurried), early);
    // A longer wait than there is would take its time, and this one does not.
    assert_eq!(told(&run(Plan { most_passed: Some(Duration::from_secs(30)), ..plan })), early);
    let plan = plan.more_patient(&hurried).unwrap();
    assert!(plan.most_passed.is_some_and(|most| Duration::from_secs(4) < most), "{plan:?}");
    assert_eq!(told(&run(plan)), late);
    let plan = plan.more_patient(&hurried).unwrap();
    assert_eq!(told(&run(plan)), late);
    hurried.kept_waiting = Duration::from_millis(500);
    assert!(plan.more_patient(&hurried).is_none());
    // On a busy machine it may have been right to give up.
    hurried.kept_waiting = Duration::from_secs(1);
    let again = |plan: &Plan| plan.more_patient(&hurried);
    let repeated: Vec<Plan> = std::iter::successors(again(&plan), again).collect();
    assert_eq!(repeated.len(), 3);
    assert!(repeated.iter().all(|repeated| repeated.most_passed == plan.most_passed));
}

#[test]
fn clocks_go_on_with_the_time_that_is_passed_over() {
    let script = python(
        "
before = [time.monotonic(), time.time(), time.perf_counter(), time.clock_gettime(time.CLOCK_BOOTTIME)]
if os.fork() == 0: os._exit(0)
time.sleep(1000); os.wait()
after = [time.monotonic(), time.time(), time.perf_counter(), time.clock_gettime(time.CLOCK_BOOTTIME)]
say(' '.join(str(1000 <= b - a < 1040) for a, b in zip(before, after)))
say(str(time.process_time() < 40))
import subprocess
then = float(subprocess.run([sys.executable, '-S', '-c', 'import time; print(time.time())'], capture_output=True).stdout)
say(str(0 <= then - after[1] < 40))",
    );
    let run = run_traced(&script, &Invocation::default(), &patient(), CHILDREN_LAST).unwrap();
    assert_eq!(texts(&run.record), ["True True True True", "True", "True"], "{:?}", run.record);
}
