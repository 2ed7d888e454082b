use std::io::Read;

fn main() -> std::io::Result<()> {
    let (mut reader, writer) = std::io::pipe()?;
    // SAFETY: this process has one thread, so its child may do all that it may do itself.
    match unsafe { libc::fork() } {
        -1 => panic!("no child could be made"),
        0 => {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            println!("Person {text} started");
        }
        child => {
            std::io::Write::write_all(&mut &writer, b"1")?;
            drop(writer);
            let mut status = 0;
            // SAFETY: `status` is a valid place for the answer.
            unsafe { libc::waitpid(child, &mut status, 0) };
        }
    }
    Ok(())
}
