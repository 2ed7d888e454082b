//! Who is who: names, parents, children that are alive, and waiting for several of them.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Events, FOREVER, Watched, say_pid, wait_for_death, wait_for_release};
use multiprocessing::{Builder, Error, Pool, active_children, current, parent, spawn, wait};

fn name(_: ()) -> String {
    current().name().to_owned()
}

fn wait_in_vain(_: ()) {
    wait_for_death()
}

#[test]
fn processes_are_named_and_numbered_as_in_python() {
    let names = |()| {
        let inner = |()| [name(()), spawn(name, ()).unwrap().join().unwrap()];
        let mut names = Vec::from(spawn(inner, ()).unwrap().join().unwrap());
        names.push(Builder::new().name("greeter").spawn(name, ()).unwrap().join().unwrap());
        names.push(Pool::new(1).unwrap().apply(name, ()).unwrap());
        names
    };
    let top = spawn(names, ()).unwrap();
    let prefix = top.name().to_owned();
    let expected = [format!("{prefix}:1"), format!("{prefix}:1:1"), "greeter".to_owned()];
    let found = top.join().unwrap();
    assert_eq!(found[..3], expected);
    assert_eq!(found[3], format!("{prefix}:3").replace("Process", "PoolWorker"));
    assert_eq!(current().name(), "MainProcess");
    assert!(!current().is_child() && parent().is_none());
}

#[test]
fn a_child_knows_its_parent() {
    let who = |()| {
        let parent = parent().unwrap();
        (current().is_child(), current().pid(), parent.pid(), parent.is_alive())
    };
    let process = spawn(who, ()).unwrap();
    let pid = process.pid();
    assert_eq!(process.join().unwrap(), (true, pid, std::process::id(), true));
}

#[test]
fn active_children_are_those_that_have_not_ended() {
    let count = |events: PathBuf| {
        assert!(active_children().is_empty());
        let wait = |events: PathBuf| {
            say_pid(&events);
            wait_for_release(&events);
        };
        let released = spawn(wait, events.clone()).unwrap();
        let killed = spawn(wait_in_vain, ()).unwrap();
        let pool = Pool::new(2).unwrap();
        let names: Vec<String> = active_children().iter().map(|child| child.name().to_owned()).collect();
        let ended = active_children().remove(0);
        assert_eq!(ended.pid(), released.pid());
        crate::support::release(&events);
        released.join().unwrap();
        assert!(!ended.is_alive() && ended.exit_status().unwrap().success());
        active_children()[0].kill();
        assert!(matches!(killed.join(), Err(Error::Died { .. })));
        drop(pool);
        (names, active_children().len())
    };
    let events = Events::new();
    let (names, left) = spawn(count, events.path()).unwrap().join().unwrap();
    let kinds: Vec<_> = names.iter().map(|name| name.split('-').next().unwrap()).collect();
    assert_eq!(kinds, ["Process", "Process", "PoolWorker", "PoolWorker"]);
    assert_eq!(left, 0);
}

#[test]
fn wait_tells_which_of_several_processes_have_ended() {
    let events = Events::new();
    let waiting = |events: PathBuf| {
        wait_for_release(&events);
        "x".repeat(8 << 20)
    };
    let processes: Vec<_> = (0..3).map(|_| spawn(waiting, events.path()).unwrap()).collect();
    let other = spawn(wait_in_vain, ()).unwrap();
    assert_eq!(wait(&processes, Some(Duration::ZERO)), []);
    processes[1].kill();
    assert_eq!(wait(&processes, None), [1]);
    let rest: [&dyn AsFd; 3] = [&processes[0], &other, &processes[2]];
    events.release();
    // Nobody reads the large result meanwhile, and the process ends all the same.
    assert_ne!(wait(&rest, Some(FOREVER)), []);
    events.release();
    other.kill();
    while wait(&rest, Some(FOREVER)).len() < 3 {}
    for (index, process) in processes.into_iter().enumerate() {
        assert_eq!(process.join().is_ok(), index != 1);
    }
    assert_eq!(wait::<Watched>(&[], None), []);
}
