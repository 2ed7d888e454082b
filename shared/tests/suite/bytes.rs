//! Bytes that cross without being copied.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use multiprocessing::{Error, Pool, SharedBytes, SharedBytesMut, Value};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{
    FOREVER, alone, by_each_method, descriptors, kill_self, memories, start, start_pool, try_start,
};

fn bytes(number: usize) -> SharedBytes {
    let mut bytes = SharedBytesMut::zeroed(10_000 + number).unwrap();
    bytes.fill(number as u8);
    bytes.freeze().unwrap()
}

fn are(bytes: &SharedBytes, number: usize) -> bool {
    bytes.len() == 10_000 + number && bytes.iter().all(|byte| *byte == number as u8)
}

fn add_one(given: SharedBytes) -> SharedBytes {
    let mut more = SharedBytesMut::zeroed(given.len() + 1).unwrap();
    more.fill(given[0] + 1);
    more.freeze().unwrap()
}

#[test]
fn bytes_cross_in_both_directions_whatever_the_chunks() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        assert!(are(&pool.apply(add_one, bytes(1)).unwrap(), 2));
        for size in [1, 3, 20] {
            let results = pool.chunks_of(size).map(add_one, (0..20).map(bytes)).unwrap();
            assert!(results.iter().enumerate().all(|(number, result)| are(result, number + 1)));
        }
        let results = pool.map(add_one, (0..20).map(bytes)).unwrap();
        assert!(results.iter().enumerate().all(|(number, result)| are(result, number + 1)));
        let results = pool.imap(add_one, (0..50).map(bytes));
        assert!(results.enumerate().all(|(number, result)| are(&result.unwrap(), number + 1)));
        let passed_on = pool.apply(|bytes: SharedBytes| bytes, bytes(5)).unwrap();
        assert!(are(&pool.apply(add_one, passed_on).unwrap(), 6));
    });
}

#[test]
fn bytes_cross_as_parts_of_other_values_beside_calls_without_any() {
    by_each_method(|method| {
        type Parts = Vec<(u64, Option<SharedBytes>)>;
        let reverse = |mut parts: Parts| {
            parts.reverse();
            parts.push((99, Some(SharedBytes::copy_from_slice(b"new").unwrap())));
            parts
        };
        let pool = start_pool(method, 2);
        let parts = |number: usize| -> Parts {
            (0..number % 4).map(|index| (index as u64, (index != 1).then(|| bytes(index)))).collect()
        };
        for size in [1, 7] {
            let results = pool.chunks_of(size).map(reverse, (0..30).map(parts)).unwrap();
            for (number, mut result) in results.into_iter().enumerate() {
                assert_eq!(result.pop().unwrap().1.as_deref(), Some(b"new".as_slice()));
                result.reverse();
                assert_eq!(result, parts(number));
            }
        }
    });
}

#[test]
fn no_bytes_are_bytes_too() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let nothing = SharedBytesMut::zeroed(0).unwrap().freeze().unwrap();
        assert_eq!(nothing, SharedBytes::default());
        assert_eq!(pool.apply(|bytes: SharedBytes| bytes, nothing).unwrap().len(), 0);
    });
}

#[test]
fn bytes_leave_nothing_behind_in_the_worker() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let open = |()| descriptors();
        let before = pool.apply(open, ()).unwrap();
        for number in 0..100 {
            assert!(are(&pool.apply(add_one, bytes(number)).unwrap(), number + 1));
            let panics = |bytes: SharedBytes| -> SharedBytes { panic!("{}", bytes.len()) };
            assert!(matches!(pool.apply(panics, bytes(number)), Err(Error::Panicked { .. })));
        }
        assert_eq!(pool.apply(open, ()).unwrap(), before);
    });
}

/// Long enough to be written where others stood before.
const LONG: usize = 2 << 20;

fn long(byte: u8) -> SharedBytes {
    let mut bytes = SharedBytesMut::zeroed(LONG).unwrap();
    assert!(*bytes == *vec![0; LONG]);
    bytes.fill(byte);
    bytes.freeze().unwrap()
}

fn are_all(bytes: &SharedBytes, byte: u8) -> bool {
    **bytes == *vec![byte; LONG]
}

