use std::io::Write;

fn child(name: &str, power: u32) {
    // SAFETY: this process has one thread, so its child may do all that it may do itself.
    match unsafe { libc::fork() } {
        -1 => panic!("no child could be made"),
        0 => {
            let mut stdout = std::io::stdout().lock();
            write!(stdout, "{name}: ").unwrap();
            stdout.flush().unwrap();
            writeln!(stdout, "{}", 10_u32.pow(power)).unwrap();
            // SAFETY: _exit(2) may be called at any time.
            unsafe { libc::_exit(0) }
        }
        _ => {}
    }
}

fn main() {
    child("Square", 2);
    child("Cube", 3);
    for _ in 0..2 {
        let mut status = 0;
        // SAFETY: `status` is a valid place for the answer.
        unsafe { libc::wait(&mut status) };
    }
    println!("Done!");
}
