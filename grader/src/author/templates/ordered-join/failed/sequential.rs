use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for part in [1, 2] {
        spawn(|part: u32| println!("Part {part} is done"), part)?.join()?;
    }
    println!("All is done");
    Ok(())
}
