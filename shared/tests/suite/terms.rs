//! The terms on which calls are made, and what handles can do with calls under way.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::support::{
    Events, FOREVER, Watched, by_each_method, kill_self, say_pid, start_pool, wait_for_death,
    wait_for_release,
};
use multiprocessing::{Error, ExitStatus};

/// Long enough for any call that is not meant to be late, and never waited for.
const AMPLE: Duration = Duration::from_secs(3600);

/// Short, for calls that never end.
const SHORT: Duration = Duration::from_millis(5);

/// More than a quick call takes on the busiest machine.
const LONG: Duration = Duration::from_secs(2);

fn square(x: u64) -> u64 {
    x * x
}

fn say_and_stay(events: PathBuf) {
    say_pid(&events);
    wait_for_death()
}

#[test]
fn a_call_past_its_time_is_ended_and_all_others_have_their_results() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        for size in [1, 7, 100] {
            let never = |_: u64| -> u64 { wait_for_death() };
            let others = pool.chunks_of(size).map_async(square, 0..200).unwrap();
            for result in pool.chunks_of(size).timeout(SHORT).map_each(never, 0..8).unwrap() {
                let is_late = matches!(result, Err(Error::TimedOut { timeout: SHORT, .. }));
                assert!(is_late, "{result:?}");
            }
            assert_eq!(others.get().unwrap(), (0..200).map(square).collect::<Vec<_>>());
        }
        let error = pool.timeout(SHORT).apply(|()| -> () { wait_for_death() }, ()).unwrap_err();
        assert!(error.to_string().contains("within 5ms: its worker was killed"), "{error}");
        assert_eq!(pool.apply(square, 3).unwrap(), 9);
    });
}

#[test]
fn the_calls_around_one_past_its_time_have_their_results() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let work = |x: u64| if x == 30 { wait_for_death() } else { square(x) };
        for (x, result) in (0..).zip(pool.chunks_of(20).timeout(LONG).map_each(work, 0..60).unwrap()) {
            match result {
                Ok(value) => assert!(x != 30 && value == square(x)),
                Err(error) => {
                    assert!(x == 30 && matches!(error, Error::TimedOut { timeout: LONG, .. }), "{x}: {error}")
                }
            }
        }
    });
}

/// The timer of one call must not strike in another one.
#[test]
fn calls_in_time_are_left_alone_and_so_are_those_after_them() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let worker = pool.apply(|()| std::process::id(), ()).unwrap();
        assert_eq!(
            pool.timeout(AMPLE).map(square, 0..1000).unwrap(),
            (0..1000).map(square).collect::<Vec<_>>()
        );
        assert_eq!(pool.timeout(Duration::MAX).apply(square, 4).unwrap(), 16);
        assert!(matches!(
            pool.timeout(AMPLE).apply(|()| -> () { panic!("in time") }, ()),
            Err(Error::Panicked { .. })
        ));
        // Longer than a call was allowed to take that went before.
        pool.timeout(LONG).apply(square, 5).unwrap();
        pool.apply(std::thread::sleep, LONG + LONG / 4).unwrap();
        assert_eq!(pool.apply(|()| std::process::id(), ()).unwrap(), worker);
    });
}

#[test]
fn a_timed_call_whose_worker_is_killed_before_has_died_and_is_not_late() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 1);
        let handle = pool.timeout(AMPLE).apply_async(say_and_stay, events.path()).unwrap();
        Watched::new(events.pids(1)[0]).kill();
        assert!(matches!(handle.get(), Err(Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. })));
    });
}

/// Says that it was called by one more byte in a file, and dies unless it has been called so often before.
fn die_until((file, calls): (PathBuf, u64)) -> u64 {
    use std::io::Write;
    let mut log = std::fs::File::options().create(true).append(true).open(&file).unwrap();
    log.write_all(&[0]).unwrap();
    let made = log.metadata().unwrap().len();
    if made < calls { kill_self() } else { made }
}

