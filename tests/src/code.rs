//! Rust sources, as far as the rules of the house need to read them.

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

#[cfg(test)]
mod tests {
    use grader::submission::without_texts;

    use super::*;

    #[test]
    fn imports_are_seen_however_they_are_written() {
        let source = "use crate::model::{Line, Run};\npub(crate) use crate::{\n  sys, // crate::cli\n  observe::{a, b},\n};\n\
                      fn f() -> crate::judge::X { $crate::report::y(); \"crate::cli\" }";
        assert_eq!(modules_named(&without_texts(source)), ["model", "sys", "observe", "judge"]);
    }
}
