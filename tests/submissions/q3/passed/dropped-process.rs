fn start(person: u32) {
    println!("Person {person} started");
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let _child = multiprocessing::spawn(start, 1)?;
    Ok(())
}
