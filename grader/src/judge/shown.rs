//! Text of a submission made fit to be shown: control characters escaped, long lines cut around what matters.

use std::fmt::Write;

/// So many characters of a line are shown at most.
const MOST_SHOWN: usize = 120;

/// So many of them inside a sentence.
const MOST_QUOTED: usize = 60;

/// A line with every control character escaped, as Rust would write it.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        escape_into(c, &mut shown);
    }
    shown
}

/// A line in backticks, escaped, and cut if it is long; for use inside a sentence.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", clipped_to(text, 0, MOST_QUOTED).0)
}

/// A line escaped and cut to what lies around the character at byte `place`; and the width in characters of what is
/// shown before that place.
pub(super) fn clipped(text: &str, place: usize) -> (String, usize) {
    clipped_to(text, place, MOST_SHOWN)
}

fn clipped_to(text: &str, place: usize, most: usize) -> (String, usize) {
    let before_count = text[..place].chars().count();
    let skip = before_count.saturating_sub(most / 2);
    let mut shown = String::new();
    if skip > 0 {
        shown.push('…');
    }
    let mut width = 0;
    let mut rest = text.chars().skip(skip);
    for (index, c) in rest.by_ref().take(most).enumerate() {
        if skip + index == before_count {
            width = shown.chars().count();
        }
        escape_into(c, &mut shown);
    }
    if place == text.len() {
        width = shown.chars().count();
    }
    let left = rest.count();
    if left > 0 {
        // Writing to a string cannot fail.
        let _ = write!(shown, "… ({left} more characters)");
    }
    (shown, width)
}

fn escape_into(c: char, shown: &mut String) {
    // Marks that reorder text (Unicode's bidirectional controls) could make a line read as another one.
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || reorders {
        shown.extend(c.escape_default());
    } else {
        shown.push(c);
    }
}

/// "1 line", "2 lines".
pub(super) fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// "1 child", "2 children".
pub(super) fn children(count: u64) -> String {
    if count == 1 { "1 child".to_owned() } else { format!("{count} children") }
}

/// "a", "a and b", "a, b and c".
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The same, but of many only the first, and how many more there are.
pub(super) fn listed_in_short(parts: &[String]) -> String {
    const MOST: usize = 8;
    if parts.len() <= MOST {
        return listed(parts);
    }
    let (shown, more) = parts.split_at(MOST - 1);
    format!("{} and {} more", shown.join(", "), more.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_only_the_first_are_listed() {
        let names: Vec<String> = (1..=1_500).map(|number| format!("child {number}")).collect();
        assert_eq!(listed_in_short(&names[..2]), "child 1 and child 2");
        assert!(listed_in_short(&names[..8]).ends_with("child 7 and child 8"));
        assert!(listed_in_short(&names).ends_with("child 6, child 7 and 1493 more"));
    }

    #[test]
    fn control_sequences_are_shown_and_not_obeyed() {
        assert_eq!(escaped("\u{1b}[32mok\u{0}\t\u{202e}"), "\\u{1b}[32mok\\u{0}\\t\\u{202e}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_that_matters() {
        let line = format!("{}X{}", "a".repeat(1_000), "b".repeat(1_000));
        let (shown, width) = clipped(&line, 1_000);
        assert_eq!(shown.chars().nth(width), Some('X'));
        assert!(shown.chars().count() < 200, "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with("(941 more characters)"), "{shown}");
        let (shown, width) = clipped("abc", 3);
        assert_eq!((shown.as_str(), width), ("abc", 3));
    }
}
