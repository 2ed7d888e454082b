//! A page cut to the size of a terminal: what has to be seen at the top and the bottom, and a part of what is between.

use unicode_width::UnicodeWidthChar;

use super::terminal::Size;

/// Tabs of a compiler's or a question's text.
const TAB: &str = "    ";

const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Styled text, of any length.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) head: String,
    pub(super) body: String,
    pub(super) foot: String,
}

/// The rows of a page for a terminal, from row `scroll` of its body on.
///
/// `scroll` is made less where it would lead past the end.
pub(super) fn cut(page: &Page, size: Size, scroll: &mut usize) -> Vec<String> {
    let mut rows = rows_of(&page.head, size.columns);
    let mut foot = rows_of(&page.foot, size.columns);
    if rows.len() + 1 + foot.len() > size.rows {
        // The keys stay, at least the last of them, and so do the question's name and a row of what it is about.
        foot.drain(..foot.iter().take_while(|row| row.is_empty()).count());
        foot.drain(..foot.len().saturating_sub((size.rows / 2).max(1)));
        rows.truncate(size.rows.saturating_sub(1 + foot.len()).max(1));
    }
    let body = rows_of(&page.body, size.columns);
    let room = size.rows.saturating_sub(rows.len() + foot.len()).max(1);
    if body.len() <= room {
        *scroll = 0;
        rows.extend(body);
    } else {
        let shown = room.saturating_sub(1).max(1);
        *scroll = (*scroll).min(body.len() - shown);
        let last = *scroll + shown;
        let place = format!("{}-{last} of {}", *scroll + 1, body.len());
        let in_full = format!("{place}, space and b turn the page");
        let place = if in_full.len() <= size.columns { in_full } else { place };
        rows.extend_from_slice(&body[*scroll..last]);
        if room > 1 {
            let place: String = place.chars().take(size.columns).collect();
            rows.push(format!("{DIM}{place}{DIM:#}"));
        }
    }
    let free = size.rows.saturating_sub(rows.len() + foot.len());
    rows.extend(std::iter::repeat_n(String::new(), free));
    rows.extend(foot);
    rows.truncate(size.rows);
    rows
}

/// How many rows to go on by for the next page.
pub(super) fn page_length(size: Size) -> usize {
    size.rows.saturating_sub(8).max(1)
}

/// A styled text in rows of at most `width` columns; a style goes on in the next row.
fn rows_of(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| rows_of_line(&line.replace('\t', TAB), width.max(1))).collect()
}

/// A line is broken at a space, or within a word that is longer than a row.
fn rows_of_line(line: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = Row::default();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = sequence_length(rest) {
            let (sequence, after) = rest.split_at(length);
            rest = after;
            // Anything but a style has no business on a page.
            if sequence.ends_with('m') && sequence.starts_with("\x1b[") {
                row.style(sequence);
            }
            continue;
        }
        rest = &rest[first.len_utf8()..];
        let columns = first.width().unwrap_or(0);
        if row.used + columns > width {
            rows.push(row.break_before(first));
        }
        // The space at which a row was broken belongs to neither.
        let was_broken = first == ' ' && row.used == 0 && !rows.is_empty();
        if !first.is_control() && !was_broken {
            row.push(first, columns);
        }
    }
    rows.push(row.text);
    rows
}

/// A row that is being filled.
#[derive(Default)]
struct Row {
    text: String,
    used: usize,
    /// The sequences that set the style of this place.
    style: String,
    /// Behind the last space that has a word before it: the place in the text, the columns up to there, the style there.
    space: Option<(usize, usize, String)>,
}

impl Row {
    fn style(&mut self, sequence: &str) {
        self.text.push_str(sequence);
        if matches!(sequence, "\x1b[0m" | "\x1b[m") {
            self.style.clear();
        } else {
            self.style.push_str(sequence);
        }
    }

    fn push(&mut self, one: char, columns: usize) {
        let has_word = self.text.chars().any(|before| before != ' ');
        self.text.push(one);
        self.used += columns;
        if one == ' ' && has_word {
            self.space = Some((self.text.len(), self.used, self.style.clone()));
        }
    }

    /// Ends the row before a character that has no room, and goes on in the next; returns the row that has ended.
    fn break_before(&mut self, next: char) -> String {
        let (mut ended, style, left, used) = match self.space.take().filter(|_| next != ' ') {
            Some((at, columns, style)) => {
                let left = self.text.split_off(at);
                (self.text.trim_end_matches(' ').to_owned(), style, left, self.used - columns)
            }
            None => (std::mem::take(&mut self.text), self.style.clone(), String::new(), 0),
        };
        if !style.is_empty() {
            ended.push_str("\x1b[0m");
        }
        self.space = None;
        self.text = style + &left;
        self.used = used;
        ended
    }
}

