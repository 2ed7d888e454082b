fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    std::mem::forget(multiprocessing::spawn(|()| println!("Hello from a child"), ())?);
    Ok(())
}
