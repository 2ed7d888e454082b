//! A child that starts a child of its own.

use multiprocessing::Error;

fn inner((): ()) {
    println!("inner");
}

fn outer((): ()) {
    println!("outer begins");
    let child = multiprocessing::spawn(inner, ()).expect("a process can be started");
    println!("outer ends");
    child.join().expect("the inner child ends well");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();

    let child = multiprocessing::spawn(outer, ())?;
    println!("main");
    child.join()?;
    println!("done");
    Ok(())
}
