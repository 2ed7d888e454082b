use multiprocessing::{Error, spawn};

fn print_number(n: u32) {
    println!("Process {n}: {n}");
    panic!("oops {n}");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let processes = (1..=4).map(|n| spawn(print_number, n)).collect::<Result<Vec<_>, _>>()?;
    for process in processes {
        let _ = process.join();
    }
    Ok(())
}