#[test]
fn a_call_is_made_again_after_the_death_of_its_worker_as_often_as_was_said() {
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let pool = start_pool(method, 2);
        let third = (folder.path().join("third"), 3);
        assert_eq!(pool.retries(2).apply(die_until, third).unwrap(), 3);
        let never = folder.path().join("never");
        let error = pool.retries(2).apply(die_until, (never.clone(), 10)).unwrap_err();
        assert!(matches!(error, Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. }));
        assert_eq!(std::fs::read(&never).unwrap().len(), 3);
        let once = folder.path().join("once");
        pool.apply(die_until, (once.clone(), 10)).unwrap_err();
        assert_eq!(std::fs::read(&once).unwrap().len(), 1);
    });
}

#[test]
fn every_call_of_a_map_has_its_own_retries() {
    by_each_method(|method| {
        for size in [1, 4, 100] {
            let folder = tempfile::tempdir().unwrap();
            let pool = start_pool(method, 2);
            let items = (0..12).map(|x: u64| (folder.path().join(x.to_string()), x % 4));
            let results = pool.chunks_of(size).retries(2).map_each(die_until, items).unwrap();
            for (x, result) in (0..).zip(results) {
                assert_eq!(result.unwrap(), u64::max(x % 4, 1));
            }
        }
    });
}

#[test]
fn what_panics_or_is_late_is_not_made_again() {
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let pool = start_pool(method, 1);
        let panics = |file: PathBuf| -> () {
            die_until((file, 0));
            panic!("once is enough")
        };
        let file = folder.path().join("panics");
        let error = pool.retries(5).apply(panics, file.clone()).unwrap_err();
        assert!(matches!(error, Error::Panicked { .. }), "{error}");
        assert_eq!(std::fs::read(file).unwrap().len(), 1);
        let is_late = |file: PathBuf| -> () {
            die_until((file, 0));
            wait_for_death()
        };
        let file = folder.path().join("is late");
        let error = pool.retries(5).timeout(SHORT).apply(is_late, file.clone()).unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        // On a busy machine it may be late before it has written anything.
        assert!(std::fs::read(file).map_or(0, |calls| calls.len()) <= 1);
    });
}

#[test]
fn a_cancelled_job_begins_no_more_calls_and_lets_the_begun_one_end() {
    by_each_method(|method| {
        let events = Events::new();
        let folder = tempfile::tempdir().unwrap();
        let pool = start_pool(method, 2);
        let work = |(number, events, folder): (u32, PathBuf, PathBuf)| {
            say_pid(&events);
            wait_for_release(&events);
            std::fs::write(folder.join(number.to_string()), "").unwrap();
        };
        let items = (0..100).map(|number| (number, events.path(), folder.path().to_owned()));
        let handle = pool.chunks_of(100).map_async(work, items).unwrap();
        events.pids(1);
        handle.cancel();
        // What was asked of the pool later is done later, so the job is cancelled when this comes back.
        assert_eq!(pool.apply(square, 7).unwrap(), 49);
        events.release();
        pool.join();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    });
}

#[test]
fn a_killed_job_takes_its_workers_with_it_and_harms_nobody_else() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 2);
        for _ in 0..10 {
            let stuck = pool.map_async(say_and_stay, vec![events.path(); 10]).unwrap();
            let others = pool.chunks_of(1).map_async(square, 0..200).unwrap();
            let workers: Vec<Watched> = events.pids(2).into_iter().map(Watched::new).collect();
            stuck.kill();
            assert!(workers.iter().all(Watched::ends));
            assert_eq!(others.get().unwrap(), (0..200).map(square).collect::<Vec<_>>());
        }
    });
}