thread_local! {
    static KEEPSAKES: RefCell<Vec<SharedBytes>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn long_bytes_stay_as_they_are_whatever_is_written_after_them() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let next = |bytes: SharedBytes| long(bytes[0] + 1);
        let mut results: VecDeque<(u8, SharedBytes)> = VecDeque::new();
        for (number, result) in (0..60).zip(pool.chunks_of(1).imap(next, (0..60).map(long))) {
            results.push_back((number + 1, result.unwrap()));
            assert!(results.iter().all(|(byte, bytes)| are_all(bytes, *byte)), "{number}");
            if results.len() > 3 {
                results.pop_front();
            }
        }
    });
}

#[test]
fn whoever_keeps_long_bytes_has_them_for_good() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let keep = |bytes: SharedBytes| KEEPSAKES.with_borrow_mut(|kept| kept.push(bytes));
        for number in 0..20 {
            // Every other one is kept there, and none here.
            if number % 2 == 0 {
                pool.apply(keep, long(number)).unwrap();
            } else {
                assert_eq!(pool.apply(|bytes: SharedBytes| bytes[LONG - 1], long(number)).unwrap(), number);
            }
        }
        let are_there = |()| {
            KEEPSAKES
                .with_borrow(|kept| kept.iter().zip(0..).all(|(bytes, number)| are_all(bytes, 2 * number)))
        };
        assert!(pool.apply(are_there, ()).unwrap());
    });
}

#[test]
fn the_memory_of_long_bytes_is_given_back_when_it_is_not_used() {
    alone(|method| {
        let pool = start_pool(method, 1);
        let open = || memories(std::process::id());
        let worker = pool.apply(|()| std::process::id(), ()).unwrap();
        let before = (open(), memories(worker));
        for number in 0..10 {
            assert!(are_all(&pool.apply(|bytes: SharedBytes| long(bytes[0]), long(number)).unwrap(), number));
        }
        let start = Instant::now();
        while (open(), memories(worker)) != before && start.elapsed() < FOREVER {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!((open(), memories(worker)), before);
        // With the last pool nothing is left at once.
        pool.apply(|bytes: SharedBytes| bytes.len(), long(1)).unwrap();
        drop(pool);
        assert_eq!(open(), before.0);
        drop(long(1));
        assert_eq!(open(), before.0);
    });
}

#[test]
fn the_death_of_a_worker_costs_its_own_call_and_the_bytes_go_to_another_on_demand() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let work = |bytes: SharedBytes| if bytes[0] == 3 { kill_self() } else { add_one(bytes) };
        let results = pool.chunks_of(4).map_each(work, (0..10).map(bytes)).unwrap();
        for (number, result) in results.into_iter().enumerate() {
            match result {
                Ok(bytes) => assert!(number != 3 && are(&bytes, number + 1)),
                Err(error) => assert!(number == 3 && matches!(error, Error::Died { .. }), "{error}"),
            }
        }
        let once = |(bytes, file): (SharedBytes, std::path::PathBuf)| {
            if std::fs::File::create_new(file).is_ok() { kill_self() } else { add_one(bytes) }
        };
        let folder = tempfile::tempdir().unwrap();
        let result = pool.retries(1).apply(once, (bytes(7), folder.path().join("begun"))).unwrap();
        assert!(are(&result, 8));
    });
}

#[test]
fn more_in_a_value_than_can_go_along_is_an_error() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let count = |parts: Vec<SharedBytes>| parts.iter().map(|bytes| usize::from(bytes[0])).sum::<usize>();
        let many = |number: usize| vec![bytes(1); number];
        assert_eq!(pool.apply(count, many(240)).unwrap(), 240);
        let error = pool.apply(count, many(241)).unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Argument, .. }), "{error}");
        let error = pool.apply(|number: usize| vec![bytes(1); number], 241).unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Result, .. }), "{error}");
        assert_eq!(pool.apply(count, many(2)).unwrap(), 2);
    });
}

#[test]
fn as_much_as_can_go_along_may_stand_beside_values_that_are_long_themselves() {
    type Parts = (Vec<SharedBytes>, Vec<(u64, u64)>);
    fn parts((count, length): (usize, usize)) -> Parts {
        (vec![bytes(1); count], vec![(7, 8); length])
    }
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let lengths = |(shared, pairs): Parts| (shared.len(), pairs.len());
        let most = (240, 70_000);
        assert_eq!(pool.apply(lengths, parts(most)).unwrap(), most);
        let (shared, pairs) = pool.apply(parts, most).unwrap();
        assert!(shared.iter().all(|bytes| are(bytes, 1)));
        assert!(pairs == [(7, 8); 70_000]);
        // One result behind the other.
        let results = pool.chunks_of(3).map(parts, [(240, 400), most, (240, 400), (3, 0)]).unwrap();
        let expected = [(240, 400), most, (240, 400), (3, 0)];
        assert_eq!(results.into_iter().map(lengths).collect::<Vec<_>>(), expected);
    });
}

