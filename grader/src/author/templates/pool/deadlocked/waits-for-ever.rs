/// Waits for a message that nobody sends.
fn wait_for_ever() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

fn double(n: u32) -> u32 {
    if n == 5 {
        wait_for_ever();
    }
    2 * n
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let results = multiprocessing::Pool::new(3)?.map(double, 1..=5)?;
    println!("{results:?}");
    Ok(())
}
