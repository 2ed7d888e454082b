use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut children = Vec::new();
    for number in (1..=3).rev() {
        children.push(spawn(|number: u32| println!("Worker {number} is ready"), number)?);
    }
    children.into_iter().rev().try_for_each(|child| child.join())
}
