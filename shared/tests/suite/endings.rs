//! How a pool ends: closed and joined, terminated, dropped, or with its parent.

use std::path::PathBuf;

use crate::support::{
    Events, METHODS, Watched, by_each_method, index_of, said_children, say_children, say_pid, start_pool,
    wait_for_death, wait_for_release,
};
use multiprocessing::{Builder, Error, ExitStatus, Pool, spawn};
use rustix::process::{Pid, Signal};

fn square(x: u64) -> u64 {
    x * x
}

fn say_and_stay(events: PathBuf) {
    say_pid(&events);
    wait_for_death()
}

/// Says who it is, and computes for ever.
fn say_and_compute(events: PathBuf) {
    say_pid(&events);
    loop {
        std::hint::spin_loop();
    }
}

#[test]
fn a_closed_pool_finishes_its_work_and_takes_no_more() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 2);
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
    });
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
    by_each_method(|method| {
        let pool = start_pool(method, 2);
        let workers: Vec<Watched> =
            pool.map(|_: u8| std::process::id(), 0..20).unwrap().into_iter().map(Watched::new).collect();
        pool.join();
        assert!(workers.iter().all(Watched::ends));
    });
}

#[test]
fn a_pool_that_was_never_used_can_be_joined_dropped_and_terminated() {
    by_each_method(|method| {
        start_pool(method, 3).join();
        drop(start_pool(method, 3));
        let pool = start_pool(method, 3);
        pool.terminate();
        pool.terminate();
        assert!(matches!(pool.apply(square, 1), Err(Error::PoolTerminated)));
    });
}

#[test]
fn terminate_tells_everyone_who_waits() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 2);
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
    });
}

#[test]
fn a_handle_that_outlives_its_pool_gets_an_error() {
    by_each_method(|method| {
        let events = Events::new();
        let pool = start_pool(method, 1);
        let handle = pool.apply_async(say_and_stay, events.path()).unwrap();
        events.pids(1);
        drop(pool);
        assert!(matches!(handle.get(), Err(Error::PoolTerminated)));
    });
}

#[test]
fn a_pool_dropped_in_a_panic_ends_its_workers() {
    by_each_method(|method| {
        let events = Events::new();
        let path = events.path();
        let panicking = std::thread::spawn(move || {
            let pool = start_pool(method, 1);
            let _handle = pool.apply_async(say_and_stay, path).unwrap();
            panic!("on purpose, with {} worker at work", pool.processes());
        });
        panicking.join().unwrap_err();
    });
}

#[test]
fn workers_end_with_their_parent_busy_or_idle() {
    by_each_method(|method| {
        let events = Events::new();
        let parent = |(index, events): (usize, PathBuf)| -> () {
            let busy = start_pool(METHODS[index], 3);
            let _handle = busy.map_async(say_and_compute, vec![events.clone(); 2]).unwrap();
            let idle = start_pool(METHODS[index], 1);
            idle.apply(|events: PathBuf| say_pid(&events), events.clone()).unwrap();
            say_children(&events);
            wait_for_death()
        };
        let parent = spawn(parent, (index_of(method), events.path())).unwrap();
        let all = said_children(&events, 3);
        assert!(all.len() >= 4);
        parent.kill();
        assert!(all.iter().all(Watched::ends));
    });
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
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::new();
        let caller = |(index, events, error): (usize, PathBuf, PathBuf)| {
            lead_a_group(error);
            let pool = start_pool(METHODS[index], 2);
            say_children(&events);
            let _ = pool.map(say_and_stay, vec![events; 4]);
        };
        let error = folder.path().join("error");
        let caller = spawn(caller, (index_of(method), events.path(), error.clone())).unwrap();
        let all = said_children(&events, 2);
        press_ctrl_c(caller.pid());
        let died = caller.join().unwrap_err();
        assert!(matches!(died, Error::Died { status: ExitStatus::Signal(libc::SIGINT), .. }), "{died}");
        assert!(all.iter().all(Watched::ends));
        assert_eq!(std::fs::read_to_string(error).unwrap(), "");
    });
}

#[test]
fn ctrl_c_leaves_the_workers_of_a_caller_alone_that_answers_it() {
    by_each_method(|method| {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::new();
        let caller = |(index, events, error): (usize, PathBuf, PathBuf)| {
            // It stays pending, which is an answer too.
            let mut interrupt = nix::sys::signal::SigSet::empty();
            interrupt.add(nix::sys::signal::Signal::SIGINT);
            interrupt.thread_block().unwrap();
            lead_a_group(error);
            let pool = start_pool(METHODS[index], 2);
            let work = |(x, events): (u64, PathBuf)| {
                say_pid(&events);
                wait_for_release(&events);
                square(x)
            };
            pool.chunks_of(1).map(work, (0..4).map(|x| (x, events.clone()))).unwrap()
        };
        let error = folder.path().join("error");
        let caller = spawn(caller, (index_of(method), events.path(), error.clone())).unwrap();
        events.pids(2);
        press_ctrl_c(caller.pid());
        (0..4).for_each(|_| events.release());
        assert_eq!(caller.join().unwrap(), [0, 1, 4, 9]);
        assert_eq!(std::fs::read_to_string(error).unwrap(), "");
    });
}

#[test]
fn what_a_child_has_printed_is_out_before_its_result_is() {
    by_each_method(|method| {
        let through_a_pool = |(index, file): (usize, PathBuf)| {
            rustix::stdio::dup2_stdout(std::fs::File::create(&file).unwrap()).unwrap();
            let pool = start_pool(METHODS[index], 1);
            pool.apply(|()| print!("no line end"), ()).unwrap();
            std::fs::read_to_string(file).unwrap()
        };
        let through_a_process = |(index, file): (usize, PathBuf)| {
            rustix::stdio::dup2_stdout(std::fs::File::create(&file).unwrap()).unwrap();
            let builder = Builder::new().start_method(METHODS[index]);
            builder.spawn(|()| print!("no line end"), ()).unwrap().join().unwrap();
            std::fs::read_to_string(file).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let printed =
            spawn(through_a_pool, (index_of(method), folder.path().join("pool"))).unwrap().join().unwrap();
        assert_eq!(printed, "no line end");
        let printed = spawn(through_a_process, (index_of(method), folder.path().join("process")))
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(printed, "no line end");
    });
}
