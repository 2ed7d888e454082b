use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pools = [Pool::with_default_size()?, Pool::new(4)?];
    for (pool, words) in pools.iter().zip(["by default", "asked for"]) {
        println!("Workers {words}: {}", pool.processes());
    }
    Ok(())
}
