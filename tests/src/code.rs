//! Rust sources, as far as the rules of the house need to read them.

/// A source with its comments, texts and characters blanked out, so that a word that is left is code.
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

/// The words of a code: names, keywords and numbers.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|one: char| !is_word(one)).filter(|word| !word.is_empty())
}

/// The modules that a code names by paths from its crate's root: `model` in `use crate::{model::Line, sys}`.
///
/// What a macro puts together is not seen, nor is a path by way of `super`.
#[must_use]
pub fn modules_named(code: &str) -> Vec<String> {
    let dense: String =
        code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ::", "::").replace(":: ", "::");
    let mut modules = Vec::new();
    for (at, found) in dense.match_indices("crate::") {
        if dense[..at].ends_with(|one: char| is_word(one) || one == '$') {
            continue;
        }
        let path = &dense[at + found.len()..];
        match path.strip_prefix('{') {
            Some(group) => modules.extend(heads(group)),
            None => modules.extend(words(path).next().map(str::to_owned)),
        }
    }
    modules
}

/// The first names of the paths in a group, which goes up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut heads = vec![String::new()];
    for one in group.chars() {
        match one {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            _ if depth == 0 => heads.last_mut().expect("there is always one").push(one),
            _ => {}
        }
    }
    heads.iter().filter_map(|path| words(path).next()).map(str::to_owned).collect()
}

fn is_word(one: char) -> bool {
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
    let mut depth = 1_usize;
    while depth > 0 && length < rest.len() {
        let here = &rest[length..];
        if here.starts_with("/*") {
            depth += 1;
            length += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            length += 2;
        } else {
            length += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(length)
}

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
        assert_eq!(words(&without_texts(source)).collect::<Vec<_>>(), ["a", "i", "j", "l"]);
    }

    #[test]
    fn imports_are_seen_however_they_are_written() {
        let source = "use crate::model::{Line, Run};\npub(crate) use crate::{\n  sys, // crate::cli\n  observe::{a, b},\n};\n\
                      fn f() -> crate::judge::X { $crate::report::y(); \"crate::cli\" }";
        assert_eq!(modules_named(&without_texts(source)), ["model", "sys", "observe", "judge"]);
    }
}
