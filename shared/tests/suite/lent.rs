//! Long bytes, which cross in memory that is used again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use multiprocessing::Pool;

use crate::support::{FOREVER, alone, by_each_method, descriptors, kill_self, memories, start_pool};

/// Longer and shorter ones by turns.
fn text(number: usize) -> String {
    let letter = char::from(b'a' + (number % 26) as u8);
    letter.to_string().repeat((1 << 20) + number * 7919 % 5 * 300_000)
}

#[test]
fn long_bytes_are_right_whatever_crossed_before_them() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let raise = |text: String| text.to_ascii_uppercase();
        let results = pool.chunks_of(1).imap(raise, (0..40).map(text));
        for (number, result) in results.enumerate() {
            assert!(result.unwrap() == text(number).to_ascii_uppercase(), "{number}");
        }
        // More of them at a time than are kept.
        let results = pool.map(|text: String| [text.to_ascii_uppercase(), text], (0..20).map(text)).unwrap();
        for (number, [upper, lower]) in results.into_iter().enumerate() {
            assert!(lower == text(number) && upper == lower.to_ascii_uppercase(), "{number}");
        }
    });
}

#[test]
fn long_bytes_are_sent_again_when_a_worker_dies() {
    by_each_method(|method| {
        let pool = Pool::builder().start_method(method).processes(2).build().unwrap();
        let mark = tempfile::tempdir().unwrap();
        let raise = |(number, text, mark): (usize, String, PathBuf)| {
            if number == 3 && std::fs::create_dir(mark.join("was here")).is_ok() {
                kill_self();
            }
            text.to_ascii_uppercase()
        };
        let arguments = (0..8).map(|number| (number, text(number), mark.path().to_owned()));
        let results = pool.chunks_of(1).retries(1).map(raise, arguments).unwrap();
        for (number, result) in results.into_iter().enumerate() {
            assert!(result == text(number).to_ascii_uppercase(), "{number}");
        }
    });
}

#[test]
fn the_memory_of_long_bytes_is_given_back_when_there_are_none() {
    alone(|method| {
        let pool = start_pool(method, 1);
        let worker = pool.apply(|()| std::process::id(), ()).unwrap();
        let before = (memories(worker), descriptors());
        let results = pool.imap(|text: String| text, (0..10).map(text));
        // It may end on another thread than the one on which it began.
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut results = results.enumerate();
                assert!(results.all(|(number, result)| result.unwrap() == text(number)));
            });
        });
        assert_eq!(descriptors(), before.1);
        let start = Instant::now();
        while memories(worker) > before.0 && start.elapsed() < FOREVER {
            // Other calls do not hinder it.
            pool.apply(|()| (), ()).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(memories(worker), before.0);
    });
}
