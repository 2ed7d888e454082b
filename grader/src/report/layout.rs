//! Text laid out in columns: what is longer than a line goes on in the next.
//!
//! Sequences that set colours take no column, so that styled text may be wrapped too.

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr;

/// How many columns a text takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    if text.contains('\u{1b}') { strip_str(text).to_string().width() } else { text.width() }
}

/// A text in lines of at most `width` columns, broken at spaces; a word that is longer stands alone.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|paragraph| filled(paragraph.split(' '), width, "")).collect()
}

/// A command in lines of at most `width` columns that a shell reads as one.
///
/// It is broken between its words alone, since a break inside of quotes would be part of the word.
pub(super) fn wrapped_command(command: &str, width: usize) -> Vec<String> {
    const GOES_ON: &str = " \\";
    let whole = vec![command.to_owned()];
    if columns(command) <= width {
        return whole;
    }
    let Ok(words) = shell_words::split(command) else { return whole };
    let words: Vec<_> = words.iter().map(|word| shell_words::quote(word)).collect();
    filled(words.iter().map(AsRef::as_ref), width, GOES_ON)
}

/// Words in lines of at most `width` columns; each line but the last ends in `goes_on`.
fn filled<'a>(words: impl Iterator<Item = &'a str>, width: usize, goes_on: &str) -> Vec<String> {
    let width = width.saturating_sub(columns(goes_on));
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in words {
        let needed = columns(word);
        if used > 0 && used + 1 + needed > width {
            lines.push(std::mem::take(&mut line) + goes_on);
            used = 0;
        } else if !line.is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += needed;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_nowhere_else() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a-very-long-word b", 5), ["a-very-long-word", "b"]);
        assert_eq!(wrapped("", 5), [""; 0]);
        assert_eq!(wrapped("ü ü ü", 3), ["ü ü", "ü"]);
        assert_eq!(wrapped("a\n\nb c", 2), ["a", "", "b", "c"]);
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(wrapped("\u{1b}[1mone\u{1b}[0m two", 7), ["\u{1b}[1mone\u{1b}[0m two"]);
    }

    #[test]
    fn a_command_stays_one_command() {
        let command = "cargo grade q3 --command 'sh -c \"echo  a\"' --schedules random:7";
        assert_eq!(wrapped_command(command, 100), [command]);
        let lines = wrapped_command(command, 30);
        assert_eq!(lines, ["cargo grade q3 --command \\", "'sh -c \"echo  a\"' \\", "--schedules random:7"]);
        let joined = lines.join("\n").replace("\\\n", "");
        assert_eq!(shell_words::split(&joined), shell_words::split(command));
    }
}
