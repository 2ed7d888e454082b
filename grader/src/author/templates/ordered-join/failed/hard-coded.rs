fn main() {
    for part in [1, 2] {
        println!("Part {part} is done");
    }
    println!("All is done");
}
