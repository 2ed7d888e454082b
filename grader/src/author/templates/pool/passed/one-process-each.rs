use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let children: Vec<_> = (1..=5).map(|n| spawn(|n: u32| 2 * n, n)).collect::<Result<_, _>>()?;
    let results: Vec<u32> = children.into_iter().map(|child| child.join()).collect::<Result<_, _>>()?;
    println!("{results:?}");
    Ok(())
}
