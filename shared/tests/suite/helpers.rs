//! What belongs to the starting of processes: the fork server with its spares, and the program's file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::{
    Events, Watched, all_children, alone, by_each_method, double, say_pid, start, start_pool, wait_for_death,
    wait_for_release, wait_until_asleep,
};
use multiprocessing::{Builder, Error, ExitStatus, Pool, Process, StartMethod, active_children, spawn};
use rustix::process::Signal;

/// The fork server and its spares.
fn helpers() -> Vec<Watched> {
    let visible: BTreeSet<u32> = active_children().iter().map(|child| child.pid()).collect();
    all_children().difference(&visible).filter_map(|pid| Watched::find(*pid)).collect()
}

#[test]
fn a_fork_server_or_a_spare_that_is_killed_is_replaced() {
    alone(|method| {
        for _ in 0..10 {
            assert_eq!(start(method, double, 4).join().unwrap(), 8);
            let helpers = helpers();
            assert_eq!(helpers.is_empty(), method == StartMethod::Spawn);
            helpers.iter().for_each(Watched::kill);
            assert!(helpers.iter().all(Watched::ends));
        }
    });
}

#[test]
fn starts_go_on_while_helpers_are_killed_all_the_time() {
    alone(|method| {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    helpers().iter().for_each(Watched::kill);
                }
            });
            for x in 0..60 {
                // A child that is not listed yet, or is one of the helpers still, may be killed as one of them.
                match Builder::new().start_method(method).spawn(double, x).map(Process::join) {
                    Ok(Ok(result)) => assert_eq!(result, 2 * x),
                    Ok(Err(Error::Died { status: ExitStatus::Signal(libc::SIGKILL), .. }))
                    | Err(Error::Start { .. }) => {}
                    Ok(Err(error)) | Err(error) => panic!("{error}"),
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(helpers().iter().all(|helper| {
            helper.kill();
            helper.ends()
        }));
        assert_eq!(start(method, double, 4).join().unwrap(), 8);
    });
}

#[test]
fn a_copy_that_is_killed_at_its_birth_is_reaped() {
    let work = |()| {
        let method = StartMethod::ForkServer;
        start(method, double, 4).join().unwrap();
        let server = server().unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let copies = all_children().into_iter().filter(|pid| *pid != server);
                    copies.filter_map(Watched::find).for_each(|copy| copy.kill());
                }
            });
            // That one is killed is no matter here, and three in a row are an error.
            (0..200).for_each(|x| drop(Builder::new().start_method(method).spawn(double, x)));
            done.store(true, Ordering::Relaxed);
        });
        assert_none_is_unreaped(server);
    };
    spawn(work, ()).unwrap().join().unwrap();
}

#[test]
fn the_copies_of_a_server_that_is_killed_at_work_are_reaped() {
    let work = |()| {
        for x in 0..200 {
            start(StartMethod::ForkServer, double, x).join().unwrap();
            let server = Watched::new(server().unwrap());
            // A copy is ordered now in place of the one that this child is.
            let child = start(StartMethod::ForkServer, double, x);
            server.kill();
            assert_eq!(child.join().unwrap(), 2 * x);
        }
        assert_none_is_unreaped(server().unwrap());
    };
    spawn(work, ()).unwrap().join().unwrap();
}

/// Has the fork server replaced, before which its copies are reaped, and looks for any child that has ended.
fn assert_none_is_unreaped(server: u32) {
    let server = Watched::new(server);
    server.kill();
    assert!(server.ends());
    assert_eq!(start(StartMethod::ForkServer, double, 4).join().unwrap(), 8);
    let children = all_children();
    let unreaped = children.iter().filter(|pid| Watched::find(**pid).is_some_and(|child| !child.is_alive()));
    assert_eq!(unreaped.count(), 0, "of {children:?}");
}

#[test]
fn signals_to_the_group_are_for_its_children_and_not_for_what_makes_them() {
    alone(|method| {
        let group =
            |pid: u32| nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid.cast_signed()))).unwrap();
        for is_first in [true, false] {
            let child = start(method, |()| -> () { wait_for_death() }, ());
            let ours = nix::unistd::getpgrp();
            assert_eq!(group(child.pid()), ours);
            let helpers: Vec<u32> = all_children().into_iter().filter(|pid| *pid != child.pid()).collect();
            assert_eq!(helpers.is_empty(), method == StartMethod::Spawn);
            // A group of another PID namespace is 0 here, and what makes the children cannot keep out of it.
            let elsewhere = ours.as_raw() == 0;
            assert!(helpers.into_iter().all(|pid| (group(pid) == ours) == elsewhere));
            child.kill();
            assert!(child.join().is_err());
            if !is_first {
                break;
            }
            // From here on in another group. What makes the children may be in the one of all tests still, and will end
            // there under a parent in another group: should another test have stopped one of its members then, the
            // kernel would hang up all of them, exit(3). It does not where that parent is in another session.
            if elsewhere {
                rustix::process::setsid().unwrap();
            } else {
                rustix::process::setpgid(None, None).unwrap();
            }
        }
    });
}

