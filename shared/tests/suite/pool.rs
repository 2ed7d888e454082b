//! What a pool does when all goes well.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::support::{
    Events, FOREVER, METHODS, by_each_method, release, say_pid, start_pool, wait_for_release,
};
use multiprocessing::{Error, Pool};

fn square(x: u64) -> u64 {
    x * x
}

#[test]
fn map_keeps_the_order_of_its_items() {
    let pool = Pool::new(3).unwrap();
    let squares = pool.map(square, 0..10_000).unwrap();
    assert_eq!(squares, (0..10_000).map(square).collect::<Vec<_>>());
}

#[test]
fn map_of_nothing_is_nothing() {
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(square, []).unwrap(), []);
    assert!(pool.map_each(square, []).unwrap().is_empty());
    assert_eq!(pool.imap(square, []).count(), 0);
}

#[test]
fn chunks_of_any_size_give_the_same_results() {
    let pool = Pool::new(2).unwrap();
    let expected: Vec<u64> = (0..100).map(square).collect();
    for size in [1, 3, 99, 1000] {
        assert_eq!(pool.chunks_of(size).map(square, 0..100).unwrap(), expected);
        let results: Result<Vec<u64>, Error> = pool.chunks_of(size).imap(square, 0..100).collect();
        assert_eq!(results.unwrap(), expected);
    }
}

#[test]
fn starmap_takes_tuples_apart() {
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.starmap(|a: u8, b: u8| a + b, [(1, 2), (3, 4)]).unwrap(), [3, 7]);
    let six = |a: String, b: u8, c: u8, d: u8, e: u8, f: u8| format!("{a}{b}{c}{d}{e}{f}");
    assert_eq!(pool.starmap(six, [("x".to_owned(), 1, 2, 3, 4, 5)]).unwrap(), ["x12345"]);
}

#[test]
fn imap_gives_results_in_order_and_imap_unordered_gives_all() {
    let pool = Pool::new(2).unwrap();
    let ordered: Vec<u64> = pool.imap(|x: u64| x + 1, 0..500).map(Result::unwrap).collect();
    assert_eq!(ordered, (1..=500).collect::<Vec<_>>());
    let mut all: Vec<u64> = pool.imap_unordered(|x: u64| x + 1, 0..500).map(Result::unwrap).collect();
    all.sort_unstable();
    assert_eq!(all, ordered);
}

#[test]
fn imap_takes_in_no_more_than_its_window() {
    let pool = Pool::new(2).unwrap();
    let taken = Cell::new(0);
    let mut results = pool.imap(square, (0..).inspect(|_| taken.set(taken.get() + 1)));
    assert_eq!(taken.get(), 0);
    for given in 0..50 {
        assert_eq!(results.next().unwrap().unwrap(), square(given));
        assert!(taken.get() <= given + 8, "{} taken for {given}", taken.get());
    }
}

#[test]
fn imap_unordered_gives_a_quick_result_before_a_slow_one() {
    let events = Events::new();
    let pool = Pool::new(2).unwrap();
    let work = |(index, events): (u32, PathBuf)| {
        if index == 0 {
            wait_for_release(&events);
        }
        index
    };
    let mut results = pool.imap_unordered(work, (0..4).map(|index| (index, events.path())));
    let mut quick: Vec<u32> = (0..3).map(|_| results.next().unwrap().unwrap()).collect();
    quick.sort_unstable();
    assert_eq!(quick, [1, 2, 3]);
    events.release();
    assert_eq!(results.next().unwrap().unwrap(), 0);
    assert!(results.next().is_none());
}

#[test]
fn imap_says_that_a_result_is_late_and_gives_it_later() {
    let events = Events::new();
    let pool = Pool::new(1).unwrap();
    let wait = |events: PathBuf| {
        wait_for_release(&events);
        7
    };
    let mut results = pool.imap(wait, [events.path()]);
    assert!(results.next_timeout(Duration::ZERO).is_pending());
    assert!(results.next_timeout(Duration::from_millis(1)).is_pending());
    events.release();
    assert!(matches!(results.next_timeout(FOREVER), Poll::Ready(Some(Ok(7)))));
    assert!(matches!(results.next_timeout(FOREVER), Poll::Ready(None)));
    assert!(matches!(results.next_timeout(Duration::ZERO), Poll::Ready(None)));
}

#[test]
fn an_imap_that_is_dropped_leaves_the_pool_usable() {
    let pool = Pool::new(2).unwrap();
    for _ in 0..20 {
        let mut results = pool.imap(square, 0..);
        assert_eq!(results.next().unwrap().unwrap(), 0);
    }
    assert_eq!(pool.apply(square, 5).unwrap(), 25);
}

#[test]
fn a_handle_says_when_its_result_is_ready() {
    let events = Events::new();
    let pool = Pool::new(1).unwrap();
    let wait = |events: PathBuf| {
        wait_for_release(&events);
        7
    };
    let mut handle = pool.apply_async(wait, events.path()).unwrap();
    assert!(!handle.is_ready() && handle.successful().is_none());
    assert!(!handle.wait_timeout(Duration::from_millis(1)));
    assert!(handle.get_timeout(Duration::from_millis(1)).is_none());
    events.release();
    handle.wait();
    assert!(handle.is_ready() && handle.wait_timeout(Duration::ZERO));
    assert_eq!(handle.get_timeout(FOREVER).unwrap().unwrap(), 7);
    assert!(handle.is_ready());
    assert!(matches!(handle.get_timeout(FOREVER), Some(Err(Error::ResultTaken { .. }))));
    assert_eq!(handle.successful(), Some(true));
    assert_eq!(pool.map_async(square, 0..3).unwrap().get().unwrap(), [0, 1, 4]);
}

