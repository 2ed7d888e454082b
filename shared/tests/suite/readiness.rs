//! Workers before they are ready: initializers that fail, workers that die or stick.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::{
    Events, Watched, by_each_method, descriptors, say_pid, wait_for_death, wait_for_release,
};
use multiprocessing::{Error, ExitStatus, Pool};

fn pid(_: u8) -> u32 {
    std::process::id()
}

#[test]
fn an_initializer_that_panics_is_an_error_at_once() {
    by_each_method(|method| {
        let fail = |x: u32| -> () { panic!("not {x}") };
        let pool = Pool::builder().start_method(method).processes(2).initializer(fail, 3).build().unwrap();
        let error = pool.apply(pid, 0).unwrap_err();
        assert!(matches!(error, Error::Initializer { .. }), "{error}");
        assert!(error.source().unwrap().to_string().ends_with("not 3"));
        assert!(matches!(pool.map(pid, 0..3), Err(Error::Initializer { .. })));
        assert!(matches!(pool.imap(pid, 0..3).next(), Some(Err(Error::Initializer { .. }))));
    });
}

#[test]
fn an_initializer_that_gives_an_error_is_one_at_once_and_another_result_is_none() {
    by_each_method(|method| {
        let odd = |x: u32| if x % 2 == 1 { Ok(x) } else { Err(format!("{x} is even")) };
        let builder = || Pool::builder().start_method(method).processes(2);
        let pool = builder().initializer(odd, 4).build().unwrap();
        let error = pool.apply(pid, 0).unwrap_err();
        assert!(matches!(&error, Error::Initializer { .. }), "{error}");
        assert!(error.source().unwrap().to_string().ends_with("it gave an error: 4 is even"), "{error:?}");
        let long = |length: usize| -> Result<(), String> { Err("x".repeat(length)) };
        let error = builder().initializer(long, 2 << 20).build().unwrap().apply(pid, 0).unwrap_err();
        assert!(matches!(error, Error::Initializer { .. }), "{error}");
        builder().initializer(odd, 3).build().unwrap().apply(pid, 0).unwrap();
    });
}

#[test]
fn workers_that_die_before_they_are_ready_are_not_replaced_for_ever() {
    by_each_method(|method| {
        #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
        let leave = |()| -> () { std::process::exit(3) };
        for processes in [1, 4] {
            let pool = Pool::builder()
                .start_method(method)
                .processes(processes)
                .initializer(leave, ())
                .build()
                .unwrap();
            let error = pool.map(pid, 0..10).unwrap_err();
            assert!(
                matches!(error, Error::WorkersDie { attempts: 3, status: ExitStatus::Code(3) }),
                "{error}"
            );
        }
    });
}

#[test]
fn who_asks_again_and_again_hears_that_no_worker_can_be_had() {
    by_each_method(|method| {
        #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
        let leave = |()| -> () { std::process::exit(3) };
        let pool = Pool::builder().start_method(method).processes(2).initializer(leave, ()).build().unwrap();
        let mut call = pool.apply_async(pid, 0).unwrap();
        while !call.is_ready() {}
        let error = call.get().unwrap_err();
        assert!(matches!(error, Error::WorkersDie { attempts: 3, .. }), "{error}");
    });
}

#[test]
fn the_end_of_a_pool_waits_for_no_worker_that_is_not_ready_in_time() {
    by_each_method(|method| {
        let stick = |closes: bool| -> () {
            if closes {
                descriptors().into_iter().for_each(|number| nix::unistd::close(number).unwrap_or_default());
            }
            wait_for_death()
        };
        for closes in [false, true] {
            let timeout = if closes { Duration::MAX } else { Duration::from_millis(100) };
            let builder = Pool::builder().start_method(method).processes(2).start_timeout(timeout);
            let pool = builder.initializer(stick, closes).build().unwrap();
            pool.join();
        }
    });
}

#[test]
fn a_worker_killed_while_it_starts_is_replaced() {
    by_each_method(|method| {
        let events = Events::new();
        let prepare = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let pool = Pool::builder()
            .start_method(method)
            .processes(2)
            .initializer(prepare, events.path())
            .build()
            .unwrap();
        let results = pool.map_async(|x: u32| 2 * x, 0..100).unwrap();
        Watched::new(events.pids(2)[1]).kill();
        // The one in its place.
        Watched::new(events.pids(1)[0]).kill();
        events.pids(1);
        (0..2).for_each(|_| events.release());
        assert_eq!(results.get().unwrap(), (0..100).map(|x| 2 * x).collect::<Vec<_>>());
    });
}

