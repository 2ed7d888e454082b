//! The text of a line with its placeholders: `Process {n: int 1..=4}: {n}`.

use std::collections::HashMap;

use crate::model::{Element, IntRange, Kind, LinePattern, Piece, Placeholder};

/// What may stand between braces, for messages.
const ALLOWED: &str = "allowed are `{int}`, `{int 0..=49}`, `{int 2..}`, `{float}`, `{word}`, `{any}`, `{cpus}`, \
                       `{list int len 5}`, each also with a name as in `{n: int}`, and `{n}` for that name's value \
                       again; `{{` is a brace";

/// A mistake at a byte of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineMistake {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// A line as it was read, before it is known what its bare names mean.
#[derive(Debug, Clone)]
pub(super) struct RawLine {
    source: String,
    pieces: Vec<RawPiece>,
}

#[derive(Debug, Clone)]
enum RawPiece {
    Text(String),
    Hole { offset: usize, name: Option<String>, kind: Option<Kind> },
}

/// Reads one line's pattern on its own.
///
/// # Errors
/// A sentence about the first mistake: an unknown placeholder, a brace that is not closed, a name without a kind.
pub fn parse_line(text: &str) -> Result<LinePattern, String> {
    let raw = RawLine::read(text).map_err(|mistake| mistake.message)?;
    let mut names = HashMap::new();
    raw.define(&mut names).map_err(|mistake| mistake.message)?;
    raw.resolve(&names).map_err(|mistake| mistake.message)
}