#[test]
fn a_child_outlives_the_thread_that_started_the_fork_server() {
    alone(|method| {
        let events = Events::new();
        let path = events.path();
        let wait = |events: PathBuf| wait_for_release(&events);
        let process = std::thread::spawn(move || start(method, wait, path)).join().unwrap();
        events.release();
        process.join().unwrap();
    });
}

/// The fork server alone. Its spares, and copies that are on their way to be children, have run no program of their
/// own since they were made: PF_FORKNOEXEC among their flags, proc_pid_stat(5).
fn server() -> Option<u32> {
    const FORKED: u64 = 0x40;
    let is_started = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let flags =
            stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(6)?.parse::<u64>().ok());
        flags.is_some_and(|flags| flags & FORKED == 0)
    };
    all_children().into_iter().find(is_started)
}

#[test]
fn a_pool_works_on_though_its_fork_server_is_killed_again_and_again() {
    let work = |()| {
        // Each worker makes a few calls, so that new ones are started all the time.
        let builder = Pool::builder().start_method(StartMethod::ForkServer).processes(2);
        let pool = builder.max_tasks_per_child(3).build().unwrap();
        let mut killed = 0;
        for _ in 0..10 {
            let results = pool.chunks_of(1).map_async(double, 0..60).unwrap();
            if let Some(server) = server().and_then(Watched::find) {
                server.kill();
                assert!(server.ends());
                killed += 1;
            }
            assert_eq!(results.get().unwrap(), (0..60).map(double).collect::<Vec<_>>());
        }
        assert!(killed > 0);
    };
    spawn(work, ()).unwrap().join().unwrap();
}

#[test]
fn a_pool_works_on_while_its_fork_server_is_stuck() {
    let work = |()| {
        let pool = start_pool(StartMethod::ForkServer, 2);
        let events = Events::new();
        let wait = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let busy = pool.apply_async(wait, events.path()).unwrap();
        let server = server().unwrap();
        let kept = [server, events.pids(1)[0]];
        let (says_thread, thread) = mpsc::channel();
        let sleeper = std::thread::spawn(move || {
            says_thread.send(rustix::thread::gettid()).unwrap();
            busy.get()
        });
        wait_until_asleep(thread.recv().unwrap());
        let server = Watched::new(server);
        server.signal(Signal::STOP);
        let others = all_children().into_iter().filter(|pid| !kept.contains(pid));
        let others: Vec<Watched> = others.filter_map(Watched::find).collect();
        others.iter().for_each(Watched::kill);
        assert!(others.iter().all(Watched::ends));
        // For these a worker is missing, and none is to be had. Time for the pool to find that out, though nobody
        // could wait for that: it gives the server up after half a minute.
        let start = Instant::now();
        let mut waiting = Vec::new();
        while start.elapsed() < Duration::from_millis(300) {
            waiting.push(pool.apply_async(double, waiting.len() as u64).unwrap());
        }
        events.release();
        sleeper.join().unwrap().unwrap();
        for (x, call) in waiting.into_iter().enumerate() {
            assert_eq!(call.get().unwrap(), 2 * x as u64);
        }
        assert!(start.elapsed() < Duration::from_secs(25));
        server.signal(Signal::CONT);
    };
    spawn(work, ()).unwrap().join().unwrap();
}

/// What the test below has a copy of this program do: to lose its own file, and start processes all the same.
#[test]
#[ignore = "a part of the next test, which runs it in a copy of this program"]
fn start_without_a_file() {
    let program = std::env::current_exe().unwrap();
    let check = || {
        by_each_method(|method| {
            assert_eq!(start(method, double, 4).join().unwrap(), 8);
            assert_eq!(start_pool(method, 2).map(double, 0..3).unwrap(), [0, 2, 4]);
        });
    };
    // Touched.
    fs::File::open(&program).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    check();
    // Replaced by something else.
    let other = program.with_extension("new");
    fs::write(&other, "no program at all").unwrap();
    fs::rename(&other, &program).unwrap();
    check();
    // Deleted.
    fs::remove_file(&program).unwrap();
    check();
    alone(|method| assert_eq!(start(method, double, 4).join().unwrap(), 8));
}

#[test]
fn a_program_whose_file_is_touched_replaced_or_deleted_starts_processes_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    // By another process: what this one has open to be written, a child that another test starts at this moment has
    // as well, and a program that is being written cannot be run.
    let copy = |(from, to): (PathBuf, PathBuf)| fs::copy(from, to).unwrap();
    spawn(copy, (std::env::current_exe().unwrap(), program.clone())).unwrap().join().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a copy of this program is to be run, not a function in it"
    )]
    let output = Command::new(&program)
        .args(["--exact", "--include-ignored", "helpers::start_without_a_file"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(!program.exists());
}
