//! What a pool does when a call, or a worker, comes to grief.

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{
    Events, Stubborn, Watched, all_but_one, by_each_method, descriptors, died_of, kill_self, overflow_stack,
    release, say_pid, start_pool, wait_for_death, wait_for_release,
};
use multiprocessing::{Error, ExitStatus, Pool, Value};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Signal};

fn pid(_: u8) -> u32 {
    std::process::id()
}

#[test]
fn the_first_error_of_a_map_comes_however_many_items_there_may_be() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let nonzero = |x: u64| {
            assert!(x > 0);
            x
        };
        for end in [1 << 40, u64::MAX] {
            let error = pool.map(nonzero, 0..end).unwrap_err();
            assert!(matches!(error, Error::Panicked { .. }));
        }
    });
}

#[test]
fn a_function_whose_types_have_names_beyond_measure_is_an_error_and_holds_up_nobody() {
    type Twelve<T> = (T, T, T, T, T, T, T, T, T, T, T, T);
    fn named<T: 'static>(x: u32) -> u32 {
        assert!(std::any::type_name::<T>().len() > 64 << 10);
        x
    }
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let error = pool.apply(named::<Twelve<Twelve<Twelve<Twelve<u8>>>>>, 1).unwrap_err();
        assert!(matches!(error, Error::WrongProgram { .. }));
        assert_eq!(pool.apply(|x: u32| x + 1, 1).unwrap(), 2);
    });
}

#[test]
fn map_gives_the_first_error_in_the_order_of_the_items() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        for size in [1, 4, 50] {
            let fail = |x: u32| if x % 10 == 9 { panic!("{x}") } else { x };
            match pool.chunks_of(size).map(fail, 0..1000).unwrap_err() {
                Error::Panicked { message, .. } => assert_eq!(message, "9"),
                other => panic!("{other}"),
            }
        }
    });
}

#[test]
fn after_an_error_map_begins_no_more_calls() {
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let pool = start_pool(method, 2);
        let work = |(index, folder): (u32, PathBuf)| {
            std::fs::write(folder.join(index.to_string()), "").unwrap();
            assert!(index != 0, "the first");
        };
        let items = (0..100_000).map(|index| (index, folder.path().to_owned()));
        pool.chunks_of(10).map(work, items).unwrap_err();
        pool.join();
        assert!(std::fs::read_dir(folder.path()).unwrap().count() < 50_000);
    });
}

#[test]
fn a_worker_that_kills_itself_costs_one_result_of_a_thousand() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        for size in [1, 7, 500] {
            let work = |x: u32| if x == 500 { kill_self() } else { 2 * x };
            let error = all_but_one(pool.chunks_of(size).map_each(work, 0..1000).unwrap(), 500);
            assert!(died_of(&error, ExitStatus::Signal(libc::SIGKILL)));
            assert!(error.to_string().contains("SIGKILL"));
        }
    });
}

#[test]
fn a_worker_killed_from_outside_costs_the_call_that_it_was_at() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 2);
        let work = |(x, events): (u32, PathBuf)| {
            if x == 321 {
                say_pid(&events);
                wait_for_release(&events);
            }
            2 * x
        };
        std::thread::scope(|scope| {
            let items = (0..1000).map(|x| (x, events.path()));
            let results = scope.spawn(|| pool.map_each(work, items).unwrap());
            Watched::new(events.pids(1)[0]).kill();
            let error = all_but_one(results.join().unwrap(), 321);
            assert!(died_of(&error, ExitStatus::Signal(libc::SIGKILL)));
        });
    });
}

