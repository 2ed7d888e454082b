use std::io::Read;

fn main() -> std::io::Result<()> {
    let (mut reader, writer) = std::io::pipe()?;
    // SAFETY: this process has one thread, so its child may do all that it may do itself.
    if unsafe { libc::fork() } == 0 {
        println!("Person 1 started");
        return Ok(());
    }
    drop(writer);
    reader.read_to_end(&mut Vec::new())?;
    Ok(())
}