#[test]
fn a_worker_that_sticks_before_it_is_ready_holds_up_neither_the_others_nor_the_end() {
    by_each_method(|method| {
        let events = Events::new();
        let folder = tempfile::tempdir().unwrap();
        let first_sticks = |(events, file): (PathBuf, PathBuf)| {
            if std::fs::File::create_new(file).is_ok() {
                say_pid(&events);
                wait_for_death()
            }
        };
        let argument = (events.path(), folder.path().join("stuck"));
        let pool = Pool::builder()
            .start_method(method)
            .processes(2)
            .initializer(first_sticks, argument)
            .build()
            .unwrap();
        let stuck = Watched::new(events.pids(1)[0]);
        assert_eq!(pool.map(|x: u32| 2 * x, 0..100).unwrap(), (0..100).map(|x| 2 * x).collect::<Vec<_>>());
        pool.terminate();
        assert!(stuck.ends());
    });
}

/// An initializer that does not come to an end.
fn stick(events: PathBuf) {
    say_pid(&events);
    wait_for_death()
}

#[test]
fn workers_that_are_not_ready_in_time_are_killed_and_the_pool_gives_up() {
    by_each_method(|method| {
        for processes in [1, 4] {
            let timeout = Duration::from_millis(100);
            let events = Events::new();
            let builder = Pool::builder().start_method(method).processes(processes).start_timeout(timeout);
            let pool = builder.initializer(stick, events.path()).build().unwrap();
            let error = pool.map(pid, 0..10).unwrap_err();
            let is_told =
                matches!(error, Error::StartTimedOut { attempts: 3, timeout: told } if told == timeout);
            assert!(is_told, "{error}");
            assert!(error.to_string().contains("not ready within 100ms"), "{error}");
            assert!(matches!(pool.apply(pid, 0), Err(Error::StartTimedOut { .. })));
        }
    });
}

/// One of the workers sticks, once.
#[test]
fn a_worker_that_is_not_ready_in_time_costs_nothing_but_itself() {
    by_each_method(|method| {
        let events = Events::new();
        let folder = tempfile::tempdir().unwrap();
        let first_sticks = |(events, file): (PathBuf, PathBuf)| {
            if std::fs::File::create_new(file).is_ok() {
                stick(events);
            }
        };
        // Longer than a good worker takes on the busiest machine.
        let builder = Pool::builder().start_method(method).processes(2).start_timeout(Duration::from_secs(2));
        let argument = (events.path(), folder.path().join("stuck"));
        let pool = builder.initializer(first_sticks, argument).build().unwrap();
        let stuck = Watched::new(events.pids(1)[0]);
        assert_eq!(pool.map(|x: u32| 2 * x, 0..100).unwrap(), (0..100).map(|x| 2 * x).collect::<Vec<_>>());
        assert!(stuck.ends());
        // There are two again, since these calls wait for each other.
        let meet = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let meeting = pool.chunks_of(1).map_async(meet, vec![events.path(); 2]).unwrap();
        events.pids(2);
        (0..2).for_each(|_| events.release());
        meeting.get().unwrap();
    });
}

#[test]
fn workers_may_take_any_time_where_that_is_said() {
    let pool = Pool::builder().processes(1).start_timeout(Duration::MAX).build().unwrap();
    assert_eq!(pool.map(|x: u32| 2 * x, 0..3).unwrap(), [0, 2, 4]);
}

/// Whether a pool's manager comes to wait without a time in the calls of this process's parent.
fn managers_wait_for_events_alone(_: u8) -> bool {
    let tasks = format!("/proc/{}/task", std::os::unix::process::parent_id());
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let poll = format!("{} ", libc::SYS_ppoll);
    // All threads of this library have this name, cut off as the kernel does it; the manager is the one in ppoll(2).
    let is_ours = |task: &PathBuf| read(task.join("comm")) == "multiprocessing\n";
    let calls = || {
        let tasks = std::fs::read_dir(&tasks).unwrap().flatten().map(|task| task.path()).filter(is_ours);
        tasks.map(|task| read(task.join("syscall"))).filter(|call| call.starts_with(&poll))
    };
    let has_time = |call: String| call.split(' ').nth(3) != Some("0x0");
    let started = Instant::now();
    while calls().next().is_none() || calls().any(has_time) {
        if started.elapsed() > Duration::from_secs(20) {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn once_all_workers_are_ready_nobody_waits_for_time() {
    by_each_method(|method| {
        for _ in 0..10 {
            let pool = Pool::builder().start_method(method).processes(3).build().unwrap();
            assert!(pool.apply(managers_wait_for_events_alone, 0).unwrap());
        }
    });
}
