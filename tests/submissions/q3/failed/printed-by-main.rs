fn start(person: u32) -> String {
    format!("Person {person} started")
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let line = multiprocessing::spawn(start, 1)?.join()?;
    println!("{line}");
    Ok(())
}
