fn main() {
    println!("[2, 4, 6, 8, 10]");
}