#[test]
fn a_handle_says_whether_all_went_well_before_and_after_its_result_is_taken() {
    let pool = Pool::new(2).unwrap();
    let fail = |x: u8| assert!(x != 2, "two");
    let mut failed = pool.map_async(fail, 0..4).unwrap();
    failed.wait();
    assert_eq!(failed.successful(), Some(false));
    assert!(matches!(failed.get_timeout(FOREVER), Some(Err(Error::Panicked { .. }))));
    assert_eq!(failed.successful(), Some(false));
    let mut sums = pool.starmap_async(|a: u8, b: u8| a + b, [(1, 2), (3, 4)]).unwrap();
    sums.wait();
    assert_eq!(sums.successful(), Some(true));
    assert_eq!(sums.get().unwrap(), [3, 7]);
}

#[test]
fn the_call_of_a_dropped_handle_is_made_all_the_same() {
    let events = Events::new();
    let pool = Pool::new(1).unwrap();
    drop(pool.apply_async(|events: PathBuf| say_pid(&events), events.path()).unwrap());
    assert_eq!(events.pids(1).len(), 1);
}

#[test]
fn results_larger_than_any_buffer_cross_in_both_directions_at_once() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let texts: Vec<String> = (0..8).map(|index| index.to_string().repeat(8 << 20)).collect();
        assert!(pool.map(|text: String| text, texts.clone()).unwrap() == texts);
    });
}

#[test]
fn a_hundred_thousand_calls_can_wait_in_line() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let sum: u64 = pool.chunks_of(1).map(|x: u64| x, 0..100_000).unwrap().into_iter().sum();
        assert_eq!(sum, 4_999_950_000);
    });
}

#[test]
fn several_threads_use_one_pool() {
    by_each_method(|method| {
        let pool = start_pool(method, 3);
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..20 {
                        let offset = thread * 1000 + round;
                        let results = pool.map(square, offset..offset + 50).unwrap();
                        assert_eq!(results, (offset..offset + 50).map(square).collect::<Vec<_>>());
                        assert_eq!(pool.apply(square, offset).unwrap(), square(offset));
                    }
                });
            }
        });
    });
}

#[test]
fn a_pool_outlives_the_thread_that_made_it() {
    by_each_method(|method| {
        let pool = std::thread::spawn(move || start_pool(method, 2)).join().unwrap();
        assert_eq!(pool.map(square, 0..4).unwrap(), [0, 1, 4, 9]);
    });
}

#[test]
fn a_pool_works_inside_a_worker() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let sum = |(index, n): (usize, u64)| -> u64 {
            start_pool(METHODS[index], 2).map(square, 0..n).unwrap().into_iter().sum()
        };
        for inner in 0..METHODS.len() {
            assert_eq!(pool.map(sum, [(inner, 3), (inner, 4)]).unwrap(), [5, 14]);
        }
    });
}

#[test]
fn all_workers_work_at_the_same_time() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 4);
        let meet = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let handle = pool.map_async(meet, vec![events.path(); 4]).unwrap();
        let mut pids = events.pids(4);
        pids.sort_unstable();
        pids.dedup();
        assert_eq!(pids.len(), 4);
        (0..4).for_each(|_| events.release());
        handle.get().unwrap();
    });
}

/// With two workers, the first call waits for the last. Whichever worker the last one was sent to while it
/// waited in line, it must not stay behind the first.
#[test]
fn no_call_waits_behind_a_slow_one_while_a_worker_is_idle() {
    by_each_method(|method| {
        for others in 0..8 {
            let events = Events::new();
            let pool = start_pool(method, 2);
            let work = |(role, events): (u8, PathBuf)| match role {
                0 => wait_for_release(&events),
                1 => {}
                _ => release(&events),
            };
            let roles = [0].into_iter().chain((0..others).map(|_| 1)).chain([2]);
            pool.chunks_of(1).map(work, roles.map(|role| (role, events.path()))).unwrap();
        }
    });
}

#[test]
fn an_initializer_runs_once_in_each_worker_before_any_call() {
    by_each_method(|method| {
        static SET: AtomicU64 = AtomicU64::new(0);
        let set = |value: u64| {
            SET.fetch_add(value, Ordering::Relaxed);
        };
        let pool = Pool::builder().start_method(method).processes(2).initializer(set, 5).build().unwrap();
        let seen = pool.map(|_: u8| SET.load(Ordering::Relaxed), 0..50).unwrap();
        assert!(seen.iter().all(|value| *value == 5));
        assert_eq!(SET.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn workers_are_replaced_after_so_many_calls() {
    by_each_method(|method| {
        let pool = Pool::builder().start_method(method).processes(2).max_tasks_per_child(3).build().unwrap();
        let mut calls: HashMap<u32, u32> = HashMap::new();
        for pid in pool.map(|_: u8| std::process::id(), 0..30).unwrap() {
            *calls.entry(pid).or_default() += 1;
        }
        assert!(calls.len() >= 10 && calls.values().all(|count| *count <= 3), "{calls:?}");
    });
}

#[test]
fn a_pool_has_as_many_workers_as_asked_for_and_as_many_as_cpus_by_default() {
    assert_eq!(Pool::new(3).unwrap().processes(), 3);
    assert_eq!(Pool::with_default_size().unwrap().processes(), num_cpus::get());
}

#[test]
fn a_pool_of_none_is_refused_with_a_reason() {
    for error in [Pool::new(0).err(), Pool::builder().max_tasks_per_child(0).build().err()] {
        let error = error.expect("nobody could do any work");
        let why = std::error::Error::source(&error).expect("a reason").to_string();
        assert!(matches!(error, Error::Start { .. }) && why.contains("at least one"), "{error}: {why}");
    }
}
