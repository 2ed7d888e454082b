use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Pool::new(1)?.apply(|()| println!("Hello from a child"), ())
}
