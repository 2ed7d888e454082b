use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let children = [spawn(|_: u32| (), 2)?, spawn(|_: u32| (), 3)?];
    spawn(|last: u32| (1..=last).for_each(|number| println!("Worker {number} is ready")), 3)?.join()?;
    children.into_iter().try_for_each(|child| child.join())
}
