//! A program with a `main` of its own, as users have it. Other tests belong to the harness, and their children never
//! come to what Rust does just before `main`.
#![expect(clippy::unwrap_used, reason = "in a test, and in what runs in its children, an error is a failure")]

use std::path::PathBuf;

use libtest_mimic::{Arguments, Trial};
use multiprocessing::{Builder, Error, ExitStatus, Pool, StartMethod};
use rustix::process::Signal;

fn main() {
    // One child for each such file gets its signal before it is ready.
    for signal in [Signal::KILL, Signal::INT] {
        if std::fs::remove_file(doom(signal, std::os::unix::process::parent_id())).is_ok() {
            rustix::process::kill_process(rustix::process::getpid(), signal).unwrap();
        }
    }
    multiprocessing::init();
    let mut trials = vec![Trial::test("a_fork_server_that_is_killed_at_its_start_is_replaced", || {
        a_fork_server_that_is_killed_at_its_start_is_replaced();
        Ok(())
    })];
    trials.extend([StartMethod::Spawn, StartMethod::ForkServer].map(|method| {
        let overflow = move || {
            a_stack_overflow_is_told_by_rust_and_ends_the_process_by_sigabrt(method);
            Ok(())
        };
        Trial::test(format!("a_stack_overflow_is_told_by_rust::{method:?}"), overflow)
    }));
    trials.push(Trial::test("ctrl_c_does_not_end_a_worker_that_is_starting", || {
        ctrl_c_does_not_end_a_worker_that_is_starting();
        Ok(())
    }));
    // One after the other: a file is meant for a child of the trial that has made it.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}

fn doom(signal: Signal, parent: u32) -> PathBuf {
    std::env::temp_dir().join(format!("multiprocessing-signal-{}-for-child-of-{parent}", signal.as_raw()))
}

fn a_fork_server_that_is_killed_at_its_start_is_replaced() {
    let doom = doom(Signal::KILL, std::process::id());
    std::fs::write(&doom, "").unwrap();
    let process = Builder::new().start_method(StartMethod::ForkServer).spawn(|x: u64| x + 1, 1).unwrap();
    assert!(!doom.exists());
    assert_eq!(process.join().unwrap(), 2);
}

fn ctrl_c_does_not_end_a_worker_that_is_starting() {
    let before = multiprocessing::spawn(|()| (), ()).unwrap();
    let number: u32 = before.name().strip_prefix("Process-").unwrap().parse().unwrap();
    before.join().unwrap();
    let doom = doom(Signal::INT, std::process::id());
    std::fs::write(&doom, "").unwrap();
    let pool = Pool::new(1).unwrap();
    let name = pool.apply(|()| multiprocessing::current().name().to_owned(), ()).unwrap();
    assert!(!doom.exists());
    // One that had been started in its place would have a later number.
    assert_eq!(name, format!("PoolWorker-{}", number + 1));
}

fn overflow(errors: PathBuf) -> u64 {
    fn deeper(depth: u64) -> u64 {
        if depth == u64::MAX { 0 } else { deeper(std::hint::black_box(depth) + 1) + 1 }
    }
    rustix::stdio::dup2_stderr(std::fs::File::create(errors).unwrap()).unwrap();
    deeper(0)
}

fn a_stack_overflow_is_told_by_rust_and_ends_the_process_by_sigabrt(method: StartMethod) {
    let folder = tempfile::tempdir().unwrap();
    let errors = folder.path().join("errors");
    let is_told = |result: Result<u64, Error>| {
        let error = result.unwrap_err();
        let text = std::fs::read_to_string(&errors).unwrap();
        let aborted = ExitStatus::Signal(libc::SIGABRT);
        assert!(matches!(error, Error::Died { status, .. } if status == aborted), "{error}");
        assert!(text.contains("has overflowed its stack"), "{text}");
    };
    is_told(Builder::new().start_method(method).spawn(overflow, errors.clone()).unwrap().join());
    let pool = Pool::builder().start_method(method).processes(1).build().unwrap();
    is_told(pool.apply(overflow, errors.clone()));
}