#[test]
fn every_way_to_end_a_worker_in_a_call_is_named() {
    by_each_method(|method| {
        #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
        let exit = |x: u32| if x == 5 { std::process::exit(0) } else { 2 * x };
        let abort = |x: u32| if x == 5 { std::process::abort() } else { 2 * x };
        let overflow = |x: u32| {
            if x == 5 {
                overflow_stack();
            }
            2 * x
        };
        let pool = start_pool(method, 2);
        let error = all_but_one(pool.map_each(exit, 0..20).unwrap(), 5);
        assert!(died_of(&error, ExitStatus::Code(0)));
        let error = all_but_one(pool.map_each(abort, 0..20).unwrap(), 5);
        assert!(died_of(&error, ExitStatus::Signal(libc::SIGABRT)));
        let error = all_but_one(pool.map_each(overflow, 0..20).unwrap(), 5);
        // A test program lacks the handler that makes a SIGABRT of it; see `init_tests`.
        assert!(died_of(&error, ExitStatus::Signal(libc::SIGSEGV)));
    });
}

#[test]
fn every_worker_may_die_and_every_result_is_accounted_for() {
    by_each_method(|method| {
        let pool = start_pool(method, 3);
        let work = |x: u32| if x % 10 == 3 { kill_self() } else { 2 * x };
        let results = pool.map_each(work, 0..100).unwrap();
        for (index, result) in results.iter().enumerate() {
            match result {
                Ok(value) => assert!(*value as usize == 2 * index && index % 10 != 3),
                Err(error) => assert!(died_of(error, ExitStatus::Signal(libc::SIGKILL)) && index % 10 == 3),
            }
        }
    });
}

/// The first call waits for the last one, and the worker for that one dies in between.
#[test]
fn a_dead_worker_is_replaced_for_a_call_that_waits_behind_a_slow_one() {
    by_each_method(|method| {
        for others in 0..8 {
            let events = Events::new();
            let pool = start_pool(method, 2);
            let work = |(role, events): (u8, PathBuf)| match role {
                0 => wait_for_release(&events),
                1 => kill_self(),
                _ => release(&events),
            };
            let roles = [0].into_iter().chain((0..others).map(|_| 1)).chain([2]);
            let results = pool.chunks_of(1).map_each(work, roles.map(|role| (role, events.path()))).unwrap();
            assert_eq!(results.iter().filter(|result| result.is_err()).count(), others);
        }
    });
}

#[test]
fn an_idle_worker_that_is_killed_is_replaced() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        for _ in 0..5 {
            let worker = pool.apply(pid, 0).unwrap();
            let watched = Watched::new(worker);
            watched.kill();
            assert!(watched.ends());
            assert_ne!(pool.apply(pid, 0).unwrap(), worker);
        }
    });
}

#[test]
fn a_large_result_survives_or_dies_whole() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let work = |x: u32| if x == 2 { kill_self() } else { x.to_string().repeat(1 << 20) };
        let results = pool.chunks_of(5).map_each(work, 0..5).unwrap();
        for (index, result) in results.iter().enumerate() {
            match result {
                Ok(text) => assert!(index != 2 && *text == index.to_string().repeat(1 << 20)),
                Err(error) => assert!(index == 2 && matches!(error, Error::Died { .. })),
            }
        }
    });
}

#[test]
fn values_that_do_not_cross_fail_their_own_calls_only() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let worker = pool.apply(pid, 0).unwrap();
        let arguments = [Err(Stubborn::Unwritable), Ok(1_u8), Err(Stubborn::Unreadable), Ok(2)];
        let take = |argument: Result<u8, Stubborn>| argument.unwrap();
        let results = pool.chunks_of(4).map_each(take, arguments).unwrap();
        assert!(matches!(results[0], Err(Error::Serialise { value: Value::Argument, .. })));
        assert!(matches!(results[1], Ok(1)));
        assert!(matches!(results[2], Err(Error::Deserialise { value: Value::Argument, .. })));
        assert!(matches!(results[3], Ok(2)));
        assert!(matches!(pool.map(take, arguments), Err(Error::Serialise { value: Value::Argument, .. })));

        let give = |x: u8| [Ok(x), Err(Stubborn::Unwritable), Err(Stubborn::Unreadable)][usize::from(x)];
        let results = pool.chunks_of(3).map_each(give, 0..3).unwrap();
        assert!(matches!(results[0], Ok(Ok(0))));
        assert!(matches!(results[1], Err(Error::Serialise { value: Value::Result, .. })));
        assert!(matches!(results[2], Err(Error::Deserialise { value: Value::Result, .. })));
        assert!(matches!(pool.map(give, 0..3), Err(Error::Serialise { value: Value::Result, .. })));
        let workers = pool.map(pid, 0..50).unwrap();
        assert!(workers.contains(&worker) || pool.processes() > 1);
    });
}

