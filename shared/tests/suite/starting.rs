//! How processes are started: by either method, and what may go wrong at it.

use std::fs;
use std::path::PathBuf;

use crate::support::{
    Events, FOREVER, METHODS, Watched, alone, by_each_method, descriptors, double, kill_self, overflow_stack,
    panic_twice, said_children, say_children, say_pid, start, start_pool, wait_for_death, wait_for_release,
};
use multiprocessing::{
    Builder, Error, ExitStatus, OnDrop, Pool, Process, SharedBytes, StartMethod, active_children, spawn,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, Signal};
#[test]
fn either_method_brings_values_of_any_size_across() {
    for method in METHODS {
        assert_eq!(start(method, double, 21).join().unwrap(), 42);
        for size in [0, 10_000, 16 << 10, 17 << 10, 100_000, 3 << 20] {
            let text = "x".repeat(size);
            assert_eq!(start(method, |text: String| text + "!", text.clone()).join().unwrap(), text + "!");
        }
    }
}

#[test]
fn either_method_tells_how_a_process_ended() {
    #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
    let exit = |code: i32| -> () { std::process::exit(code) };
    let died = |result: Result<(), Error>| match result.unwrap_err() {
        Error::Died { status, .. } => status,
        other => panic!("{other}"),
    };
    for method in METHODS {
        assert_eq!(died(start(method, exit, 3).join()), ExitStatus::Code(3));
        assert_eq!(
            died(start(method, |()| std::process::abort(), ()).join()),
            ExitStatus::Signal(libc::SIGABRT)
        );
        assert_eq!(
            died(start(method, |()| -> () { kill_self() }, ()).join()),
            ExitStatus::Signal(libc::SIGKILL)
        );
        match start(method, |()| -> () { panic!("on purpose") }, ()).join().unwrap_err() {
            Error::Panicked { message, location, .. } => {
                assert!(message == "on purpose" && location.unwrap().contains("starting.rs"));
            }
            other => panic!("{other}"),
        }
        match start(method, |()| -> () { std::panic::panic_any(7) }, ()).join().unwrap_err() {
            Error::Panicked { message, .. } => assert_eq!(message, "a value that is not text"),
            other => panic!("{other}"),
        }
        let aborted = died(start(method, |()| panic_twice(), ()).join());
        assert_eq!(aborted, ExitStatus::Signal(libc::SIGABRT));
        // A test program lacks the handler that makes a SIGABRT of it; see `init_tests`.
        let overflown = died(start(method, |()| overflow_stack(), ()).join());
        assert_eq!(overflown, ExitStatus::Signal(libc::SIGSEGV));
        let mut process = start(method, |()| -> () { wait_for_death() }, ());
        process.terminate();
        assert!(matches!(process.join_timeout(FOREVER), Some(Err(Error::Died { .. }))));
        assert_eq!(process.exit_status(), Some(ExitStatus::Signal(libc::SIGTERM)));
    }
}

#[test]
fn either_method_gives_a_child_its_parents_world_of_that_moment() {
    alone(|method| {
        start(method, double, 0).join().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        let printed = folder.path().join("printed");
        rustix::stdio::dup2_stdout(fs::File::create(&printed).unwrap()).unwrap();
        rustix::stdio::dup2_stderr(fs::File::create(&printed).unwrap()).unwrap();
        let look = |()| {
            println!("{}", std::env::current_dir().unwrap().display());
            let input = std::io::read_to_string(std::io::stdin()).unwrap();
            let variables: Vec<(String, String)> = std::env::vars().collect();
            (variables, std::env::args().collect::<Vec<_>>(), input)
        };
        let process =
            Builder::new().start_method(method).env("A_VARIABLE", "a value").spawn(look, ()).unwrap();
        let (mut variables, arguments, input) = process.join().unwrap();
        let added = variables.iter().position(|(name, _)| name == "A_VARIABLE").unwrap();
        assert_eq!(variables.remove(added).1, "a value");
        variables.sort();
        let mut expected: Vec<_> = std::env::vars().collect();
        expected.sort();
        assert_eq!(variables, expected);
        assert_eq!(arguments, std::env::args().collect::<Vec<_>>());
        assert_eq!(input, "");
        let here = std::env::current_dir().unwrap();
        assert_eq!(fs::read_to_string(printed).unwrap(), format!("{}\n", here.display()));
    });
}

#[test]
fn a_program_that_has_closed_its_standard_streams_starts_children_all_the_same() {
    alone(|method| {
        for number in [0, 1] {
            nix::unistd::close(number).unwrap();
            assert_eq!(start(method, double, 4).join().unwrap(), 8);
            let bytes = SharedBytes::copy_from_slice(b"some").unwrap();
            assert_eq!(start_pool(method, 1).apply(|bytes: SharedBytes| bytes.len(), bytes).unwrap(), 4);
        }
    });
}

#[test]
fn no_signal_is_blocked_in_a_child() {
    by_each_method(|method| {
        let blocked = |()| {
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            u64::from_str_radix(blocked.trim(), 16).unwrap()
        };
        assert_eq!(start(method, blocked, ()).join().unwrap(), 0);
        assert_eq!(start_pool(method, 1).apply(blocked, ()).unwrap(), 0);
    });
}