/// Jobs that are killed while their workers come to the end of them and begin others.
#[test]
fn killing_a_job_never_hits_a_call_of_another() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        for round in 0..200 {
            let short = pool.chunks_of(1).map_async(square, 0..20).unwrap();
            let others = pool.chunks_of(1).map_async(square, round..round + 20).unwrap();
            if round % 2 == 0 {
                short.kill();
            } else {
                short.cancel();
            }
            assert_eq!(others.get().unwrap(), (round..round + 20).map(square).collect::<Vec<_>>());
        }
    });
}

#[test]
fn callbacks_get_results_and_errors_and_join_waits_for_them() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let seen = Arc::new(Mutex::new(Vec::new()));
        for x in 0..50_u64 {
            let seen = Arc::clone(&seen);
            let work = |x: u64| if x % 7 == 3 { panic!("three") } else { square(x) };
            let note = move |result: Result<u64, Error>| {
                let is_right = result.map_or(x % 7 == 3, |value| value == square(x));
                seen.lock().unwrap().push((x, is_right));
            };
            pool.apply_async(work, x).unwrap().on_done(note).unwrap();
        }
        let (sender, results) = mpsc::channel();
        let map = pool.map_async(square, 0..1000).unwrap();
        map.on_done(move |result| sender.send(result.unwrap().len()).unwrap()).unwrap();
        pool.join();
        assert_eq!(results.try_recv(), Ok(1000));
        let mut seen = std::mem::take(&mut *seen.lock().unwrap());
        seen.sort_unstable();
        assert_eq!(seen, (0..50).map(|x| (x, true)).collect::<Vec<_>>());
    });
}

#[test]
fn a_callback_that_takes_its_time_or_panics_holds_up_nobody_else() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let (release, released) = mpsc::channel::<()>();
        let (sender, results) = mpsc::channel();
        pool.apply_async(square, 1).unwrap().on_done(|_| panic!("in a callback")).unwrap();
        pool.apply_async(square, 2).unwrap().on_done(move |_| released.recv().unwrap()).unwrap();
        let next = pool.apply_async(square, 3).unwrap();
        next.on_done(move |result| sender.send(result.unwrap()).unwrap()).unwrap();
        // The pool works on, however long the second callback waits.
        assert_eq!(pool.map(square, 0..1000).unwrap().len(), 1000);
        assert!(results.try_recv().is_err());
        release.send(()).unwrap();
        assert_eq!(results.recv_timeout(FOREVER), Ok(9));
    });
}

#[test]
fn callbacks_of_lost_calls_are_told_so_and_one_may_end_the_pool() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = Arc::new(start_pool(method, 1));
        let (sender, results) = mpsc::channel();
        let stuck = pool.apply_async(say_and_stay, events.path()).unwrap();
        stuck.on_done(move |result| sender.send(result.is_err()).unwrap()).unwrap();
        events.pids(1);
        let late = pool.apply_async(square, 4).unwrap();
        let shared = Arc::clone(&pool);
        let (ready, is_ready) = mpsc::channel();
        shared.timeout(SHORT).apply_async(square, 3).unwrap().on_done(|_| ()).unwrap();
        std::thread::spawn(move || {
            shared.terminate();
            ready.send(()).unwrap();
        });
        is_ready.recv_timeout(FOREVER).unwrap();
        assert_eq!(results.try_recv(), Ok(true));
        // After the end of the pool too.
        let (sender, results) = mpsc::channel();
        late.on_done(move |result| sender.send(matches!(result, Err(Error::PoolTerminated))).unwrap())
            .unwrap();
        assert_eq!(results.recv_timeout(FOREVER), Ok(true));

        let pool = Arc::new(start_pool(method, 1));
        let (sender, ended) = mpsc::channel();
        let its_own = Arc::clone(&pool);
        let end = move |_| {
            its_own.terminate();
            sender.send(()).unwrap();
        };
        pool.apply_async(square, 3).unwrap().on_done(end).unwrap();
        ended.recv_timeout(FOREVER).unwrap();
        assert!(matches!(pool.apply(square, 1), Err(Error::PoolTerminated)));
    });
}
