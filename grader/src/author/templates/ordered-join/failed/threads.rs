fn main() {
    std::thread::scope(|scope| {
        for part in [1, 2] {
            scope.spawn(move || println!("Part {part} is done"));
        }
    });
    println!("All is done");
}