/// The length of the escape sequence that a text begins with; see ECMA-48, 5.4 and 5.6.
fn sequence_length(text: &str) -> Option<usize> {
    let after = text.strip_prefix('\x1b')?;
    if let Some(inside) = after.strip_prefix('[') {
        let end = inside.bytes().position(|byte| (0x40..=0x7e).contains(&byte));
        return Some(end.map_or(text.len(), |end| 2 + end + 1));
    }
    if let Some(inside) = after.strip_prefix(']') {
        // A command of the operating system ends in BEL or in ESC and a backslash.
        let end = inside.find('\x07').map(|end| end + 1);
        let end = [end, inside.find("\x1b\\").map(|end| end + 2)].into_iter().flatten().min();
        return Some(end.map_or(text.len(), |end| 2 + end));
    }
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: usize) -> Page {
        let body = (1..=lines).map(|line| format!("line {line}\n")).collect();
        Page { head: "head\n\n".to_owned(), body, foot: "keys\n".to_owned() }
    }

    fn cut_at(lines: usize, columns: usize, rows: usize, mut scroll: usize) -> (Vec<String>, usize) {
        let rows = cut(&page(lines), Size { columns, rows }, &mut scroll);
        let plain = rows.iter().map(|row| anstream::adapter::strip_str(row).to_string()).collect();
        (plain, scroll)
    }

    #[test]
    fn a_short_page_has_its_foot_at_the_bottom() {
        assert_eq!(cut_at(2, 40, 7, 3).0, ["head", "", "line 1", "line 2", "", "", "keys"]);
    }

    #[test]
    fn a_long_page_is_shown_in_part_and_no_further_than_its_end() {
        let (rows, _) = cut_at(9, 60, 7, 1);
        let place = "2-4 of 9, space and b turn the page";
        assert_eq!(rows, ["head", "", "line 2", "line 3", "line 4", place, "keys"]);
        assert_eq!(cut_at(9, 40, 7, 100).1, 6);
    }

    #[test]
    fn no_terminal_is_too_small() {
        for rows in 1..6 {
            for columns in 1..6 {
                let (shown, _) = cut_at(9, columns, rows, 0);
                assert_eq!(shown.len(), rows, "{shown:?}");
                assert!(shown.iter().all(|row| row.len() <= columns), "{shown:?}");
            }
        }
    }

    #[test]
    fn words_stay_whole_where_a_row_has_room_for_them() {
        assert_eq!(rows_of("failed, 2 of 10 points", 20), ["failed, 2 of 10", "points"]);
        assert_eq!(rows_of("  an indented word", 10), ["  an", "indented", "word"]);
        assert_eq!(rows_of("\x1b[1mone two\x1b[0m", 5), ["\x1b[1mone\x1b[0m", "\x1b[1mtwo\x1b[0m"]);
        assert_eq!(rows_of("one \x1b[1mtwo\x1b[0m", 5), ["one", "\x1b[1mtwo\x1b[0m"]);
        assert_eq!(rows_of("abcdefg hi", 4), ["abcd", "efg", "hi"]);
        assert_eq!(rows_of("abcd efgh", 4), ["abcd", "efgh"]);
    }

    #[test]
    fn a_low_terminal_keeps_keys_a_name_and_a_row_between() {
        let page = Page {
            head: "a name\nin two rows\n\n".to_owned(),
            body: "one\ntwo\n".to_owned(),
            foot: "\nfirst keys\nlast keys\n".to_owned(),
        };
        let rows = |rows| cut(&page, Size { columns: 40, rows }, &mut 0);
        assert_eq!(rows(4), ["a name", "one", "first keys", "last keys"]);
        assert_eq!(rows(3), ["a name", "one", "last keys"]);
    }

    #[test]
    fn a_style_goes_on_in_the_next_row_and_ends_with_its_own() {
        let rows = rows_of("ab\x1b[1mcdef\x1b[0mg", 3);
        assert_eq!(rows, ["ab\x1b[1mc\x1b[0m", "\x1b[1mdef\x1b[0m", "g"].map(str::to_owned));
    }

    #[test]
    fn nothing_but_styles_reaches_the_terminal() {
        assert_eq!(rows_of("a\x1b[2Jb\x1b]8;;x\x1b\\c\x07d\te\x1b", 20), ["abcd    e"]);
        assert_eq!(rows_of("日本", 3), ["日", "本"]);
    }
}
