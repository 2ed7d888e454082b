//! The scenarios of `record.py`, with the library. What each is about, its name says.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::Duration;

use multiprocessing::{Error, ExitStatus, Pool, TaskHandle, spawn};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::Scenario;

/// For what certainly comes.
const LONG: Duration = Duration::from_secs(120);

/// For what is not there yet, whatever the machine does.
const SHORT: Duration = Duration::from_millis(1);

macro_rules! all {
    ($($scenario:ident)+) => { &[$((stringify!($scenario), $scenario)),+] };
}

pub(crate) const ALL: &[(&str, Scenario)] = all! {
    map_keeps_the_order_of_its_items
    map_of_nothing
    map_raises_one_error_and_the_pool_goes_on
    starmap_takes_tuples_apart
    imap_gives_an_error_in_its_place_and_goes_on
    imap_in_chunks_keeps_the_order
    imap_unordered_gives_all
    imap_takes_all_its_items_ahead
    imap_takes_items_before_a_result_is_asked_for
    imap_says_that_a_result_is_late_and_gives_it_later
    get_says_that_a_result_is_late_and_gives_it_later
    a_result_can_be_got_twice
    ready_and_successful
    an_argument_that_does_not_cross_fails_its_own_call
    a_result_that_does_not_cross_fails_its_own_call
    callbacks_get_results_and_errors
    a_slow_callback_holds_up_other_results
    a_closed_pool_takes_no_more_and_finishes_what_it_has
    join_without_close
    a_result_that_is_waited_for_when_the_pool_is_terminated
    leaving_a_with_block_ends_the_pool
    workers_are_replaced_after_so_many_applied_calls
    workers_are_replaced_after_so_many_chunks
    a_pool_of_none
    a_pool_in_a_worker
    a_worker_that_leaves_in_a_call
    a_worker_that_is_killed_in_a_call
    an_initializer_that_fails
    how_processes_end
    a_process_that_is_joined_for_too_short
    names_of_processes
};

fn square(x: u64) -> u64 {
    x * x
}

fn add(a: u64, b: u64) -> u64 {
    a + b
}

fn fail_at_three(x: u64) -> u64 {
    if x == 3 || x == 5 { panic!("{x}") } else { x }
}

/// Fails at 5, and then at 3.
fn fail_late_at_three((x, path): (u64, PathBuf)) -> u64 {
    if x == 5 {
        std::fs::write(&path, "").unwrap();
    }
    if x == 3 {
        wait_for(path);
    }
    fail_at_three(x)
}

fn worker(_: u64) -> u32 {
    std::process::id()
}

fn wait_for(path: PathBuf) -> u64 {
    while !path.exists() {
        std::thread::sleep(SHORT);
    }
    7
}

fn broken(_: u64) -> u64 {
    panic!("not today")
}

#[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
fn leave(code: i32) {
    std::process::exit(code)
}

fn die(_: u64) {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
}

fn nested(n: u64) -> u64 {
    Pool::new(2).unwrap().map(square, 0..n).unwrap().into_iter().sum()
}

/// Cannot be written.
#[derive(Deserialize)]
struct Lock;

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not to be written"))
    }
}

/// A result in the words of the record.
fn word<T: Serialize>(result: Option<Result<T, Error>>) -> Value {
    match result {
        None => json!("late"),
        Some(Ok(value)) => json!(value),
        Some(Err(Error::ResultTaken { .. })) => json!("taken"),
        Some(Err(Error::PoolClosed)) => json!("refused"),
        Some(Err(_)) => json!("error"),
    }
}

fn get<T: Serialize + for<'de> Deserialize<'de>>(handle: Result<TaskHandle<T>, Error>) -> Value {
    word(handle.unwrap().get_timeout(LONG))
}

fn refused<T>(result: Result<T, Error>) -> Value {
    if result.is_err() { json!("refused") } else { json!("taken on") }
}

fn map_keeps_the_order_of_its_items(pool: Pool, _: &Path) -> Value {
    json!([pool.map(square, 0..10).unwrap(), pool.chunks_of(3).map(square, 0..10).unwrap()])
}

fn map_of_nothing(pool: Pool, _: &Path) -> Value {
    json!(pool.map(square, []).unwrap())
}

fn map_raises_one_error_and_the_pool_goes_on(pool: Pool, path: &Path) -> Value {
    let items = (0..10).map(|x| (x, path.to_owned()));
    match pool.chunks_of(1).map(fail_late_at_three, items).unwrap_err() {
        Error::Panicked { message, .. } => json!([message, pool.map(square, 0..3).unwrap()]),
        other => panic!("{other}"),
    }
}

