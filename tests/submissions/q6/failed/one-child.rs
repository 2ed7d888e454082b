fn print_numbers(last: u32) {
    for number in 1..=last {
        println!("Process {number}: {number}");
    }
}

fn main() -> Result<(), multiprocessing::Error> {
    multiprocessing::init();
    multiprocessing::spawn(print_numbers, 4)?.join()
}