#[test]
fn a_builder_gives_a_child_another_folder_and_other_streams() {
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| fs::File::create(folder.path().join(name)).unwrap();
        fs::write(folder.path().join("input"), "what is read").unwrap();
        let act = |()| {
            print!("{}", std::io::read_to_string(std::io::stdin()).unwrap());
            eprint!("an error");
            std::env::current_dir().unwrap()
        };
        let builder = Builder::new().start_method(method).current_dir(folder.path());
        let process = builder
            .clone()
            .stdin(fs::File::open(folder.path().join("input")).unwrap())
            .stdout(file("output"))
            .stderr(file("errors"))
            .spawn(act, ());
        assert_eq!(process.unwrap().join().unwrap(), folder.path().canonicalize().unwrap());
        let written = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((written("output").as_str(), written("errors").as_str()), ("what is read", "an error"));
        // One file for both streams.
        let both = file("both");
        let builder = builder.stdout(both.try_clone().unwrap()).stderr(both);
        builder.clone().spawn(act, ()).unwrap().join().unwrap();
        assert_eq!(written("both"), "an error");
        let refused = builder.current_dir(folder.path().join("missing")).spawn(act, ()).unwrap_err();
        let Error::Start { source } = refused else { panic!("{refused}") };
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    });
}

#[test]
fn a_large_environment_crosses() {
    for method in METHODS {
        let length = |()| std::env::var("LARGE").unwrap().len();
        let process = Builder::new().start_method(method).env("LARGE", "x".repeat(100_000)).spawn(length, ());
        assert_eq!(process.unwrap().join().unwrap(), 100_000);
    }
}

#[test]
fn either_method_leaves_a_child_no_descriptor_that_is_not_its_own() {
    alone(|method| {
        let descriptors = |()| {
            let folder = fs::read_dir("/proc/self/fd").unwrap();
            let targets = folder.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
            targets.map(|target| target.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let before = descriptors(());
        let others: Vec<_> = (0..3).map(|_| start(method, |()| -> () { wait_for_death() }, ())).collect();
        let found = start(method, descriptors, ()).join().unwrap();
        others.iter().for_each(Process::kill);
        let new = found.iter().filter(|target| !before.contains(target) && !target.starts_with("/proc/"));
        let new: Vec<_> = new.collect();
        // Its channel.
        assert!(new.len() == 1 && new[0].starts_with("socket:"), "{found:?}");
        if method == StartMethod::ForkServer {
            let standard_streams_channel_and_folder_read = 5;
            assert_eq!(found.len(), standard_streams_channel_and_folder_read, "{found:?}");
        }
    });
}

#[test]
fn a_child_may_write_and_shut_down_whatever_it_has() {
    let vandalise = |()| {
        let this = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).unwrap();
        for number in descriptors().into_iter().filter(|number| *number > 2) {
            if let Ok(file) = rustix::process::pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) {
                let _ = rustix::io::write(&file, b"noise");
                let _ = rustix::net::shutdown(&file, rustix::net::Shutdown::Both);
            }
        }
    };
    for method in METHODS {
        let error = start(method, vandalise, ()).join().unwrap_err();
        assert!(matches!(error, Error::Died { status: ExitStatus::Code(0), .. }), "{error}");
        assert_eq!(start(method, double, 4).join().unwrap(), 8);
    }
}

#[test]
fn a_process_that_is_stopped_before_it_is_ready_can_be_waited_for_and_killed() {
    for method in METHODS {
        let mut process = start(method, double, 3);
        let pid = Pid::from_raw(process.pid().cast_signed()).unwrap();
        rustix::process::kill_process(pid, Signal::STOP).unwrap();
        let early = process.join_timeout(std::time::Duration::from_millis(20));
        process.kill();
        // It may have been done before the signal came.
        match early.or_else(|| process.join_timeout(FOREVER)).unwrap() {
            Ok(result) => assert_eq!(result, 6),
            Err(error) => {
                assert!(matches!(error, Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. }))
            }
        }
    }
}