#[test]
fn a_worker_without_descriptors_fails_the_call_and_gets_the_next_one_right() {
    by_each_method(|method| {
        let limit = |current: u64| {
            let limits = Rlimit { current: Some(current), ..getrlimit(Resource::Nofile) };
            setrlimit(Resource::Nofile, limits).unwrap();
        };
        let pool = start_pool(method, 1);
        let count = |parts: Vec<SharedBytes>| parts.iter().map(|bytes| usize::from(bytes[0])).sum::<usize>();
        pool.apply(limit, 40).unwrap();
        let error = pool.apply(count, vec![bytes(1); 100]).unwrap_err();
        assert!(matches!(error, Error::Deserialise { value: Value::Argument, .. }), "{error}");
        assert_eq!(pool.apply(count, vec![bytes(1); 5]).unwrap(), 5);
    });
}

#[test]
fn bytes_cross_to_single_processes_and_back() {
    by_each_method(|method| {
        assert!(are(&start(method, add_one, bytes(1)).join().unwrap(), 2));
        assert!(are_all(&start(method, |bytes: SharedBytes| long(bytes[0] + 1), long(7)).join().unwrap(), 8));
        // Beside text that goes through the channel, in a file, and in memory that is lent.
        let reverse = |(text, bytes): (String, SharedBytes)| -> (String, SharedBytes) {
            (text.chars().rev().collect(), add_one(bytes))
        };
        for length in [1, 100_000, LONG] {
            let text = |ends: [&str; 2]| ends.map(|end| end.repeat(length)).concat();
            let (reversed, more) = start(method, reverse, (text(["a", "b"]), bytes(3))).join().unwrap();
            assert!(reversed == text(["b", "a"]) && are(&more, 4));
        }
        let many = |number: usize| vec![bytes(1); number];
        let count = |parts: Vec<SharedBytes>| parts.len();
        assert_eq!(start(method, count, many(240)).join().unwrap(), 240);
        assert_eq!(start(method, |number: usize| vec![bytes(1); number], 240).join().unwrap(), many(240));
        let error = try_start(method, count, many(241)).unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Argument, .. }), "{error}");
        let error = start(method, |number: usize| vec![bytes(1); number], 241).join().unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Result, .. }), "{error}");
    });
}

#[test]
fn bytes_of_single_processes_leave_nothing_behind_and_want_descriptors() {
    alone(|method| {
        assert!(are(&start(method, add_one, bytes(1)).join().unwrap(), 2));
        let before = descriptors();
        for number in 0..20 {
            assert!(are(&start(method, add_one, bytes(number)).join().unwrap(), number + 1));
            drop(start(method, add_one, bytes(number)));
        }
        // The fork server may be at the next copy.
        assert!(descriptors().len() <= before.len() + 2);
        let process = start(method, |number: usize| vec![bytes(1); number], 100);
        let limits = Rlimit { current: Some(60), ..getrlimit(Resource::Nofile) };
        setrlimit(Resource::Nofile, limits).unwrap();
        let error = process.join().unwrap_err();
        assert!(matches!(error, Error::Deserialise { value: Value::Result, .. }), "{error}");
        let error =
            try_start(method, |parts: Vec<SharedBytes>| parts.len(), vec![bytes(1); 100]).unwrap_err();
        assert!(matches!(error, Error::Start { .. }), "{error}");
    });
}

#[test]
fn an_initializer_has_bytes_in_every_worker() {
    by_each_method(|method| {
        let keep = |bytes: SharedBytes| KEEPSAKES.with_borrow_mut(|kept| kept.push(bytes));
        let builder = Pool::builder().processes(2).start_method(method).initializer(keep, bytes(9));
        let pool = builder.max_tasks_per_child(3).build().unwrap();
        let has_it = |_: usize| KEEPSAKES.with_borrow(|kept| kept.len() == 1 && are(&kept[0], 9));
        assert_eq!(pool.chunks_of(1).map(has_it, 0..20).unwrap(), [true; 20]);
    });
}
