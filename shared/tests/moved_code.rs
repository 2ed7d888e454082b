//! A fork server that makes many copies moves its code, so that they have it at once. In a file of its own, since it does
//! not where there is much code, and the other tests are a program with a good deal of it.
#![expect(clippy::unwrap_used, reason = "in a test, and in what runs in its children, an error is a failure")]

use std::fs;

use multiprocessing::{Builder, Pool, Process, StartMethod, active_children, spawn};

multiprocessing::init_tests!();

fn start<A, R>(f: impl Fn(A) -> R + Copy + 'static, arg: A) -> Process<R>
where
    A: serde::Serialize + serde::de::DeserializeOwned,
    R: serde::Serialize + serde::de::DeserializeOwned,
{
    Builder::new().start_method(StartMethod::ForkServer).spawn(f, arg).unwrap()
}

/// The file that the code of this test is from, in the process that this runs in; none where it was moved.
fn file_of_code((): ()) -> Option<String> {
    let code = (file_of_code as fn(()) -> Option<String>) as usize;
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let address = |text: &str| usize::from_str_radix(text, 16).unwrap();
    let is_there = |line: &&str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (address(start)..address(end)).contains(&code)
    };
    maps.lines().find(is_there).unwrap().split_whitespace().nth(5).map(str::to_owned)
}

/// Whether the kernel gives huge pages to those who ask for them, and grants memory that it may not have.
fn can_move() -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let huge = read("/sys/kernel/mm/transparent_hugepage/enabled");
    let strict = read("/proc/sys/vm/overcommit_memory");
    cfg!(target_arch = "x86_64") && !huge.is_empty() && !huge.contains("[never]") && strict.trim() != "2"
}

/// Starts many children, of which the last ones are as the first one was, by a fork server of this process's own; says
/// whether it has moved its code.
fn many_children((): ()) -> bool {
    assert_eq!(start(file_of_code, ()).join().unwrap(), file_of_code(()));
    let files: Vec<_> = (0..40).map(|_| start(file_of_code, ()).join().unwrap()).collect();
    assert_eq!(start(|x: u64| 2 * x, 4).join().unwrap(), 8);
    let panics = start(|()| -> () { panic!("with a place") }, ()).join().unwrap_err();
    assert!(panics.to_string().contains("moved_code.rs"), "{panics}");
    let pool = Pool::builder().start_method(StartMethod::ForkServer).processes(2).build().unwrap();
    assert_eq!(pool.map(|x: u64| x * x, 0..4).unwrap(), [0, 1, 4, 9]);
    pool.join();
    assert!(active_children().is_empty());
    files.ends_with(&[None])
}

#[test]
fn a_server_that_makes_many_copies_moves_its_code_and_they_are_as_before() {
    // The machine may be short of huge pages for a moment.
    let is_moved = (0..20).any(|_| spawn(many_children, ()).unwrap().join().unwrap());
    assert_eq!(is_moved, can_move(), "where there are huge pages, it moves its code");
}
