use multiprocessing::{Builder, Error, StartMethod};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let fork_server = || Builder::new().start_method(StartMethod::ForkServer);
    let square = fork_server().spawn(|n: u32| println!("Square: {}", n.pow(2)), 10)?;
    let cube = fork_server().spawn(|n: u32| println!("Cube: {}", n.pow(3)), 10)?;
    square.join()?;
    cube.join()?;
    println!("Done!");
    Ok(())
}
