//! The protocols of the shared memory under `loom`, which runs each test in every order in which its threads
//! can go on, and with every value that the orderings allow a load to give.
//!
//! Bytes are modelled as relaxed words: where an ordering is missing, a reader finds an old one. What is
//! slept on is modelled as a lock and a condition, so that a wake-up that is lost is a deadlock, which `loom`
//! reports.

use std::sync::atomic::Ordering;

use loom::sync::atomic::{AtomicU64, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::alarm::{self, News};
use super::claims::{self, Offers};
use super::results::{Reader, Writer};
use super::word::Word;

impl Word for AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }

    fn add(&self, value: u64, order: Ordering) {
        self.fetch_add(value, order);
    }

    fn exchange(&self, current: u64, new: u64, order: Ordering) -> bool {
        self.compare_exchange(current, new, order, Ordering::Relaxed).is_ok()
    }

    fn fence() {
        fence(Ordering::SeqCst);
    }
}

fn words(count: usize) -> Arc<Vec<AtomicU64>> {
    Arc::new((0..count).map(|_| AtomicU64::new(0)).collect())
}

/// Tries all orders in which a thread is held up at most twice while it could go on. That finds nearly
/// everything, in a second where all orders take minutes.
fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(test);
}

/// What a sleeper sleeps on.
#[derive(Default)]
struct Bed {
    lock: Mutex<()>,
    woken: Condvar,
}

impl Bed {
    /// As futex(2) does: sleeps only if the word has this value, and nobody can wake in between.
    fn sleep_if(&self, word: &AtomicU64, value: u64) {
        let guard = self.lock.lock().unwrap();
        if word.load(Ordering::Relaxed) == value {
            drop(self.woken.wait(guard).unwrap());
        }
    }

    fn wake(&self) {
        let _guard = self.lock.lock().unwrap();
        self.woken.notify_one();
    }
}

#[test]
fn every_chunk_has_one_owner_and_is_seen_whole() {
    loom::model(|| {
        let (word, bytes) = (words(1), words(2));
        let worker = {
            let (word, bytes) = (Arc::clone(&word), Arc::clone(&bytes));
            move |begun: usize| {
                let claim =
                    |place: usize| claims::claim(&word[0]).then(|| bytes[place].load(Ordering::Relaxed));
                (begun..2).map_while(claim).collect::<Vec<u64>>()
            }
        };
        let running = thread::spawn({
            let worker = worker.clone();
            move || worker(0)
        });
        let mut offers = Offers::default();
        bytes[0].store(10, Ordering::Relaxed);
        bytes[1].store(11, Ordering::Relaxed);
        offers.offer(&word[0], 2);
        let taken = offers.take_back(&word[0], 1, 2).unwrap();
        if taken == 1 {
            // The place of the chunk that was taken back is written anew.
            bytes[1].store(21, Ordering::Relaxed);
            offers.offer(&word[0], 1);
        }
        let mut seen = running.join().unwrap();
        seen.extend(worker(seen.len()));
        assert_eq!(seen, [10, if taken == 1 { 21 } else { 11 }]);
        assert_eq!(offers.unclaimed(&word[0], 2), Ok(0));
    });
}

#[test]
fn a_sleeper_never_misses_the_news() {
    for (waits_for, comes) in [(News::Any, News::Any), (News::Room, News::Room), (News::Room, News::Any)] {
        loom::model(move || {
            let (words, bed) = (words(2), Arc::new(Bed::default()));
            alarm::prepare(&words[0]);
            let waker = thread::spawn({
                let (words, bed) = (Arc::clone(&words), Arc::clone(&bed));
                move || {
                    words[1].store(1, Ordering::Relaxed);
                    if alarm::goes_off(&words[0], comes) {
                        bed.wake();
                    }
                }
            });
            let ready = || words[1].load(Ordering::Relaxed) == 1;
            alarm::sleep(&words[0], waits_for, ready, || bed.sleep_if(&words[0], waits_for as u64));
            waker.join().unwrap();
        });
    }
}

