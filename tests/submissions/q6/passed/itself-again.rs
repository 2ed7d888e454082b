use std::process::Command;

fn main() -> std::io::Result<()> {
    if let Some(number) = std::env::args().nth(1) {
        println!("Process {number}: {number}");
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let mut children = Vec::new();
    for number in 1..=4 {
        children.push(Command::new(&program).arg(number.to_string()).spawn()?);
    }
    for mut child in children {
        assert!(child.wait()?.success());
    }
    Ok(())
}
