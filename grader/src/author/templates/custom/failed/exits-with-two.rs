use std::process::ExitCode;

fn main() -> Result<ExitCode, multiprocessing::Error> {
    multiprocessing::init();
    let answer = multiprocessing::spawn(|()| 42, ())?.join()?;
    println!("The answer is {answer}");
    Ok(ExitCode::from(2))
}
