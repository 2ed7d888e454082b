//! What the library does in a copy of a process that was made by fork, and not by the library.
//!
//! Each test forks in a process of its own, in which nothing else runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{
    Events, FOREVER, Watched, alone, say_pid, start, start_pool, wait_for_death, wait_for_release,
};
use crate::sys::goes_well_in_a_copy;
use multiprocessing::{Builder, Error, ExitStatus, MapHandle, Pool, SharedBytesMut, active_children};

fn square(x: u64) -> u64 {
    x * x
}

fn is_copied<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Copied { .. }))
}

/// Calls of which two are under way, and their workers.
fn busy(pool: &Pool, events: &Events) -> (MapHandle<u64>, Vec<Watched>) {
    let work = |(x, events): (u64, PathBuf)| {
        say_pid(&events);
        wait_for_release(&events);
        square(x)
    };
    let handle = pool.chunks_of(1).map_async(work, (0..4).map(|x| (x, events.path()))).unwrap();
    (handle, events.pids(2).into_iter().map(Watched::new).collect())
}

/// All is as if there had been no copy.
fn goes_on(pool: &Pool, events: &Events, mut handle: MapHandle<u64>, workers: &[Watched]) {
    (0..4).for_each(|_| events.release());
    assert_eq!(handle.get_timeout(FOREVER).unwrap().unwrap(), [0, 1, 4, 9]);
    assert_eq!(pool.map(square, 0..100).unwrap(), (0..100).map(square).collect::<Vec<_>>());
    assert!(workers.iter().all(Watched::is_alive));
}

#[test]
fn a_pool_gives_an_error_at_once_in_a_copy() {
    alone(|method| {
        let events = Events::new();
        let pool = start_pool(method, 2);
        let mut done = pool.apply_async(square, 5).unwrap();
        done.wait();
        let mut imap = pool.imap(square, 0..100);
        assert_eq!(imap.next().unwrap().unwrap(), 0);
        let (mut under_way, workers) = busy(&pool, &events);
        assert!(goes_well_in_a_copy(|| {
            assert!(is_copied(pool.apply(square, 1)));
            assert!(is_copied(pool.apply_async(square, 1)));
            assert!(is_copied(pool.map(square, 0..1000)));
            assert!(is_copied(pool.timeout(FOREVER).map_each(square, 0..1000)));
            assert!(is_copied(pool.imap(square, 0..10).next().unwrap()));
            assert!(under_way.is_ready());
            assert!(is_copied(under_way.get_timeout(Duration::ZERO).unwrap()));
            // What was there before the copy was made may be taken.
            let error = imap.by_ref().skip_while(Result::is_ok).collect::<Result<Vec<u64>, Error>>();
            assert!(is_copied(error) && imap.next().is_none());
            assert_eq!(done.get_timeout(Duration::ZERO).unwrap().unwrap(), 25);
        }));
        goes_on(&pool, &events, under_way, &workers);
        assert_eq!(imap.next().unwrap().unwrap(), 1);
    });
}

/// What may be done to a pool and to calls under way.
const DEEDS: [fn(Pool, MapHandle<u64>); 8] = [
    |pool, handle| drop((pool, handle)),
    |pool, handle| drop((handle, pool)),
    |pool, _| pool.terminate(),
    |pool, _| pool.close(),
    |pool, _| pool.join(),
    |_, handle| handle.cancel(),
    |_, handle| handle.kill(),
    |_, handle| assert!(is_copied(handle.on_done(|_| ()))),
];

#[test]
fn what_is_done_to_a_pool_in_a_copy_is_not_done_to_the_original() {
    alone(|method| {
        for deed in DEEDS {
            let events = Events::new();
            let pool = start_pool(method, 2);
            // There is a thread for callbacks.
            pool.apply_async(square, 1).unwrap().on_done(|_| ()).unwrap();
            let (handle, workers) = busy(&pool, &events);
            let mut both = Some((pool, handle));
            assert!(goes_well_in_a_copy(|| {
                let (pool, handle) = both.take().unwrap();
                deed(pool, handle);
            }));
            let (pool, handle) = both.unwrap();
            goes_on(&pool, &events, handle, &workers);
        }
    });
}

