use multiprocessing::{Error, spawn};

fn person(n: u32) {
    println!("Person {n} started");
    std::process::exit(3);
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _ = spawn(person, 1)?.join();
    Ok(())
}