fn starmap_takes_tuples_apart(pool: Pool, _: &Path) -> Value {
    let later = pool.starmap_async(add, [(5, 6)]).unwrap();
    json!([pool.starmap(add, [(1, 2), (3, 4)]).unwrap(), later.get().unwrap()])
}

fn imap_gives_an_error_in_its_place_and_goes_on(pool: Pool, _: &Path) -> Value {
    pool.imap(fail_at_three, 0..5).map(|result| word(Some(result))).collect()
}

fn imap_in_chunks_keeps_the_order(pool: Pool, _: &Path) -> Value {
    pool.chunks_of(3).imap(square, 0..10).map(Result::unwrap).collect()
}

fn imap_unordered_gives_all(pool: Pool, _: &Path) -> Value {
    let results: BTreeSet<u64> = pool.imap_unordered(square, 0..10).map(Result::unwrap).collect();
    json!(results)
}

fn imap_takes_all_its_items_ahead(pool: Pool, _: &Path) -> Value {
    let taken = Cell::new(0);
    let mut results = pool.imap(square, (0..1000).inspect(|_| taken.set(taken.get() + 1)));
    results.next().unwrap().unwrap();
    // No other thread could take any, so it need not be waited for.
    json!(taken.get() == 1000)
}

fn imap_takes_items_before_a_result_is_asked_for(pool: Pool, _: &Path) -> Value {
    let taken = Cell::new(false);
    let results = pool.imap(square, [1].into_iter().inspect(|_| taken.set(true)));
    let before = taken.get();
    assert_eq!(results.count(), 1);
    json!(before)
}

fn imap_says_that_a_result_is_late_and_gives_it_later(pool: Pool, path: &Path) -> Value {
    let mut results = pool.imap(wait_for, [path.to_owned()]);
    let mut next = |timeout| match results.next_timeout(timeout) {
        Poll::Pending => json!("late"),
        Poll::Ready(result) => json!(result.unwrap().unwrap()),
    };
    let late = next(SHORT);
    std::fs::write(path, "").unwrap();
    json!([late, next(LONG)])
}

fn get_says_that_a_result_is_late_and_gives_it_later(pool: Pool, path: &Path) -> Value {
    let mut handle = pool.apply_async(wait_for, path.to_owned()).unwrap();
    let late = word(handle.get_timeout(SHORT));
    std::fs::write(path, "").unwrap();
    json!([late, word(handle.get_timeout(LONG))])
}

fn a_result_can_be_got_twice(pool: Pool, _: &Path) -> Value {
    let mut handle = pool.apply_async(square, 3).unwrap();
    json!([word(handle.get_timeout(LONG)), word(handle.get_timeout(LONG))])
}

fn ready_and_successful(pool: Pool, path: &Path) -> Value {
    let successful = |result: Option<bool>| result.map_or(json!("refused"), |result| json!(result));
    let mut waiting = pool.apply_async(wait_for, path.to_owned()).unwrap();
    let before = (waiting.is_ready(), successful(waiting.successful()));
    std::fs::write(path, "").unwrap();
    waiting.wait();
    let mut failed = pool.apply_async(broken, 0).unwrap();
    failed.wait();
    let after =
        [waiting.is_ready(), waiting.successful().unwrap(), failed.is_ready(), failed.successful().unwrap()];
    json!([before.0, before.1, after[0], after[1], after[2], after[3]])
}

fn an_argument_that_does_not_cross_fails_its_own_call(pool: Pool, _: &Path) -> Value {
    json!([get(pool.apply_async(|_: Lock| 0, Lock)), pool.apply(square, 3).unwrap()])
}

fn a_result_that_does_not_cross_fails_its_own_call(pool: Pool, _: &Path) -> Value {
    let mut handle = pool.apply_async(|_: u64| Lock, 1).unwrap();
    let lost = word(handle.get_timeout(LONG).map(|result| result.map(|_| ())));
    json!([lost, pool.apply(square, 3).unwrap()])
}

fn callbacks_get_results_and_errors(pool: Pool, _: &Path) -> Value {
    let seen = Arc::new(Mutex::new(Vec::new()));
    for handle in [pool.apply_async(square, 3), pool.apply_async(broken, 3)] {
        let mut handle = handle.unwrap();
        // As they come, so that their order is certain.
        handle.wait();
        let seen = Arc::clone(&seen);
        handle.on_done(move |result| seen.lock().unwrap().push(word(Some(result)))).unwrap();
    }
    pool.join();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    json!(seen)
}

