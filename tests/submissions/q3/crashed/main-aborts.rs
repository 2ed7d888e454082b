fn start(person: u32) {
    println!("Person {person} started");
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    multiprocessing::spawn(start, 1)?.join()?;
    std::process::abort()
}
