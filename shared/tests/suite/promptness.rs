//! When results come: each as soon as it is there, whatever else its worker or others have to do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::support::{
    Events, FOREVER, by_each_method, say_pid, start_pool, wait_for_release, wait_until_asleep,
};
use multiprocessing::{Pool, SharedBytes};

fn wait_for(events: PathBuf) {
    wait_for_release(&events);
}

#[test]
fn a_result_does_not_wait_for_the_next_call_of_its_worker() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let events = [(); 3].map(|()| Events::new());
        let mut calls = events.each_ref().map(|events| pool.apply_async(wait_for, events.path()).unwrap());
        for (call, events) in calls.iter_mut().zip(&events) {
            // Time enough to ask for results that are held back.
            assert!(!call.wait_timeout(Duration::from_millis(30)));
            events.release();
            assert!(call.wait_timeout(FOREVER));
        }
    });
}

#[test]
fn calls_with_long_arguments_begin_while_the_next_one_is_being_made() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let events = Events::new();
        let work = |(text, _bytes, events): (String, SharedBytes, PathBuf)| {
            say_pid(&events);
            text.len()
        };
        for length in [1, 100_000] {
            let arguments = (0..4).map(|number| {
                if number > 1 {
                    // One of those before.
                    events.pids(1);
                }
                ("x".repeat(length), SharedBytes::copy_from_slice(b"some").unwrap(), events.path())
            });
            assert_eq!(pool.map(work, arguments).unwrap(), [length; 4]);
            events.pids(2);
        }
    });
}

#[test]
fn a_result_is_asked_for_though_others_have_theirs_all_the_time() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let events = Events::new();
        // As many as take far longer than it may take to ask, and one that ends when the first result has come.
        let work = |(is_last, events): (bool, PathBuf)| {
            if is_last {
                wait_for_release(&events);
            } else {
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        let arguments = (0..100).map(|number| (number == 99, events.path())).collect::<Vec<_>>();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (says_begun, begun) = mpsc::channel();
            let is_done = &is_done;
            let pool = &pool;
            scope.spawn(move || {
                while !is_done.load(Ordering::Relaxed) {
                    pool.apply(|()| (), ()).unwrap();
                    // Nobody hears the later ones.
                    let _ = says_begun.send(());
                }
            });
            begun.recv_timeout(FOREVER).unwrap();
            let mut results = pool.chunks_of(100).imap(work, arguments);
            let first = results.next_timeout(FOREVER);
            is_done.store(true, Ordering::Relaxed);
            events.release();
            assert!(matches!(first, Poll::Ready(Some(Ok(())))));
            results.for_each(Result::unwrap);
        });
    });
}

#[test]
fn a_caller_that_sleeps_has_its_result_though_others_give_its_worker_more() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let (first, second) = (Events::new(), Events::new());
        pool.apply(|()| (), ()).unwrap();
        let (says_thread, thread) = mpsc::channel();
        let (says_done, done) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                says_thread.send(rustix::thread::gettid()).unwrap();
                says_done.send(pool.apply(wait_for, first.path())).unwrap();
            });
            wait_until_asleep(thread.recv().unwrap());
            let behind = pool.apply_async(wait_for, second.path()).unwrap();
            first.release();
            done.recv_timeout(FOREVER).unwrap().unwrap();
            second.release();
            behind.get().unwrap();
        });
    });
}

#[test]
fn results_come_while_another_worker_is_still_starting() {
    by_each_method(|method| {
        let events = Events::new();
        let folder = tempfile::tempdir().unwrap();
        let first_waits = |(events, file): (PathBuf, PathBuf)| {
            if std::fs::File::create_new(file).is_ok() {
                wait_for_release(&events);
            }
        };
        let argument = (events.path(), folder.path().join("waits"));
        let builder = Pool::builder().start_method(method).processes(2).start_timeout(Duration::MAX);
        let pool = builder.initializer(first_waits, argument).build().unwrap();
        let doubled: Vec<u64> = (0..300_000).map(|x| 2 * x).collect();
        for size in [1, 1000] {
            assert_eq!(pool.chunks_of(size).map(|x: u64| 2 * x, 0..300_000).unwrap(), doubled);
        }
        let mut alone = pool.imap(|x: u64| 2 * x, 0..3_000);
        assert!((0..3_000).all(|x| alone.next().unwrap().unwrap() == 2 * x));
        // Several at once: one of them drives, and the others read its messages.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for length in [1, 300_000] {
                        let text = pool.apply(|length: usize| "x".repeat(length), length).unwrap();
                        assert_eq!(text.len(), length);
                    }
                });
            }
        });
        events.release();
    });
}

/// Waits, where it is read, until the test says that it may go on; so many bytes long.
struct Slow(PathBuf, usize);

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.0, "x".repeat(self.1)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Slow, D::Error> {
        let (events, text) = <(PathBuf, String)>::deserialize(deserializer)?;
        say_pid(&events);
        wait_for_release(&events);
        Ok(Slow(events, text.len()))
    }
}

#[test]
fn results_come_while_another_caller_reads_its_own() {
    fn done(started: (PathBuf, PathBuf, usize)) -> Slow {
        wait_for_release(&started.0);
        Slow(started.1, started.2)
    }
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        pool.map(|()| (), [(), ()]).unwrap();
        // The only result, or the first of two that are long.
        for (count, length) in [(1, 10), (2, 1 << 20)] {
            let (call, reading, other) = (Events::new(), Events::new(), Events::new());
            let argument = (call.path(), reading.path(), length);
            let (says_thread, thread) = mpsc::channel();
            let (says_done, is_done) = mpsc::channel();
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    says_thread.send(rustix::thread::gettid()).unwrap();
                    pool.chunks_of(1).map(done, vec![argument; count]).unwrap().len()
                });
                // It looks after the workers from here on.
                wait_until_asleep(thread.recv().unwrap());
                (0..count).for_each(|_| call.release());
                reading.pids(1);
                scope.spawn(|| says_done.send(pool.apply(wait_for, other.path())).unwrap());
                other.release();
                let in_time = is_done.recv_timeout(FOREVER);
                (0..count).for_each(|_| reading.release());
                in_time.unwrap().unwrap();
                assert_eq!(reader.join().unwrap(), count);
            });
        }
    });
}
