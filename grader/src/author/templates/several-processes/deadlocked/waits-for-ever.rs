/// Waits for a message that nobody sends.
fn wait_for_ever() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

fn work(number: u32) {
    if number == 3 {
        wait_for_ever();
    }
    println!("Worker {number} is ready");
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let mut children = Vec::new();
    for number in 1..=3 {
        children.push(multiprocessing::spawn(work, number)?);
    }
    children.into_iter().try_for_each(|child| child.join())
}
