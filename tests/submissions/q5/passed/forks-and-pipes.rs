use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut workers = Vec::new();
    for worker in 0..4 {
        let (reader, mut writer) = std::io::pipe()?;
        // SAFETY: this process has one thread, so its child may do all that it may do itself.
        match unsafe { libc::fork() } {
            -1 => panic!("no child could be made"),
            0 => {
                for n in (1..=5_u8).filter(|n| n % 4 == worker) {
                    writer.write_all(&[n * n])?;
                }
                return Ok(());
            }
            child => workers.push((child, reader)),
        }
    }
    let mut squares = Vec::new();
    for (child, mut reader) in workers {
        reader.read_to_end(&mut squares)?;
        let mut status = 0;
        // SAFETY: `status` is a valid place for the answer.
        unsafe { libc::waitpid(child, &mut status, 0) };
    }
    squares.sort();
    println!("{squares:?}");
    Ok(())
}
