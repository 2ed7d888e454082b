fn main() {
    println!("Hello from a child");
}
