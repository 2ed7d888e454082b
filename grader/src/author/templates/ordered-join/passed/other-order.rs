use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let children = [
        spawn(|part: u32| println!("Part {part} is done"), 2)?,
        spawn(|part: u32| println!("Part {part} is done"), 1)?,
    ];
    for child in children {
        child.join()?;
    }
    println!("All is done");
    Ok(())
}
