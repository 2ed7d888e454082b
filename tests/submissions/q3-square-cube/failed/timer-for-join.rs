use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::fs::File;

use multiprocessing::{Error, OnDrop, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut square = spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let mut cube = spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: the timer is made here and nobody else's; the time is a valid one.
    let timer = unsafe {
        let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, 0);
        libc::timerfd_settime(timer, 0, &libc::itimerspec { it_interval: zero, it_value: second }, std::ptr::null_mut());
        OwnedFd::from_raw_fd(timer)
    };
    let _ = File::from(timer).read(&mut [0; 8]);
    println!("Done!");
    square.join()?;
    cube.join()
}
