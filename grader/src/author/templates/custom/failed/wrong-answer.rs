fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    let answer = multiprocessing::spawn(|()| 54, ())?.join()?;
    println!("The answer is {answer}");
    Ok(())
}