#[test]
fn a_worker_ignores_ctrl_c() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let interrupt = |()| {
            rustix::process::kill_process(rustix::process::getpid(), Signal::INT).unwrap();
            std::process::id()
        };
        assert_eq!(pool.apply(interrupt, ()).unwrap(), pool.apply(pid, 0).unwrap());
    });
}

/// Writes to the worker's own channel, behind the library's back.
fn write_to_channel(bytes: &[u8]) {
    let this = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
    for number in descriptors() {
        let name = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
        if name.to_string_lossy().starts_with("socket:") {
            let channel = rustix::process::pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).unwrap();
            rustix::net::send(channel, bytes, rustix::net::SendFlags::NOSIGNAL).unwrap();
        }
    }
}

#[test]
fn a_worker_that_sends_nonsense_is_killed_and_its_pool_goes_on() {
    by_each_method(|method| {
        let nonsense: [&[u8]; 6] = [
            &[0xff; 64],
            // A frame of no bytes.
            &[0; 8],
            // Ready, a second time.
            &[1, 0, 0, 0, 0, 0, 0, 0, 0],
            // The answer of a process.
            &[1, 0, 0, 0, 0, 0, 0, 0, 2],
            // An outcome over the channel, where none was announced.
            &[7, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 7],
            // It asks for arguments that it has.
            &[1, 0, 0, 0, 0, 0, 0, 0, 5],
        ];
        for bytes in nonsense {
            let pool = start_pool(method, 1);
            let lie = |bytes: Vec<u8>| -> () {
                write_to_channel(&bytes);
                wait_for_death()
            };
            let error = pool.apply(lie, bytes.to_vec()).unwrap_err();
            assert!(died_of(&error, ExitStatus::Signal(libc::SIGKILL)), "{error}");
            assert!(pool.apply(pid, 0).is_ok());
        }
    });
}

#[test]
fn a_message_that_is_announced_and_does_not_come_holds_up_its_own_call_only() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let announce = |(events, dies): (PathBuf, bool)| -> () {
            // A frame of 1 MiB, of which ten bytes come.
            write_to_channel(&[(1_u64 << 20).to_le_bytes().as_slice(), &[3; 10]].concat());
            say_pid(&events);
            if dies { kill_self() } else { wait_for_death() }
        };
        let events = Events::new();
        let mut stuck = pool.apply_async(announce, (events.path(), false)).unwrap();
        let worker = Watched::new(events.pids(1)[0]);
        assert_eq!(pool.map(|x: u32| 2 * x, 0..100).unwrap(), (0..100).map(|x| 2 * x).collect::<Vec<_>>());
        assert!(!stuck.is_ready());
        stuck.kill();
        assert!(worker.ends());
        let error = pool.apply(announce, (events.path(), true)).unwrap_err();
        assert!(died_of(&error, ExitStatus::Signal(libc::SIGKILL)), "{error}");
        let timed = pool.timeout(Duration::from_millis(20));
        assert!(matches!(timed.apply(announce, (events.path(), false)), Err(Error::TimedOut { .. })));
        assert_eq!(pool.map(|x: u32| 2 * x, 0..3).unwrap(), [0, 2, 4]);
    });
}

/// Kills this process as soon as its first thread waits in a write to a socket.
fn die_sending() {
    let first = std::process::id();
    std::thread::spawn(move || {
        let sending = format!("{} ", libc::SYS_sendmsg);
        let call = format!("/proc/self/task/{first}/syscall");
        while !std::fs::read_to_string(&call).unwrap().starts_with(&sending) {
            std::thread::yield_now();
        }
        kill_self()
    });
}

