//! A Rust source without what is no code.

/// A source with its comments, texts and characters blanked out, so that a word that is left is code.
///
/// ```
/// assert_eq!(grader::submission::without_texts("a /* b */ + \"c\""), "a         +    ");
/// ```
#[must_use]
pub fn without_texts(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, before).unwrap_or(0);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            before = first;
        } else {
            let (text, after) = rest.split_at(length);
            code.extend(text.chars().map(|one| if one == '\n' { '\n' } else { ' ' }));
            rest = after;
            before = ' ';
        }
    }
    code
}

pub(super) fn is_word(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}

/// The length of the comment, text or character that `rest` begins with.
fn skipped(rest: &str, before: char) -> Option<usize> {
    comment(rest).or_else(|| raw_text(rest, before)).or_else(|| text(rest)).or_else(|| character(rest))
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let mut length = rest.strip_prefix("/*").map(|_| 2)?;
    let mut depth = 1_u32;
    while depth > 0 && length < rest.len() {
        let here = &rest[length..];
        let (change, step) = match here.as_bytes() {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, here.chars().next().map_or(1, char::len_utf8)),
        };
        depth = depth.saturating_add_signed(change);
        length += step;
    }
    Some(length)
}

/// `r"…"`, `r#"…"#` and the like, also behind a `b` or `c`; not where the `r` ends a longer word.
fn raw_text(rest: &str, before: char) -> Option<usize> {
    let start =
        ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix)).filter(|_| !is_word(before))?;
    let hashes = start.find(|one| one != '#').unwrap_or(start.len());
    let body = start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", &start[..hashes]);
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(rest.len() - body.len() + length)
}

fn text(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = body.char_indices().find(|(_, one)| {
        let ends = *one == '"' && !escaped;
        escaped = *one == '\\' && !escaped;
        ends
    });
    Some(end.map_or(rest.len(), |(at, _)| at + 2))
}

/// `'x'` or `'\n'`; a lifetime has no second quote behind one character.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let mut inside = body.char_indices();
    let (_, first) = inside.next()?;
    if first == '\\' {
        inside.next();
        let (end, _) = inside.find(|(_, one)| *one == '\'')?;
        return Some(end + 2);
    }
    let (second, quote) = inside.next()?;
    (quote == '\'').then_some(second + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_no_code() {
        let source = "a /* b /* c */ */ \"d \\\" e\" r#\"f \" g\"# 'h' '\\'' &'i j // k\nl";
        assert_eq!(without_texts(source).split_whitespace().collect::<Vec<_>>(), ["a", "&'i", "j", "l"]);
    }
}
