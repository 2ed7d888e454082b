//! How a pool ends: closed and joined, terminated, dropped, or with its parent.

use std::path::PathBuf;

use crate::support::{Events, Watched, say_pid, wait_for_death, wait_for_release};
use multiprocessing::{Error, ExitStatus, Pool, spawn};
use rustix::process::{Pid, Signal};

fn square(x: u64) -> u64 {
    x * x
}

fn say_and_stay(events: PathBuf) {
    say_pid(&events);
    wait_for_death()
}

#[test]
fn a_closed_pool_finishes_its_work_and_takes_no_more() {
    let events = Events::new();
    let pool = Pool::new(2).unwrap();
    let wait = |events: PathBuf| wait_for_release(&events);
    let waiting = pool.apply_async(wait, events.path()).unwrap();
    let queued = pool.map_async(square, 0..100).unwrap();
    pool.close();
    assert!(matches!(pool.apply(square, 1), Err(Error::PoolClosed)));
    assert!(matches!(pool.map(square, 0..3), Err(Error::PoolClosed)));
    assert!(matches!(pool.imap(square, 0..3).next(), Some(Err(Error::PoolClosed))));
    events.release();
    pool.join();
    waiting.get().unwrap();
    assert_eq!(queued.get().unwrap(), (0..100).map(square).collect::<Vec<_>>());
}

#[test]
fn handles_can_be_sent_to_and_pools_shared_by_other_threads() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Send + Sync + 'static>() {}
    // With a result that could not leave its thread itself.
    type Local = *const u8;
    sent::<multiprocessing::TaskHandle<u8>>();
    sent::<multiprocessing::MapHandle<u8>>();
    shared::<multiprocessing::Process<Local>>();
    shared::<multiprocessing::Error>();
    shared::<Pool>();
}

#[test]
fn join_ends_the_workers() {
    let pool = Pool::new(2).unwrap();
    let workers: Vec<Watched> =
        pool.map(|_: u8| std::process::id(), 0..20).unwrap().into_iter().map(Watched::new).collect();
    pool.join();
    assert!(workers.iter().all(Watched::ends));
}

#[test]
fn a_pool_that_was_never_used_can_be_joined_dropped_and_terminated() {
    Pool::new(3).unwrap().join();
    drop(Pool::new(3).unwrap());
    let pool = Pool::new(3).unwrap();
    pool.terminate();
    pool.terminate();
    assert!(matches!(pool.apply(square, 1), Err(Error::PoolTerminated)));
}

#[test]
fn terminate_tells_everyone_who_waits() {
    let events = Events::new();
    let pool = Pool::new(2).unwrap();
    let mut imap = pool.imap(say_and_stay, vec![events.path(); 5]);
    std::thread::scope(|scope| {
        let map = scope.spawn(|| pool.map(say_and_stay, vec![events.path(); 5]));
        let apply = scope.spawn(|| pool.apply(say_and_stay, events.path()));
        let workers: Vec<Watched> = events.pids(2).into_iter().map(Watched::new).collect();
        pool.terminate();
        assert!(workers.iter().all(Watched::ends));
        assert!(matches!(map.join().unwrap(), Err(Error::PoolTerminated)));
        assert!(matches!(apply.join().unwrap(), Err(Error::PoolTerminated)));
    });
    assert!(matches!(imap.next(), Some(Err(Error::PoolTerminated))));
    assert!(imap.next().is_none());
}

#[test]
fn a_handle_that_outlives_its_pool_gets_an_error() {
    let events = Events::new();
    let pool = Pool::new(1).unwrap();
    let handle = pool.apply_async(say_and_stay, events.path()).unwrap();
    events.pids(1);
    drop(pool);
    assert!(matches!(handle.get(), Err(Error::PoolTerminated)));
}

#[test]
fn a_pool_dropped_in_a_panic_ends_its_workers() {
    let events = Events::new();
    let path = events.path();
    let panicking = std::thread::spawn(move || {
        let pool = Pool::new(1).unwrap();
        let _handle = pool.apply_async(say_and_stay, path).unwrap();
        panic!("on purpose, with {} worker at work", pool.processes());
    });
    panicking.join().unwrap_err();
}