fn a_slow_callback_holds_up_other_results(pool: Pool, _: &Path) -> Value {
    let (release, released) = mpsc::channel::<()>();
    pool.apply_async(square, 1).unwrap().on_done(move |_| released.recv().unwrap()).unwrap();
    let other = get(pool.apply_async(square, 2));
    release.send(()).unwrap();
    other
}

fn a_closed_pool_takes_no_more_and_finishes_what_it_has(pool: Pool, _: &Path) -> Value {
    let results = pool.map_async(square, 0..5).unwrap();
    pool.close();
    let seen = refused(pool.apply(square, 3));
    pool.join();
    json!([seen, results.get().unwrap()])
}

fn join_without_close(pool: Pool, _: &Path) -> Value {
    pool.join();
    json!("joined")
}

fn a_result_that_is_waited_for_when_the_pool_is_terminated(pool: Pool, path: &Path) -> Value {
    let handle = pool.apply_async(wait_for, path.to_owned());
    pool.terminate();
    get(handle)
}

/// A pool that is left here is dropped, and no name for it is left; another thread's call is refused.
fn leaving_a_with_block_ends_the_pool(pool: Pool, _: &Path) -> Value {
    pool.terminate();
    refused(pool.apply(square, 3))
}

fn workers_are_replaced_after_so_many_applied_calls(_: Pool, _: &Path) -> Value {
    let pool = Pool::builder().processes(1).max_tasks_per_child(2).build().unwrap();
    let workers: BTreeSet<u32> = (0..6).map(|_| pool.apply(worker, 0).unwrap()).collect();
    json!(workers.len())
}

fn workers_are_replaced_after_so_many_chunks(_: Pool, _: &Path) -> Value {
    let pool = Pool::builder().processes(1).max_tasks_per_child(4).build().unwrap();
    let workers: BTreeSet<u32> = pool.chunks_of(4).map(worker, 0..16).unwrap().into_iter().collect();
    json!(workers.len())
}

fn a_pool_of_none(_: Pool, _: &Path) -> Value {
    refused(Pool::new(0))
}

fn a_pool_in_a_worker(pool: Pool, _: &Path) -> Value {
    get(pool.apply_async(nested, 4))
}

fn a_worker_that_leaves_in_a_call(pool: Pool, _: &Path) -> Value {
    get(pool.apply_async(leave, 0))
}

fn a_worker_that_is_killed_in_a_call(pool: Pool, _: &Path) -> Value {
    get(pool.apply_async(die, 0))
}

fn an_initializer_that_fails(_: Pool, _: &Path) -> Value {
    let pool = Pool::builder().processes(1).initializer(|x| _ = broken(x), 0).build().unwrap();
    word(Some(pool.apply(square, 3)))
}

/// How a process has ended, as Python writes it.
fn exit_code(status: ExitStatus) -> i32 {
    match status {
        ExitStatus::Code(code) => code,
        ExitStatus::Signal(signal) => -signal,
        other => panic!("{other}"),
    }
}

fn how_processes_end(_: Pool, _: &Path) -> Value {
    fn end<A, R>(function: impl Fn(A) -> R + Copy + 'static, argument: A) -> i32
    where
        A: Serialize + for<'de> Deserialize<'de>,
        R: Serialize + for<'de> Deserialize<'de>,
    {
        let mut process = spawn(function, argument).unwrap();
        let _ = process.join_timeout(LONG).unwrap();
        exit_code(process.exit_status().unwrap())
    }
    json!([end(square, 0), end(broken, 0), end(leave, 3), end(leave, 4), end(die, 0)])
}

fn a_process_that_is_joined_for_too_short(_: Pool, path: &Path) -> Value {
    let code = |status: Option<ExitStatus>| status.map(exit_code);
    let mut process = spawn(wait_for, path.to_owned()).unwrap();
    assert!(process.join_timeout(SHORT).is_none());
    let before = (process.is_alive(), code(process.exit_status()));
    process.terminate();
    assert!(process.join_timeout(LONG).is_some());
    json!([before.0, before.1, process.is_alive(), code(process.exit_status())])
}

fn names_of_processes(_: Pool, _: &Path) -> Value {
    let names = [0, 1].map(|x| spawn(square, x).unwrap().name().to_owned());
    let stems = names.each_ref().map(|name| name.trim_end_matches(|digit: char| digit.is_ascii_digit()));
    json!([stems[0], stems[1], names[0] == names[1]])
}
