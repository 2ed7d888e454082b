fn main() {
    std::thread::scope(|scope| {
        scope.spawn(|| println!("Hello from a child"));
    });
}
