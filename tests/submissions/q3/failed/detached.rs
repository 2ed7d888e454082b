use std::thread::sleep;
use std::time::Duration;

use multiprocessing::{Builder, OnDrop};

fn start(person: u32) {
    sleep(Duration::from_millis(200));
    println!("Person {person} started");
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let _child = Builder::new().on_drop(OnDrop::Detach).spawn(start, 1)?;
    Ok(())
}
