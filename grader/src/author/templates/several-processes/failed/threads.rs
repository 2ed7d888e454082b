fn main() {
    std::thread::scope(|scope| {
        for number in 1..=3 {
            scope.spawn(move || println!("Worker {number} is ready"));
        }
    });
}
