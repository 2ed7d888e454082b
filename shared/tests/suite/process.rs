//! One process, one call.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{
    Events, FOREVER, Stubborn, Watched, by_each_method, kill_self, say_pid, try_start, wait_for_death,
    wait_for_release,
};
use multiprocessing::{Builder, Error, ExitStatus, OnDrop, Value, spawn};
use serde::{Deserialize, Serialize};

fn square(x: u64) -> u64 {
    x * x
}

fn describe<T: std::fmt::Debug>(value: T) -> String {
    format!("{value:?}")
}

#[test]
fn a_function_runs_in_another_process_and_its_result_comes_back() {
    assert_eq!(spawn(square, 12).unwrap().join().unwrap(), 144);
    let process = spawn(|()| std::process::id(), ()).unwrap();
    let pid = process.pid();
    assert_ne!(pid, std::process::id());
    assert_eq!(process.join().unwrap(), pid);
}

#[test]
fn values_of_every_shape_cross() {
    by_each_method(|method| {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        enum Shape {
            Unit,
            Tuple(String, Option<i8>),
            Struct { map: BTreeMap<String, Vec<f64>>, path: PathBuf },
        }
        let map = BTreeMap::from([("ü".to_owned(), vec![0.1, f64::INFINITY])]);
        let shapes = || {
            vec![
                Shape::Unit,
                Shape::Tuple("x".into(), None),
                Shape::Struct { map: map.clone(), path: "/tmp".into() },
            ]
        };
        let process = try_start(method, |shapes: Vec<Shape>| shapes, shapes()).unwrap();
        assert_eq!(process.join().unwrap(), shapes());
    });
}

#[test]
fn a_generic_function_crosses_for_each_of_its_types() {
    by_each_method(|method| {
        assert_eq!(try_start(method, describe::<u8>, 7).unwrap().join().unwrap(), "7");
        assert_eq!(try_start(method, describe::<String>, "7".to_owned()).unwrap().join().unwrap(), "\"7\"");
    });
}

#[test]
fn an_argument_and_a_result_larger_than_any_buffer_cross() {
    by_each_method(|method| {
        let process = try_start(method, |text: String| text + "!", "x".repeat(20 << 20)).unwrap();
        let result = process.join().unwrap();
        assert_eq!(result.len(), (20 << 20) + 1);
        assert!(result.ends_with("x!"));
    });
}

#[test]
fn processes_run_side_by_side() {
    by_each_method(|method| {
        let events = Events::new();
        let wait = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
            std::process::id()
        };
        let processes: Vec<_> = (0..3).map(|_| try_start(method, wait, events.path()).unwrap()).collect();
        let mut alive = events.pids(3);
        alive.sort_unstable();
        assert!(processes.iter().all(|process| process.is_alive()));
        let mut expected: Vec<u32> = processes.iter().map(|process| process.pid()).collect();
        expected.sort_unstable();
        assert_eq!(alive, expected);
        processes.iter().for_each(|_| events.release());
        for process in processes {
            let pid = process.pid();
            assert_eq!(process.join().unwrap(), pid);
        }
    });
}

