//! What is left when all is over: nothing. The only test of its file, since it counts what belongs to the
//! process.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use multiprocessing::{Builder, Pool, StartMethod, active_children};
use rustix::process::{WaitId, WaitIdOptions, waitid};

multiprocessing::init_tests!();

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().matches("memfd:multiprocessing").count()
}

#[test]
fn no_process_and_no_descriptor_is_left_behind() {
    let round = |number: u32| {
        let method = [StartMethod::Spawn, StartMethod::ForkServer][(number / 2 % 2) as usize];
        let process = Builder::new().start_method(method).spawn(|x: u32| x, number);
        assert_eq!(process.unwrap().join().unwrap(), number);
        let pool = Pool::builder().start_method(method).processes(3).build().unwrap();
        let _ = pool.map_each(|x: u32| assert!(!x.is_multiple_of(5)), 0..20).unwrap();
        let _ = pool.apply(|()| -> () { std::process::abort() }, ());
        if number.is_multiple_of(2) {
            pool.join();
        }
    };
    // What the first ones leave open for good, a fork server and its spares, is there before they are counted.
    (0..4).for_each(round);
    let before = descriptors();
    for number in 0..50 {
        round(number);
    }
    assert_eq!(descriptors(), before);
    assert_eq!(mappings(), 0);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // A fork server and its spares are alive; nobody has ended and was not reaped.
    assert!(matches!(waitid(WaitId::All, options), Ok(None)));
    assert!(active_children().is_empty());
}
