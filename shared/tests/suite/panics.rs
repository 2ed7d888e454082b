//! What a pool does when something panics: a call, or a value while it is written or read.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::mpsc;

use crate::support::{
    Events, FOREVER, all_but_one, by_each_method, died_of, panic_twice, start_pool, wait_for_release,
    wait_until_asleep,
};
use multiprocessing::{Error, ExitStatus};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn pid(_: u8) -> u32 {
    std::process::id()
}

#[test]
fn a_panic_fails_its_call_only_and_the_worker_lives_on() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let before = pool.apply(pid, 0).unwrap();
        let results = pool.map_each(|x: u32| if x == 7 { panic!("seven") } else { 2 * x }, 0..20).unwrap();
        match all_but_one(results, 7) {
            Error::Panicked { message, location, .. } => {
                assert_eq!(message, "seven");
                assert!(location.unwrap().contains("panics.rs"));
            }
            other => panic!("{other}"),
        }
        assert_eq!(pool.apply(pid, 0).unwrap(), before);
    });
}

/// Panics while it is written, or while it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Touchy {
    Calm(u32),
    WhenWritten,
    WhenRead,
}

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(2)?;
        parts.serialize_element(&(*self == Touchy::WhenRead))?;
        match self {
            Touchy::Calm(number) => parts.serialize_element(number)?,
            Touchy::WhenWritten => resume_unwind(Box::new("half is written")),
            Touchy::WhenRead => parts.serialize_element(&0_u32)?,
        }
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Touchy, D::Error> {
        let (is_touched, number) = <(bool, u32)>::deserialize(deserializer)?;
        if is_touched { resume_unwind(Box::new("half is read")) } else { Ok(Touchy::Calm(number)) }
    }
}

/// What comes, and how often there was a panic instead.
fn catching(mut results: impl Iterator<Item = Result<Touchy, Error>>) -> (Vec<Touchy>, usize) {
    let (mut came, mut panics) = (Vec::new(), 0);
    loop {
        match catch_unwind(AssertUnwindSafe(|| results.next())) {
            Ok(Some(result)) => came.push(result.unwrap()),
            Ok(None) => return (came, panics),
            Err(_) => panics += 1,
        }
    }
}

#[test]
fn a_panic_over_an_argument_or_a_result_that_its_caller_catches_costs_only_that() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let others: Vec<Touchy> = (0..20).filter(|x| *x != 5).map(Touchy::Calm).collect();
        for size in [1, 4, 100] {
            let arguments = (0..20).map(|x| if x == 5 { Touchy::WhenWritten } else { Touchy::Calm(x) });
            let echoed = pool.chunks_of(size).imap(|x: Touchy| x, arguments);
            assert_eq!(catching(echoed), (others.clone(), 1), "chunks of {size}");
            let answer = |x: u32| if x == 5 { Touchy::WhenRead } else { Touchy::Calm(x) };
            assert_eq!(catching(pool.chunks_of(size).imap(answer, 0..20)), (others.clone(), 1));

            // Results that are one list are all there or are not.
            let map = || pool.chunks_of(size).map_async(answer, 0..20).unwrap();
            let Ok(mut results) = catch_unwind(AssertUnwindSafe(map)) else { continue };
            let mut get = || catch_unwind(AssertUnwindSafe(|| results.get_timeout(FOREVER)));
            assert!(get().is_err());
            let after = std::iter::repeat_with(get).find_map(Result::ok).unwrap();
            assert!(matches!(after, Some(Err(Error::ResultTaken { .. }))), "{after:?}");
        }
    });
}

#[test]
fn who_panics_over_a_result_leaves_the_pool_to_others() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        pool.apply(pid, 0).unwrap();
        let (first, second) = (Events::new(), Events::new());
        let (says_thread, thread) = mpsc::channel();
        let (says_done, done) = mpsc::channel();
        let touch = |events: PathBuf| {
            wait_for_release(&events);
            Touchy::WhenRead
        };
        let this_thread = rustix::thread::gettid();
        std::thread::scope(|scope| {
            let mut results = pool.imap(touch, [first.path()]);
            scope.spawn(|| {
                wait_until_asleep(this_thread);
                first.release();
            });
            assert!(catch_unwind(AssertUnwindSafe(|| results.next())).is_err());
            scope.spawn(|| {
                says_thread.send(rustix::thread::gettid()).unwrap();
                says_done
                    .send(pool.apply(|events: PathBuf| wait_for_release(&events), second.path()))
                    .unwrap();
            });
            wait_until_asleep(thread.recv().unwrap());
            second.release();
            done.recv_timeout(FOREVER).unwrap().unwrap();
            assert!(results.next().is_none());
        });
    });
}

#[test]
fn a_panic_without_text_and_one_within_a_panic_cost_their_own_calls() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let without_text = |x: u32| if x == 5 { std::panic::panic_any(x) } else { 2 * x };
        match all_but_one(pool.map_each(without_text, 0..20).unwrap(), 5) {
            Error::Panicked { message, .. } => assert_eq!(message, "a value that is not text"),
            other => panic!("{other}"),
        }
        let twice = |x: u32| {
            if x == 5 {
                panic_twice();
            }
            2 * x
        };
        let error = all_but_one(pool.map_each(twice, 0..20).unwrap(), 5);
        assert!(died_of(&error, ExitStatus::Signal(libc::SIGABRT)), "{error}");
    });
}
