use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let answer = Pool::new(2)?.apply(|factor: u32| 6 * factor, 7)?;
    println!("The answer is {answer}");
    Ok(())
}