#[test]
fn a_process_killed_while_it_starts_is_reported() {
    for method in METHODS {
        for _ in 0..20 {
            let process = start(method, double, 3);
            process.kill();
            match process.join() {
                Ok(result) => assert_eq!(result, 6),
                Err(error) => {
                    assert!(
                        matches!(error, Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. }),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_signal_sent_right_after_the_start_arrives() {
    for method in METHODS {
        for _ in 0..20 {
            let mut process = start(method, |()| -> () { wait_for_death() }, ());
            process.terminate();
            assert!(process.join_timeout(FOREVER).unwrap().is_err());
            assert_eq!(process.exit_status(), Some(ExitStatus::Signal(libc::SIGTERM)));
        }
    }
}

#[test]
fn a_signal_that_ends_the_group_leaves_nothing() {
    let parent = |(index, events): (usize, PathBuf)| {
        rustix::process::setpgid(None, None).unwrap();
        let stay = |events: PathBuf| -> () {
            say_pid(&events);
            wait_for_death()
        };
        let _child = start(METHODS[index], stay, events.clone());
        say_children(&events);
        wait_for_death()
    };
    for index in 0..METHODS.len() {
        let events = Events::new();
        let process: Process<()> = spawn(parent, (index, events.path())).unwrap();
        let all = said_children(&events, 1);
        // As Ctrl-C does, which may be ignored where the tests run in the background.
        let group = Pid::from_raw(process.pid().cast_signed()).unwrap();
        rustix::process::kill_process_group(group, Signal::USR1).unwrap();
        assert!(all.iter().all(Watched::ends));
        assert!(matches!(process.join(), Err(Error::Died { status: ExitStatus::Signal(libc::SIGUSR1), .. })));
    }
}

#[test]
fn nothing_outlives_a_parent_that_is_killed() {
    let parent = |(index, events): (usize, PathBuf)| {
        let stay = |events: PathBuf| -> () {
            say_pid(&events);
            loop {
                std::hint::spin_loop();
            }
        };
        let _child = start(METHODS[index], stay, events.clone());
        say_children(&events);
        wait_for_death()
    };
    for index in 0..METHODS.len() {
        let events = Events::new();
        let process: Process<()> = spawn(parent, (index, events.path())).unwrap();
        let all = said_children(&events, 1);
        process.kill();
        assert!(all.iter().all(Watched::ends));
    }
}

#[test]
fn threads_may_start_processes_at_once() {
    std::thread::scope(|scope| {
        for method in METHODS {
            for x in 0..8 {
                scope.spawn(move || assert_eq!(start(method, double, x).join().unwrap(), 2 * x));
            }
        }
    });
}

#[test]
fn a_process_without_descriptors_to_spare_gets_an_error_and_recovers() {
    alone(|method| {
        start(method, double, 0).join().unwrap();
        let before = rustix::process::getrlimit(Resource::Nofile);
        let (mut refused, mut started) = (0, 0);
        for most in 3..30 {
            let limit = Rlimit { current: Some(most), ..before };
            rustix::process::setrlimit(Resource::Nofile, limit).unwrap();
            let result = Builder::new().start_method(method).spawn(double, most).map(Process::join);
            rustix::process::setrlimit(Resource::Nofile, before).unwrap();
            match result {
                Ok(Ok(result)) => {
                    assert_eq!(result, 2 * most);
                    started += 1;
                }
                Err(Error::Start { source }) => {
                    // The limit is also one of descriptors that are on their way, for all processes of a user: unix(7).
                    let codes = [libc::EMFILE, libc::ETOOMANYREFS].map(Some);
                    assert!(codes.contains(&source.raw_os_error()), "{source}");
                    refused += 1;
                }
                // The limit is the child's as well, and its loader needs one to open the libraries.
                Ok(Err(Error::Died { status: ExitStatus::Code(127), .. })) => refused += 1,
                Ok(Err(error)) | Err(error) => panic!("{error}"),
            }
        }
        assert!(refused > 0 && started > 0, "{refused} refused, {started} started");
        assert_eq!(start(method, double, 4).join().unwrap(), 8);
        assert!(active_children().is_empty());
    });
}

#[test]
fn a_dropped_process_ends_as_its_builder_says() {
    for method in METHODS {
        let events = Events::new();
        let wait = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let builder = Builder::new().start_method(method);
        let killed = builder.clone().on_drop(OnDrop::Kill).spawn(wait, events.path()).unwrap();
        let watched = Watched::new(events.pids(1)[0]);
        drop(killed);
        assert!(watched.ends());
        let joined = builder.spawn(wait, events.path()).unwrap();
        let watched = Watched::new(events.pids(1)[0]);
        events.release();
        drop(joined);
        assert!(watched.ends());
    }
}

#[test]
fn a_pool_works_by_either_method() {
    for method in METHODS {
        let prepare = |text: String| assert_eq!(text.len(), 100_000);
        let pool =
            Pool::builder().processes(3).start_method(method).initializer(prepare, "x".repeat(100_000));
        let pool = pool.build().unwrap();
        assert_eq!(pool.map(double, 0..1000).unwrap(), (0..1000).map(double).collect::<Vec<_>>());
        let work = |x: u64| if x == 5 { kill_self() } else { x };
        let results = pool.map_each(work, 0..20).unwrap();
        assert!(results.iter().enumerate().all(|(index, result)| result.is_ok() == (index != 5)));
        assert_eq!(pool.apply(double, 4).unwrap(), 8);
    }
}

#[test]
fn children_of_children_may_be_started_by_either_method() {
    for (index, method) in METHODS.into_iter().enumerate() {
        let through = |outer: usize| {
            let inner = |inner: usize| start(METHODS[inner], double, 4).join().unwrap();
            METHODS.map(|method| start(method, inner, outer).join().unwrap())
        };
        assert_eq!(start(method, through, index).join().unwrap(), [8, 8]);
    }
}
