/// Waits for a message that nobody sends.
fn wait_for_ever() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    multiprocessing::spawn(|()| wait_for_ever(), ())?.join()
}
