use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let children: Vec<_> = (1..=4).map(|n| spawn(|_: u32| (), n)).collect::<Result<_, _>>()?;
    for number in 1..=4 {
        println!("Process {number}: {number}");
    }
    children.into_iter().try_for_each(|child| child.join())
}
