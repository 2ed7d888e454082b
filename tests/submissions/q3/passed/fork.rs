fn main() {
    // SAFETY: this process has one thread, so its child may do all that it may do itself.
    match unsafe { libc::fork() } {
        -1 => panic!("no child could be made"),
        0 => println!("Person 1 started"),
        child => {
            let mut status = 0;
            // SAFETY: `status` is a valid place for the answer.
            unsafe { libc::waitpid(child, &mut status, 0) };
        }
    }
}