impl RawLine {
    /// Splits a line into its text and its holes.
    pub(super) fn read(source: &str) -> Result<RawLine, LineMistake> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(next) = rest.chars().next() {
            let offset = source.len() - rest.len();
            if let Some(after) = rest.strip_prefix("{{") {
                text.push('{');
                rest = after;
            } else if next == '{' {
                let Some(end) = rest.find('}') else {
                    return Err(LineMistake {
                        offset,
                        message: format!("this `{{` is never closed; {ALLOWED}"),
                    });
                };
                if !text.is_empty() {
                    pieces.push(RawPiece::Text(std::mem::take(&mut text)));
                }
                pieces.push(hole(&rest[1..end], offset)?);
                rest = &rest[end + 1..];
            } else if next == '\n' || next == '\r' {
                return Err(LineMistake {
                    offset,
                    message: "a line holds no line break; write a `sequence` of two lines".to_owned(),
                });
            } else {
                text.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        if !text.is_empty() {
            pieces.push(RawPiece::Text(text));
        }
        Ok(RawLine { source: source.to_owned(), pieces })
    }

    /// Adds what this line's names mean; a name means the same everywhere in a check.
    pub(super) fn define(&self, names: &mut HashMap<String, Kind>) -> Result<(), LineMistake> {
        for piece in &self.pieces {
            let RawPiece::Hole { offset, name: Some(name), kind: Some(kind) } = piece else { continue };
            match names.get(name) {
                Some(known) if known != kind => {
                    let message = format!(
                        "`{name}` is `{kind}` here and `{known}` elsewhere in this check; a name means the same \
                         value everywhere, so give it its kind once and write `{{{name}}}` after that"
                    );
                    return Err(LineMistake { offset: *offset, message });
                }
                _ => names.insert(name.clone(), kind.clone()),
            };
        }
        Ok(())
    }

    /// The finished pattern, with every bare name replaced by what it means.
    pub(super) fn resolve(&self, names: &HashMap<String, Kind>) -> Result<LinePattern, LineMistake> {
        let piece = |piece: &RawPiece| match piece {
            RawPiece::Text(text) => Ok(Piece::Text(text.clone())),
            RawPiece::Hole { offset, name, kind } => {
                let known = name.as_ref().and_then(|name| names.get(name));
                match kind.as_ref().or(known) {
                    Some(kind) => {
                        Ok(Piece::Placeholder(Placeholder { name: name.clone(), kind: kind.clone() }))
                    }
                    None => Err(LineMistake {
                        offset: *offset,
                        message: format!(
                            "`{{{name}}}` is neither a placeholder nor a name given in this check; {ALLOWED}",
                            name = name.as_deref().unwrap_or_default()
                        ),
                    }),
                }
            }
        };
        let pieces = self.pieces.iter().map(piece).collect::<Result<_, _>>()?;
        Ok(LinePattern { source: self.source.clone(), pieces })
    }
}

/// Reads what stands between a pair of braces.
fn hole(inner: &str, offset: usize) -> Result<RawPiece, LineMistake> {
    let mistake = |message: String| LineMistake { offset, message };
    let unknown = || mistake(format!("`{{{inner}}}` is no placeholder; {ALLOWED}"));
    let (name, kind) = match inner.split_once(':') {
        Some((name, kind)) => (Some(name.trim()), Some(kind.trim())),
        None if is_name(inner.trim()) && !is_kind_word(inner.trim()) => (Some(inner.trim()), None),
        None => (None, Some(inner.trim())),
    };
    if name.is_some_and(|name| !is_name(name) || is_kind_word(name)) {
        return Err(mistake(format!(
            "`{}` cannot be a name; a name is a letter, then letters, digits and `_`, and no kind of placeholder",
            name.unwrap_or_default()
        )));
    }
    let kind =
        kind.map(|text| parse_kind(text).map_err(|why| why.map_or_else(unknown, mistake))).transpose()?;
    Ok(RawPiece::Hole { offset, name: name.map(str::to_owned), kind })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_kind_word(text: &str) -> bool {
    matches!(text, "int" | "float" | "word" | "any" | "cpus" | "list")
}

/// A kind such as `int 0..=49`; `Err(None)` where it is no kind at all, `Err(Some(why))` where it is almost one.
fn parse_kind(text: &str) -> Result<Kind, Option<String>> {
    let (head, rest) = text.split_once(' ').map_or((text, ""), |(head, rest)| (head, rest.trim()));
    match (head, rest) {
        ("list", rest) => parse_list(rest),
        (_, _) => match (parse_element(text)?, text) {
            (Some(Element::Int(range)), _) => Ok(Kind::Int(range)),
            (Some(Element::Float), _) => Ok(Kind::Float),
            (Some(Element::Word), _) => Ok(Kind::Word),
            (None, "any") => Ok(Kind::Any),
            (None, "cpus") => Ok(Kind::Cpus),
            (None, _) => Err(None),
        },
    }
}

fn parse_list(rest: &str) -> Result<Kind, Option<String>> {
    let (element, len) = match rest.rsplit_once("len ") {
        Some((element, len)) => match len.trim().parse::<usize>() {
            Ok(len) if len > 0 => (element.trim(), Some(len)),
            _ => return Err(Some(format!("`len {}` has to be a whole number of at least 1", len.trim()))),
        },
        None => (rest, None),
    };
    match parse_element(element)? {
        Some(element) => Ok(Kind::List { element, len }),
        None => Err(Some(format!(
            "a list holds `int`, `float` or `word`, not `{element}`; write `{{list int 0..=49 len 50}}`"
        ))),
    }
}

/// What a list may hold; `Ok(None)` where the text is something else.
fn parse_element(text: &str) -> Result<Option<Element>, Option<String>> {
    match text.split_once(' ') {
        None if text == "int" => Ok(Some(Element::Int(IntRange::default()))),
        None if text == "float" => Ok(Some(Element::Float)),
        None if text == "word" => Ok(Some(Element::Word)),
        Some(("int", range)) => {
            parse_range(range.trim()).map(|range| Some(Element::Int(range))).map_err(Some)
        }
        _ => Ok(None),
    }
}

/// `0..=49`, `2..` or `..=9`.
fn parse_range(text: &str) -> Result<IntRange, String> {
    let why = || format!("`{text}` is no range; write `0..=49`, `2..` or `..=9`");
    let bound = |text: &str| match text {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| why()),
    };
    let (min, max) = text.split_once("..").ok_or_else(why)?;
    let range = IntRange {
        min: bound(min)?,
        max: match max.strip_prefix('=') {
            Some(max) if !max.is_empty() => bound(max)?,
            None if max.is_empty() => None,
            _ => return Err(why()),
        },
    };
    match (range.min, range.max) {
        (None, None) => Err(why()),
        (Some(min), Some(max)) if min > max => {
            Err(format!("the range `{text}` is empty: {min} is above {max}"))
        }
        _ => Ok(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let pattern = parse_line(text).expect(text);
        pattern
            .pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Placeholder(hole) => Some(hole.kind),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn every_kind_is_read_back_as_it_prints() {
        for kind in [
            "int",
            "int 0..=49",
            "int 2..",
            "int ..=-1",
            "float",
            "word",
            "any",
            "cpus",
            "list int 0..=49 len 50",
        ] {
            let read = kinds(&format!("a {{{kind}}} b"));
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [kind]);
        }
    }

    #[test]
    fn two_braces_are_one_and_a_closing_one_stands_for_itself() {
        let pattern = parse_line("{{a}}").expect("a line");
        assert_eq!(pattern.pieces, [Piece::Text("{a}}".to_owned())]);
    }

    #[test]
    fn a_bare_name_takes_the_kind_that_it_was_given() {
        assert_eq!(
            kinds("{n: int 1..=4} {n}").iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["int 1..=4", "int 1..=4"]
        );
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_what_is_allowed() {
        for (text, part) in [
            ("{number}", "neither a placeholder nor a name"),
            ("{int 0..49}", "no range"),
            ("{int 5..=1}", "empty"),
            ("{int ..}", "no range"),
            ("{list}", "a list holds"),
            ("{list int len 0}", "at least 1"),
            ("{list int len many}", "at least 1"),
            ("{", "never closed"),
            ("{}", "no placeholder"),
            ("{int: int}", "cannot be a name"),
            ("{1a: int}", "cannot be a name"),
            ("{n: integer}", "no placeholder"),
            ("{n: int} {n: float}", "elsewhere"),
            ("a\nb", "no line break"),
        ] {
            let message = parse_line(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
