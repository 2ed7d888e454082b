/// Waits for a message that nobody sends.
fn wait_for_ever() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let first = multiprocessing::spawn(|part: u32| println!("Part {part} is done"), 1)?;
    let second = multiprocessing::spawn(|()| wait_for_ever(), ())?;
    first.join()?;
    second.join()?;
    println!("All is done");
    Ok(())
}