#[test]
fn a_panic_comes_back_with_its_text_and_its_place() {
    let process = spawn(|x: i32| -> i32 { panic!("no {x} today") }, 5).unwrap();
    let line = line!() - 1;
    match process.join().unwrap_err() {
        Error::Panicked { message, location, function } => {
            assert_eq!(message, "no 5 today");
            assert!(location.unwrap().starts_with(&format!("{}:{line}:", file!())));
            assert!(function.contains("a_panic_comes_back"));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_panicked_process_leaves_with_the_code_of_a_panic() {
    by_each_method(|method| {
        let mut process = try_start(method, |()| -> () { panic!("on purpose") }, ()).unwrap();
        assert!(matches!(process.join_timeout(FOREVER), Some(Err(Error::Panicked { .. }))));
        assert_eq!(process.exit_status(), Some(ExitStatus::Code(101)));
    });
}

#[test]
fn a_panic_with_something_other_than_text_comes_back_too() {
    by_each_method(|method| {
        struct DropsBadly;
        impl Drop for DropsBadly {
            fn drop(&mut self) {
                panic!("once more");
            }
        }
        let process = try_start(method, |()| -> () { std::panic::panic_any(DropsBadly) }, ()).unwrap();
        match process.join().unwrap_err() {
            Error::Panicked { message, .. } => assert_eq!(message, "a value that is not text"),
            other => panic!("{other}"),
        }
    });
}

#[test]
fn a_process_that_ends_before_its_result_tells_how() {
    by_each_method(|method| {
        #[expect(clippy::disallowed_methods, reason = "this is the behaviour under test")]
        let exit = |code: i32| -> () { std::process::exit(code) };
        let died = |status| {
            move |error: Error| {
                assert!(matches!(error, Error::Died { status: s, .. } if s == status), "{error}")
            }
        };
        try_start(method, exit, 3).unwrap().join().map_err(died(ExitStatus::Code(3))).unwrap_err();
        try_start(method, exit, 0).unwrap().join().map_err(died(ExitStatus::Code(0))).unwrap_err();
        let abort = |()| -> () { std::process::abort() };
        try_start(method, abort, ())
            .unwrap()
            .join()
            .map_err(died(ExitStatus::Signal(libc::SIGABRT)))
            .unwrap_err();
        let killed = |()| -> () { kill_self() };
        let error = try_start(method, killed, ()).unwrap().join().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("get the result of `suite::process::a_process_that_ends_before"), "{text}");
        assert!(
            text.contains("`: `Process-") && text.ends_with("` ended before, with signal 9 (SIGKILL)"),
            "{text}"
        );
    });
}

#[test]
fn a_process_can_be_terminated_and_killed() {
    by_each_method(|method| {
        for (end, signal) in [(false, libc::SIGTERM), (true, libc::SIGKILL)] {
            let mut process = try_start(method, |()| -> () { wait_for_death() }, ()).unwrap();
            assert!(process.is_alive());
            assert_eq!(process.exit_status(), None);
            assert!(process.join_timeout(Duration::ZERO).is_none() && process.try_join().is_none());
            if end {
                process.kill()
            } else {
                process.terminate()
            }
            assert!(matches!(process.join_timeout(FOREVER), Some(Err(Error::Died { .. }))));
            assert!(!process.is_alive());
            assert_eq!(process.exit_status(), Some(ExitStatus::Signal(signal)));
        }
    });
}

#[test]
fn a_result_is_given_once() {
    by_each_method(|method| {
        let mut process = try_start(method, square, 3).unwrap();
        assert_eq!(process.join_timeout(FOREVER).unwrap().unwrap(), 9);
        assert!(matches!(process.try_join(), Some(Err(Error::ResultTaken { .. }))));
        assert!(matches!(process.join(), Err(Error::ResultTaken { .. })));
    });
}

#[test]
fn a_dropped_process_is_waited_for() {
    by_each_method(|method| {
        let events = Events::new();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("done");
        let work = |(events, file): (PathBuf, PathBuf)| {
            wait_for_release(&events);
            std::fs::write(file, "done").unwrap();
        };
        let process = try_start(method, work, (events.path(), file.clone())).unwrap();
        events.release();
        drop(process);
        assert_eq!(std::fs::read_to_string(file).unwrap(), "done");
    });
}

#[test]
fn a_process_dropped_while_its_result_is_too_large_to_send_does_not_hang() {
    by_each_method(|method| {
        drop(try_start(method, |()| "x".repeat(8 << 20), ()).unwrap());
    });
}

#[test]
fn a_process_dropped_in_a_panic_is_killed() {
    by_each_method(|method| {
        let result = std::panic::catch_unwind(|| {
            let _process = try_start(method, |()| -> () { wait_for_death() }, ()).unwrap();
            panic!("on purpose");
        });
        assert!(result.is_err());
    });
}

#[test]
fn on_drop_says_what_becomes_of_a_process() {
    by_each_method(|method| {
        let events = Events::new();
        let wait = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let killed =
            Builder::new().start_method(method).on_drop(OnDrop::Kill).spawn(wait, events.path()).unwrap();
        let watched = Watched::new(events.pids(1)[0]);
        drop(killed);
        assert!(watched.ends());

        let detached =
            Builder::new().start_method(method).on_drop(OnDrop::Detach).spawn(wait, events.path()).unwrap();
        let watched = Watched::new(events.pids(1)[0]);
        drop(detached);
        events.release();
        assert!(watched.ends());
    });
}

#[test]
fn a_builder_sets_name_and_environment() {
    let variable = |name: String| std::env::var(name).ok();
    let process = Builder::new()
        .name("reader")
        .env("A_VARIABLE", "a value")
        .spawn(variable, "A_VARIABLE".into())
        .unwrap();
    assert_eq!(process.name(), "reader");
    assert_eq!(process.join().unwrap().as_deref(), Some("a value"));
    assert!(spawn(square, 1).unwrap().name().starts_with("Process-"));
    let refused = Builder::new().env("A=B", "").spawn(variable, String::new()).unwrap_err();
    assert!(matches!(refused, Error::Start { .. }));
}

#[test]
fn a_child_is_set_up_like_its_parent_but_for_its_standard_input() {
    let process = spawn(|()| std::env::args().collect::<Vec<_>>(), ()).unwrap();
    assert_eq!(process.join().unwrap(), std::env::args().collect::<Vec<_>>());
    let process = spawn(|()| std::env::var_os("MULTIPROCESSING_CHILD").is_some(), ()).unwrap();
    assert!(!process.join().unwrap());
    let process = spawn(|()| std::io::read_to_string(std::io::stdin()).unwrap(), ()).unwrap();
    assert_eq!(process.join().unwrap(), "");
}

#[test]
fn a_child_has_the_descriptors_of_its_parents_that_it_should_and_no_others() {
    let descriptors = |()| -> Vec<String> {
        let folder = std::fs::read_dir("/proc/self/fd").unwrap();
        let names = folder.map(|entry| entry.unwrap().path());
        let targets = names.filter_map(|name| std::fs::read_link(name).ok());
        targets.map(|target| target.to_string_lossy().into_owned()).collect()
    };
    let others: Vec<_> = (0..4).map(|_| spawn(|()| -> () { wait_for_death() }, ()).unwrap()).collect();
    let found = spawn(descriptors, ()).unwrap().join().unwrap();
    let sockets = found.iter().filter(|target| target.starts_with("socket:")).count();
    let pidfds = found.iter().filter(|target| target.contains("pidfd")).count();
    // Its own channel, and what the harness may have for standard streams.
    assert!(sockets <= 4 && pidfds == 0, "{found:?}");
    others.iter().for_each(|process| process.kill());
}

#[test]
fn a_child_can_have_children() {
    let inner = |x: u64| spawn(square, x).unwrap().join().unwrap() + 1;
    assert_eq!(spawn(inner, 4).unwrap().join().unwrap(), 17);
}

#[test]
fn a_child_dies_with_its_parent() {
    let events = Events::new();
    let parent = |events: PathBuf| -> () {
        let child = |events: PathBuf| -> () {
            say_pid(&events);
            wait_for_death()
        };
        let _child = spawn(child, events).unwrap();
        wait_for_death()
    };
    let parent = spawn(parent, events.path()).unwrap();
    let child = Watched::new(events.pids(1)[0]);
    parent.kill();
    assert!(child.ends());
}

#[test]
fn a_child_outlives_the_thread_that_asked_for_it() {
    let events = Events::new();
    let wait = |events: PathBuf| wait_for_release(&events);
    let path = events.path();
    let process = std::thread::spawn(move || spawn(wait, path).unwrap()).join().unwrap();
    events.release();
    process.join().unwrap();
}

#[test]
fn what_does_not_serialise_is_an_error_that_says_which_value() {
    by_each_method(|method| {
        let error = try_start(method, |_: Stubborn| (), Stubborn::Unwritable).unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Argument, .. }), "{error}");
        let error = try_start(method, |_: Stubborn| (), Stubborn::Unreadable).unwrap().join().unwrap_err();
        assert!(matches!(error, Error::Deserialise { value: Value::Argument, .. }), "{error}");
        let error = try_start(method, |()| Stubborn::Unwritable, ()).unwrap().join().unwrap_err();
        assert!(matches!(error, Error::Serialise { value: Value::Result, .. }), "{error}");
        let error = try_start(method, |()| Stubborn::Unreadable, ()).unwrap().join().unwrap_err();
        assert!(matches!(error, Error::Deserialise { value: Value::Result, .. }), "{error}");
    });
}

