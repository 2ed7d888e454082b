fn main() {
    for number in 1..=3 {
        println!("Worker {number} is ready");
    }
}