#[test]
fn a_worker_killed_while_it_sends_costs_the_result_that_it_was_sending() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let work = |x: u32| {
            if x == 3 {
                die_sending();
                return "x".repeat(64 << 20);
            }
            x.to_string()
        };
        let results = pool.chunks_of(2).map_each(work, 0..10).unwrap();
        for (x, result) in results.into_iter().enumerate() {
            match result {
                Ok(text) if x == 3 => assert_eq!(text.len(), 64 << 20),
                Ok(text) => assert_eq!(text, x.to_string()),
                Err(error) => {
                    assert!(x == 3 && died_of(&error, ExitStatus::Signal(libc::SIGKILL)), "{x}: {error}")
                }
            }
        }
    });
}

#[test]
fn a_call_that_prints_on_every_descriptor_or_closes_them_costs_itself_at_most() {
    by_each_method(|method| {
        let hush = |()| {
            let null = std::fs::File::options().write(true).open("/dev/null").unwrap();
            rustix::stdio::dup2_stdout(&null).unwrap();
            rustix::stdio::dup2_stderr(&null).unwrap();
        };
        let print = |x: u32| {
            if x == 5 {
                let this =
                    rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
                for number in descriptors() {
                    let Ok(copy) = rustix::process::pidfd_getfd(&this, number, PidfdGetfdFlags::empty())
                    else {
                        continue;
                    };
                    let _ = rustix::io::write(copy, b"a line on every descriptor\n");
                }
            }
            2 * x
        };
        let close = |x: u32| {
            if x == 5 {
                for number in descriptors() {
                    let _ = nix::unistd::close(number);
                }
            }
            2 * x
        };
        let pool = Pool::builder().start_method(method).processes(2).initializer(hush, ()).build().unwrap();
        let printed = pool.chunks_of(1).map_each(print, 0..20).unwrap();
        let closed = pool.chunks_of(1).map_each(close, 0..20).unwrap();
        for results in [printed, closed] {
            let failed = results.iter().filter(|result| result.is_err()).count();
            // The worker is found out while it is at this call or at the next one.
            assert!(failed <= 1, "{results:?}");
            assert!(
                (0..)
                    .zip(&results)
                    .all(|(x, result)| result.as_ref().is_ok_and(|y| *y == 2 * x) || result.is_err())
            );
        }
        assert_eq!(pool.map(|x: u32| 2 * x, 0..100).unwrap(), (0..100).map(|x| 2 * x).collect::<Vec<_>>());
    });
}

/// Writes over all memory that the worker shares with its pool, as a stray pointer may.
fn overwrite_shared_memory(byte: u8) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = std::fs::File::options().write(true).open("/proc/self/mem").unwrap();
    for line in maps.lines().filter(|line| line.contains("memfd:multiprocessing")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|place| u64::from_str_radix(place, 16).unwrap());
        memory.write_all_at(&vec![byte; (end - start) as usize], start).unwrap();
    }
}

#[test]
fn a_worker_that_overwrites_its_memory_neither_hangs_nor_misleads_its_pool() {
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        for byte in [0, 1, 2, 0x5a, 0xff] {
            let work = |(index, byte): (u32, u8)| {
                if index == 7 {
                    overwrite_shared_memory(byte);
                }
                2 * index
            };
            for size in [1, 4, 30] {
                let results =
                    pool.chunks_of(size).map_each(work, (0..30).map(|index| (index, byte))).unwrap();
                for (index, result) in results.iter().enumerate() {
                    match result {
                        Ok(value) => assert_eq!(*value as usize, 2 * index),
                        Err(error) => assert!(matches!(error, Error::Died { .. }), "{error}"),
                    }
                }
            }
        }
        assert!(pool.apply(pid, 0).is_ok());
    });
}
