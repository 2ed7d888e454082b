//! Whether an exercise has been begun.

/// Whether the code of a Rust source, its comments and texts aside, contains `todo!`.
///
/// ```
/// use grader::submission::is_unfinished;
///
/// assert!(is_unfinished("fn main() { todo!() }"));
/// assert!(!is_unfinished("fn main() { println!(\"todo!()\") } // todo!()"));
/// ```
#[must_use]
pub fn is_unfinished(source: &str) -> bool {
    let mut rest = source;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = match skipped(rest, before) {
            Some(length) => length,
            None if is_word(first) => {
                let word = rest.find(|one| !is_word(one)).unwrap_or(rest.len());
                if &rest[..word] == "todo" && is_called(&rest[word..]) {
                    return true;
                }
                word
            }
            None => first.len_utf8(),
        };
        before = rest[..length].chars().last().unwrap_or(first);
        rest = &rest[length..];
    }
    false
}

fn is_word(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}

/// Whether a macro's exclamation mark follows; `todo != 1` compares a variable.
fn is_called(rest: &str) -> bool {
    let mut rest = rest.trim_start();
    while let Some(length) = comment(rest) {
        rest = rest[length..].trim_start();
    }
    rest.starts_with('!') && !rest.starts_with("!=")
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
    fn todo_in_code_is_unfinished() {
        for source in [
            "fn main() { todo!(\"print it\") }",
            "todo ! ()",
            "todo /* not yet */ !()",
            "let quote = '\"'; todo!()",
            "let quote = '\\''; todo!()",
            "fn f<'a>(x: &'a str) { todo!() }",
            "let t = r#\"a \" b\"#; todo!()",
            "let t = \"a \\\\\"; todo!()",
            "std::todo!()",
            "/* a /* b */ c */ todo!()",
        ] {
            assert!(is_unfinished(source), "{source}");
        }
    }

    #[test]
    fn todo_elsewhere_is_not() {
        for source in [
            "",
            "// todo!()",
            "//! todo!()\nfn main() {}",
            "/* a /* b */ todo!() */",
            "\"todo!()\"",
            "\"a \\\" todo!()\"",
            "r\"\\\"; fn f() {}",
            "r#\"\" todo!()\"#",
            "br\"todo!()\"",
            "c\"todo!()\"",
            "my_todo!()",
            "todo_list!()",
            "if todo != 1 {}",
            "fn todo() {}",
            "/* never closed todo!()",
            "\"never closed todo!()",
        ] {
            assert!(!is_unfinished(source), "{source}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_around_it_todo_is_found_before_it_and_never_without_it(source in "[ a-z'\"\\\\#/*r!é]{0,40}") {
            let with_todo = format!("todo!() {source}");
            proptest::prop_assert!(is_unfinished(&with_todo));
            proptest::prop_assert!(!is_unfinished(&source) || source.contains("todo"));
        }
    }
}
