use std::process::ExitCode;

use multiprocessing::{Error, spawn};

fn main() -> Result<ExitCode, Error> {
    multiprocessing::init();
    let mut children = Vec::new();
    for number in 1..=4 {
        children.push(spawn(|number: u32| println!("Process {number}: {number}"), number)?);
    }
    children.into_iter().try_for_each(|child| child.join())?;
    Ok(ExitCode::from(2))
}
