fn double(n: u32) -> u32 {
    2 * n
}

fn main() {
    let threads: Vec<_> = (1..=5).map(|n| std::thread::spawn(move || double(n))).collect();
    let results: Vec<u32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    println!("{results:?}");
}
