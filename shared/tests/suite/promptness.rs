//! When results come: each as soon as it is there, whatever else its worker or others have to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Events, by_each_method, wait_for_release};
use multiprocessing::Pool;

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
