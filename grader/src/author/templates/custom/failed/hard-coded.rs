fn main() {
    println!("The answer is 42");
}