#[test]
fn workers_end_with_their_parent_busy_or_idle() {
    let events = Events::new();
    let parent = |events: PathBuf| -> () {
        let busy = Pool::new(2).unwrap();
        let _handle = busy.map_async(say_and_stay, vec![events.clone(); 2]).unwrap();
        let idle = Pool::new(1).unwrap();
        idle.apply(|events: PathBuf| say_pid(&events), events).unwrap();
        wait_for_death()
    };
    let parent = spawn(parent, events.path()).unwrap();
    let workers: Vec<Watched> = events.pids(3).into_iter().map(Watched::new).collect();
    parent.kill();
    assert!(workers.iter().all(Watched::ends));
}

/// Makes this process the first of a group, as a shell does, and has it write its standard error into a file.
fn lead_a_group(error: PathBuf) {
    rustix::process::setpgid(None, None).unwrap();
    rustix::stdio::dup2_stderr(std::fs::File::create(error).unwrap()).unwrap();
}

fn press_ctrl_c(leader: u32) {
    let group = Pid::from_raw(i32::try_from(leader).unwrap()).unwrap();
    rustix::process::kill_process_group(group, Signal::INT).unwrap();
}

/// Whether this process, and so each that it starts, ignores SIGINT.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (libc::SIGINT - 1)) != 0
}

#[test]
fn ctrl_c_ends_a_caller_that_does_not_answer_it_and_its_workers_without_a_word() {
    if ignores_interrupts() {
        eprintln!("not tried: SIGINT is ignored here, as a shell has it in the background, and ends nobody");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let events = Events::new();
    let caller = |(events, error): (PathBuf, PathBuf)| {
        lead_a_group(error);
        let pool = Pool::new(2).unwrap();
        let _ = pool.map(say_and_stay, vec![events; 4]);
    };
    let error = folder.path().join("error");
    let caller = spawn(caller, (events.path(), error.clone())).unwrap();
    let workers: Vec<Watched> = events.pids(2).into_iter().map(Watched::new).collect();
    press_ctrl_c(caller.pid());
    let died = caller.join().unwrap_err();
    assert!(matches!(died, Error::Died { status: ExitStatus::Signal(libc::SIGINT), .. }), "{died}");
    assert!(workers.iter().all(Watched::ends));
    assert_eq!(std::fs::read_to_string(error).unwrap(), "");
}

#[test]
fn ctrl_c_leaves_the_workers_of_a_caller_alone_that_answers_it() {
    let folder = tempfile::tempdir().unwrap();
    let events = Events::new();
    let caller = |(events, error): (PathBuf, PathBuf)| {
        // It stays pending, which is an answer too.
        let mut interrupt = nix::sys::signal::SigSet::empty();
        interrupt.add(nix::sys::signal::Signal::SIGINT);
        interrupt.thread_block().unwrap();
        lead_a_group(error);
        let pool = Pool::new(2).unwrap();
        let work = |(x, events): (u64, PathBuf)| {
            say_pid(&events);
            wait_for_release(&events);
            square(x)
        };
        pool.chunks_of(1).map(work, (0..4).map(|x| (x, events.clone()))).unwrap()
    };
    let error = folder.path().join("error");
    let caller = spawn(caller, (events.path(), error.clone())).unwrap();
    events.pids(2);
    press_ctrl_c(caller.pid());
    (0..4).for_each(|_| events.release());
    assert_eq!(caller.join().unwrap(), [0, 1, 4, 9]);
    assert_eq!(std::fs::read_to_string(error).unwrap(), "");
}

#[test]
fn what_a_child_has_printed_is_out_before_its_result_is() {
    let through_a_pool = |file: PathBuf| {
        rustix::stdio::dup2_stdout(std::fs::File::create(&file).unwrap()).unwrap();
        let pool = Pool::new(1).unwrap();
        pool.apply(|()| print!("no line end"), ()).unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let through_a_process = |file: PathBuf| {
        rustix::stdio::dup2_stdout(std::fs::File::create(&file).unwrap()).unwrap();
        spawn(|()| print!("no line end"), ()).unwrap().join().unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let printed = spawn(through_a_pool, folder.path().join("pool")).unwrap().join().unwrap();
    assert_eq!(printed, "no line end");
    let printed = spawn(through_a_process, folder.path().join("process")).unwrap().join().unwrap();
    assert_eq!(printed, "no line end");
}
