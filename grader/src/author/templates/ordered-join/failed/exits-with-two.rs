use std::process::ExitCode;

use multiprocessing::Error;

fn work(part: u32) {
    println!("Part {part} is done");
}

fn main() -> Result<ExitCode, Error> {
    multiprocessing::init();
    let children = [multiprocessing::spawn(work, 1)?, multiprocessing::spawn(work, 2)?];
    for child in children {
        child.join()?;
    }
    println!("All is done");
    Ok(ExitCode::from(2))
}
