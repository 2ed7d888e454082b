//! The size of a pool: chosen by the library, or asked for.

use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();

    // Without a number, the pool has a worker for every CPU that this program may use. More would
    // only take turns on the CPUs, fewer would leave some of them idle.
    let pool = Pool::with_default_size()?;
    println!("Workers by default: {}", pool.processes());

    // This ends the workers of the first pool, so that the two pools do not compete for the CPUs.
    drop(pool);

    // With a number, the pool has just as many workers, whatever the machine.
    let pool = Pool::new(4)?;
    println!("Workers asked for: {}", pool.processes());
    Ok(())
}
