use multiprocessing::{Error, Pool, StartMethod};

fn say(person: u32) {
    println!("Person {person} started");
}

fn delegate(person: u32) {
    let builder = Pool::builder().processes(1).start_method(StartMethod::ForkServer);
    builder.build().and_then(|pool| pool.apply(say, person)).expect("a worker says it");
}

fn main() -> Result<(), Error> {
    multiprocessing::init();
    multiprocessing::spawn(delegate, 1)?.join()
}