/// The manager sleeps on a channel, where a message stays until it is read.
#[test]
fn a_manager_that_sleeps_gets_a_message() {
    model(|| {
        let (words, mail) = (words(2), Arc::new((Mutex::new(false), Condvar::new())));
        alarm::prepare(&words[0]);
        let worker = thread::spawn({
            let (words, mail) = (Arc::clone(&words), Arc::clone(&mail));
            move || {
                for news in 1..=2 {
                    words[1].store(news, Ordering::Relaxed);
                    if alarm::goes_off(&words[0], News::Any) {
                        *mail.0.lock().unwrap() = true;
                        mail.1.notify_one();
                    }
                }
            }
        });
        loop {
            let seen = words[1].load(Ordering::Relaxed);
            if seen == 2 {
                break;
            }
            alarm::set(&words[0], News::Any);
            if words[1].load(Ordering::Relaxed) == seen {
                let mut has_mail = mail.0.lock().unwrap();
                while !*has_mail {
                    has_mail = mail.1.wait(has_mail).unwrap();
                }
                *has_mail = false;
            }
            alarm::clear(&words[0]);
        }
        worker.join().unwrap();
    });
}

/// The worker tells of a result without waking anybody, and turns to a call that never ends.
#[test]
fn a_manager_that_has_asked_and_sleeps_hears_of_what_was_told_before() {
    model(|| {
        let (words, mail) = (words(4), Arc::new((Mutex::new(false), Condvar::new())));
        let [alarm, poked, published, announced] = [0, 1, 2, 3];
        alarm::prepare(&words[alarm]);
        let worker = thread::spawn({
            let (words, mail) = (Arc::clone(&words), Arc::clone(&mail));
            move || {
                let mut writer = Writer::new(1);
                writer.publish(&words[published], &[7], |_, _| {});
                writer.announce(&words[announced], |_, _| {});
                AtomicU64::fence();
                let is_asked = words[poked].load(Ordering::Acquire) != 0;
                if is_asked && alarm::goes_off(&words[alarm], News::Any) {
                    *mail.0.lock().unwrap() = true;
                    mail.1.notify_one();
                }
            }
        });
        words[poked].store(1, Ordering::Release);
        alarm::set(&words[alarm], News::Any);
        if !Reader::new(1).has_news(&words[announced]) {
            let mut has_mail = mail.0.lock().unwrap();
            while !*has_mail {
                has_mail = mail.1.wait(has_mail).unwrap();
            }
        }
        worker.join().unwrap();
    });
}

#[test]
fn results_are_taken_as_they_were_published_and_none_is_overwritten_before() {
    const CAPACITY: usize = 1;
    model(|| {
        let (words, bytes) = (words(3), words(CAPACITY));
        let [published, announced, taken] = [0, 1, 2];
        let worker = thread::spawn({
            let (words, bytes) = (Arc::clone(&words), Arc::clone(&bytes));
            move || {
                let mut writer = Writer::new(CAPACITY);
                for value in 1..=2_u8 {
                    while !writer.has_room(&words[taken], 1) {
                        thread::yield_now();
                    }
                    let write = |at: usize, outcome: &[u8]| {
                        bytes[at].store(u64::from(outcome[0]), Ordering::Relaxed);
                    };
                    writer.publish(&words[published], &[value], write);
                    writer.announce(&words[announced], write);
                }
            }
        });
        let mut reader = Reader::new(CAPACITY);
        let mut row = Vec::new();
        while row.len() < 2 {
            let copy = |place: std::ops::Range<usize>| {
                row.extend(place.map(|at| bytes[at].load(Ordering::Relaxed)));
            };
            reader.take(&words[announced], &words[taken], copy).unwrap();
            thread::yield_now();
        }
        assert_eq!(row, [1, 2]);
        worker.join().unwrap();
    });
}
