fn main() {
    println!("Person 1 started");
}
