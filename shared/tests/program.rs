//! A program with a `main` of its own, as users have it. Other tests belong to the harness, and their children never
//! come to what Rust does just before `main`.
#![expect(clippy::unwrap_used, reason = "in a test, and in what runs in its children, an error is a failure")]

use std::path::PathBuf;

use libtest_mimic::{Arguments, Trial};
use multiprocessing::{Builder, Error, ExitStatus, Pool, StartMethod};

fn main() {
    multiprocessing::init();
    let trials = [StartMethod::Spawn, StartMethod::ForkServer].map(|method| {
        let overflow = move || {
            a_stack_overflow_is_told_by_rust_and_ends_the_process_by_sigabrt(method);
            Ok(())
        };
        Trial::test(format!("a_stack_overflow_is_told_by_rust::{method:?}"), overflow)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
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
