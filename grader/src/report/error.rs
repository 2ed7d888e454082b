//! An error as a person reads it.

use std::io::{self, Write};

use super::layout::wrapped;

/// Writes an error's text in lines of at most `width` columns.
///
/// Indented lines show a place in a file, and what stands below it; they stay as they are.
///
/// # Errors
/// The writer's own.
pub fn write(text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for line in text.lines() {
        if line.starts_with(' ') {
            writeln!(out, "{line}")?;
        } else {
            wrapped(line, width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_and_places_are_not() {
        let mut out = Vec::new();
        let text = "grader: failed to read a question\n  12 | wall = ten seconds\n     |        ^^^";
        write(text, 20, &mut out).unwrap();
        let lines = "grader: failed to\nread a question\n  12 | wall = ten seconds\n     |        ^^^\n";
        assert_eq!(String::from_utf8(out).unwrap(), lines);
    }
}
