use std::thread;

use multiprocessing::{Error, spawn};

fn print_number(number: u32) {
    let printer = thread::spawn(move || println!("Process {number}: {number}"));
    printer.join().unwrap();
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let threads: Vec<_> =
        (1..=4).map(|number| thread::spawn(move || spawn(print_number, number)?.join())).collect();
    threads.into_iter().try_for_each(|thread| thread.join().unwrap())
}
