fn main() {
    std::thread::scope(|scope| {
        for number in 1..=4 {
            scope.spawn(move || println!("Process {number}: {number}"));
        }
    });
}