#[test]
fn a_copy_has_pools_and_processes_of_its_own() {
    alone(|method| {
        let theirs = start_pool(method, 1);
        assert_eq!(theirs.apply(square, 2).unwrap(), 4);
        let process = Builder::new().start_method(method).spawn(|()| -> () { wait_for_death() }, ()).unwrap();
        assert!(goes_well_in_a_copy(|| {
            assert!(active_children().is_empty());
            for _ in 0..2 {
                let ours = start_pool(method, 2);
                assert_eq!(ours.map(square, 0..10).unwrap(), (0..10).map(square).collect::<Vec<_>>());
                // A copy of the copy has neither.
                assert!(goes_well_in_a_copy(|| {
                    assert!(is_copied(ours.apply(square, 3)) && is_copied(theirs.apply(square, 3)));
                    assert_eq!(start_pool(method, 1).apply(square, 3).unwrap(), 9);
                }));
            }
            let child = Builder::new().start_method(method).spawn(square, 4).unwrap();
            assert_eq!(child.join().unwrap(), 16);
        }));
        assert!(process.is_alive());
        process.kill();
        assert_eq!(theirs.apply(square, 3).unwrap(), 9);
    });
}

#[test]
fn a_process_does_not_hang_in_a_copy_that_was_made_while_another_thread_looked_at_it() {
    alone(|method| {
        let mut process = Some(start(method, |()| -> () { wait_for_death() }, ()));
        let child = active_children().remove(0);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    assert!(child.is_alive());
                }
            });
            for _ in 0..50 {
                assert!(goes_well_in_a_copy(|| {
                    assert_eq!(child.exit_status(), Some(ExitStatus::Unknown));
                    drop(process.take());
                }));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        process.unwrap().kill();
    });
}

#[test]
fn bytes_that_are_not_frozen_are_out_of_reach_in_a_copy() {
    alone(|_| {
        for length in [100, 2 << 20] {
            let mut bytes = Some(SharedBytesMut::zeroed(length).unwrap());
            bytes.as_mut().unwrap()[0] = 1;
            let reads: fn(SharedBytesMut) = |bytes| assert_eq!(bytes[0], 1);
            for deed in [reads, |mut bytes| bytes[0] = 2] {
                assert!(!goes_well_in_a_copy(|| deed(bytes.take().unwrap())));
            }
            assert!(goes_well_in_a_copy(|| assert!(bytes.take().unwrap().freeze().is_err())));
            assert!(goes_well_in_a_copy(|| drop(bytes.take())));
            let mut bytes = bytes.unwrap();
            assert_eq!(bytes[0], 1);
            bytes[1] = 3;
            let bytes = bytes.freeze().unwrap();
            assert_eq!(bytes[..3], [1, 3, 0]);
            assert!(goes_well_in_a_copy(|| assert_eq!(bytes[..3], [1, 3, 0])));
        }
    });
}

#[test]
fn a_process_gives_an_error_in_a_copy_and_is_left_alone_there() {
    alone(|method| {
        let stay = |()| -> () { wait_for_death() };
        let mut process = Some(Builder::new().start_method(method).spawn(stay, ()).unwrap());
        assert!(goes_well_in_a_copy(|| {
            assert!(is_copied(process.as_mut().unwrap().join_timeout(FOREVER).unwrap()));
            assert!(is_copied(process.take().unwrap().join()));
        }));
        assert!(goes_well_in_a_copy(|| drop(process.take())));
        let process = process.unwrap();
        let child = active_children().into_iter().find(|child| child.pid() == process.pid()).unwrap();
        assert!(goes_well_in_a_copy(|| {
            process.kill();
            process.kill_tree();
            child.kill();
        }));
        // Had it been killed, it would end at some time.
        assert!(start(method, square, 3).join().is_ok() && process.is_alive());
        process.kill();
        assert!(matches!(process.join(), Err(Error::Died { .. })));
    });
}
