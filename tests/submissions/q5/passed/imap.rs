use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(4)?;
    let mut line = String::new();
    for square in pool.imap(|n: u64| n * n, 1..=5) {
        let separator = if line.is_empty() { "" } else { ", " };
        line += &format!("{separator}{}", square?);
    }
    println!("[{line}]");
    Ok(())
}