#[test]
fn a_process_can_be_ended_with_all_that_it_has_started() {
    by_each_method(|method| {
        let start = |events: PathBuf| -> () {
            // One of the sleepers has another program between, and is in a session of its own.
            #[expect(
                clippy::disallowed_methods,
                reason = "what is not started by the library is to be ended too"
            )]
            let mut shell = std::process::Command::new("sh")
                .args(["-c", "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(shell.stdout.take().unwrap()).lines().take(2).map(Result::unwrap);
            let pids: Vec<String> = lines.chain([shell.id().to_string()]).collect();
            std::fs::write(events.join("pids"), pids.join(" ")).unwrap();
            say_pid(&events);
            shell.wait().unwrap();
            wait_for_death()
        };
        for kill in [false, true] {
            let events = Events::new();
            let process = try_start(method, start, events.path()).unwrap();
            events.pids(1);
            let pids = std::fs::read_to_string(events.path().join("pids")).unwrap();
            let started: Vec<Watched> =
                pids.split(' ').map(|pid| Watched::new(pid.parse().unwrap())).collect();
            if kill {
                process.kill_tree();
            } else {
                process.terminate_tree();
            }
            assert!(started.len() == 3 && started.iter().all(Watched::ends));
            let signal = if kill { libc::SIGKILL } else { libc::SIGTERM };
            assert!(
                matches!(process.join(), Err(Error::Died { status: ExitStatus::Signal(s), .. }) if s == signal)
            );
        }
    });
}
