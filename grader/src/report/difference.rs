//! Two texts, line by line: what goes and what comes.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

const GOES: Style = AnsiColor::Red.on_default();
const COMES: Style = AnsiColor::Green.on_default();

/// Writes the lines of both texts, each marked by whether it goes, comes or stays; control characters are escaped.
///
/// # Errors
/// Those of `out`.
pub fn write(before: &str, after: &str, out: &mut dyn Write) -> io::Result<()> {
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        let line = escaped(change.value().trim_end_matches('\n'));
        match change.tag() {
            ChangeTag::Delete => writeln!(out, "  {GOES}- {line}{GOES:#}")?,
            ChangeTag::Insert => writeln!(out, "  {COMES}+ {line}{COMES:#}")?,
            ChangeTag::Equal => writeln!(out, "    {line}")?,
        }
    }
    Ok(())
}

fn escaped(line: &str) -> String {
    let shown = |one: char| if one.is_control() { one.escape_debug().to_string() } else { one.to_string() };
    line.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_marked_and_control_characters_escaped() {
        let mut out = Vec::new();
        write("a\nold \u{1b}[2J\nc\n", "a\n\"new\"\nc\n", &mut out).unwrap();
        let shown = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert_eq!(shown, "    a\n  - old \\u{1b}[2J\n  + \"new\"\n    c\n");
    }
}
