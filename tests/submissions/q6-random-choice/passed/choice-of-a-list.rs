use multiprocessing::{Error, Pool};
use rand::seq::IndexedRandom;

fn choose(_task: u8) -> i64 {
    let numbers: Vec<i64> = (0..50).collect();
    *numbers.choose(&mut rand::rng()).unwrap()
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(4)?;
    let numbers: Vec<String> = pool.map(choose, 0..50)?.iter().map(i64::to_string).collect();
    println!("[{}]", numbers.join(", "));
    Ok(())
}
