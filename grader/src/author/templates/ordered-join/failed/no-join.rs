use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _first = spawn(|part: u32| println!("Part {part} is done"), 1)?;
    let _second = spawn(|part: u32| println!("Part {part} is done"), 2)?;
    println!("All is done");
    Ok(())
}
