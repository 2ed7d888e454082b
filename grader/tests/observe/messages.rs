//! Messages between processes: they come in another order than usual, the same one each time.

use grader::model::{Policy, Schedule};

use grader::submission::Program;
use tempfile::TempDir;

use crate::support::{FREE, assert_right_end, patient, python, run, run_with, texts};

fn messages(seed: u64) -> Schedule {
    Schedule { policy: Policy::Messages, seed }
}

/// What a script prints under a seed, which is the same three times; it runs in a folder of its own.
fn printed(script: &str, seed: u64) -> Vec<String> {
    let mut all = (0..3).map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let record = run(&python_in(&folder, script), messages(seed));
        assert_right_end(&record);
        texts(&record).into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first), "{seed}: {first:?}");
    first
}

fn python_in(folder: &TempDir, script: &str) -> Program {
    Program { folder: folder.path().to_owned(), ..python(script) }
}

/// Whether the processes of a script may have sent each other messages, as a free run finds out.
fn sends_messages(script: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let run = run_with(&python_in(&folder, script), "", &patient(), FREE);
    assert_right_end(&run.record);
    run.sends_messages
}

#[test]
fn the_newest_is_heard_first() {
    let script = "
a, b = os.pipe()
for number in b'123':
    if os.fork() == 0: os.write(b, bytes([number])); os._exit(0)
say(''.join(os.read(a, 1).decode() for _ in range(3)))
for _ in range(3): os.wait()";
    assert_eq!(printed(script, 0), ["321"]);
}

#[test]
fn a_queue_may_be_empty_that_main_has_filled() {
    let script = "
a, b = os.pipe()
threading.Thread(target=lambda: os.write(b, b'x')).start()
if os.fork() == 0: say(str(select.select([a], [], [], 0)[0] == [])); os._exit(0)
os.wait()";
    assert_eq!(printed(script, 0), ["True"]);
}

/// Workers that take tasks and give results under a lock each, as those of Python's pools do.
fn pool(tasks: u32) -> String {
    format!(
        "
import multiprocessing as m
def work(task): say(str(os.getpid())); return task
with m.get_context('fork').Pool(4) as pool:
    say(str(list(pool.imap_unordered(work, range({tasks})))))"
    )
}

#[test]
fn results_come_in_another_order_where_all_have_work() {
    let script = pool(4).replace("say(str(os.getpid())); ", "");
    assert_eq!(printed(&script, 1), ["[3, 2, 1, 0]"]);
}

#[test]
fn all_have_about_as_much_work_where_they_take_turns() {
    let record = run(&python(&pool(20)), messages(1));
    assert_right_end(&record);
    let mut tasks = std::collections::BTreeMap::new();
    texts(&record).iter().take(20).for_each(|worker| *tasks.entry(*worker).or_insert(0) += 1);
    // Who is done first takes one more while the last of the first round is on its way.
    assert!(tasks.len() == 4 && tasks.values().all(|count| (4..=6).contains(count)), "{tasks:?}");
}

#[test]
fn whoever_sends_all_the_time_gets_on() {
    let script = "
a, b = os.pipe()
if os.fork() == 0:
    for _ in range(5_000): os.write(b, b'x')
    os._exit(0)
for _ in range(5_000): os.read(a, 1)
os.wait(); say('Done!')";
    for seed in [0, 1] {
        assert_eq!(printed(script, seed), ["Done!"]);
    }
}

/// Children that count up in a file.
fn counts_in_a_file(before: &str) -> String {
    format!(
        "
import fcntl
open('count', 'w').write('0')
for _ in range(3):
    if os.fork() == 0:
        file = open('count', 'r+')
        {before}
        number = int(file.read()); file.seek(0); file.write(str(number + 1)); file.close()
        os._exit(0)
for _ in range(3): os.wait()
say(open('count').read())"
    )
}

#[test]
fn a_file_is_written_back_in_vain_without_a_lock() {
    assert!(sends_messages(&counts_in_a_file("pass")));
    for seed in [0, 1] {
        assert_eq!(printed(&counts_in_a_file("pass"), seed), ["1"]);
        assert_eq!(printed(&counts_in_a_file("fcntl.flock(file, fcntl.LOCK_EX)"), seed), ["3"]);
    }
}

#[test]
fn a_file_that_one_process_writes_is_no_message() {
    let script = "
if os.fork() == 0: open('own', 'w').write('1'); os._exit(0)
open('mine', 'w').write('1'); os.wait(); say(open('own').read())";
    assert!(!sends_messages(script));
}
