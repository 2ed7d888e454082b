use multiprocessing::{Error, Pool, StartMethod};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::builder().processes(4).start_method(StartMethod::ForkServer).build()?;
    println!("{:?}", pool.map(|n: u32| n * n, 1..=5)?);
    Ok(())
}
