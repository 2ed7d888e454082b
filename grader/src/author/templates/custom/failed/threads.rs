fn main() {
    let answer = std::thread::spawn(|| 6 * 7).join().unwrap();
    println!("The answer is {answer}");
}
