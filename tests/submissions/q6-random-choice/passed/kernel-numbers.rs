use std::fs::File;
use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let (mut reader, mut writer) = std::io::pipe()?;
    for share in [13, 13, 12, 12] {
        // SAFETY: this process has one thread, so its child may do all that it may do itself.
        if unsafe { libc::fork() } == 0 {
            let random = File::open("/dev/urandom")?.bytes().map_while(Result::ok);
            // 250 is a multiple of 50; the bytes above it would favour small numbers.
            let fair = random.filter(|byte| *byte < 250).map(|byte| byte % 50);
            return writer.write_all(&fair.take(share).collect::<Vec<u8>>());
        }
    }
    drop(writer);
    let mut numbers = Vec::new();
    reader.read_to_end(&mut numbers)?;
    for _ in 0..4 {
        let mut status = 0;
        // SAFETY: `status` is a valid place for the answer.
        unsafe { libc::wait(&mut status) };
    }
    println!("{numbers:?}");
    Ok(())
}
