fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let child = multiprocessing::spawn(|()| (), ());
    println!("The answer is {}", 6 * 7);
    child?.join()
}
