//! Where a line first differs from the pattern it was meant for, and how.

use super::shown::{plural, quoted};
use super::text;
use crate::model::{Element, IntRange, Kind, LinePattern, Machine, Piece};

/// The first difference of a line from a pattern.
pub(super) struct Difference {
    /// The byte of the line at which it is.
    pub(super) place: usize,
    /// What is there and what should be, as a clause about "it".
    pub(super) why: String,
}

/// Finds the first difference of a line that does not match.
pub(super) fn first(pattern: &LinePattern, line: &str, machine: &Machine) -> Difference {
    if line.trim_end() == pattern.source {
        return Difference {
            place: line.trim_end().len(),
            why: "there is white space at its end".to_owned(),
        };
    }
    if line.to_lowercase() == pattern.source.to_lowercase() {
        let place = line.char_indices().zip(pattern.source.chars()).find(|((_, a), b)| a != b);
        let place = place.map_or(0, |((index, _), _)| index);
        return Difference { place, why: "it differs in upper and lower case".to_owned() };
    }
    let Some(progress) = text::progress(pattern, line, machine) else {
        return Difference { place: 0, why: "another value is expected".to_owned() };
    };
    let place = progress.offset;
    match pattern.pieces.get(progress.piece) {
        None => Difference { place, why: format!("it should end before {}", quoted(&line[place..])) },
        Some(Piece::Text(text)) => {
            let same = text.chars().zip(line[place..].chars()).take_while(|(a, b)| a == b);
            let same: usize = same.map(|(a, _)| a.len_utf8()).sum();
            instead(line, place + same, &quoted(&text[same..]))
        }
        Some(Piece::Placeholder(placeholder)) => match &placeholder.kind {
            Kind::List { element, len } => in_list(line, place, *element, *len),
            kind => instead(line, place, &described(kind, machine)),
        },
    }
}

/// Something else stands where `wanted` is expected.
fn instead(line: &str, place: usize, wanted: &str) -> Difference {
    let why = match &line[place..] {
        "" => format!("it ends where {wanted} is expected"),
        rest => format!("it has {} where {wanted} is expected", quoted(rest)),
    };
    Difference { place, why }
}

/// A list with an element of the wrong kind, or too few or too many of them.
fn in_list(line: &str, start: usize, element: Element, len: Option<usize>) -> Difference {
    let mut place = start;
    let mut count = 0;
    while let Some(end) =
        text::element_end(line, place, element).filter(|end| *end == place + value_at(line, place).len())
    {
        count += 1;
        if !line[end..].starts_with(", ") {
            let why = match len {
                Some(len) if len != count => {
                    format!("its list has {}, and {len} are expected", plural(count, "value"))
                }
                _ => format!(
                    "its list goes on with {} where a comma and a space are expected",
                    quoted(&line[end..])
                ),
            };
            return Difference { place: end, why };
        }
        place = end + 2;
    }
    let value = value_at(line, place);
    let found = if value.is_empty() { "nothing".to_owned() } else { quoted(value) };
    let why =
        format!("value {} of its list is {found}, and {} is expected", count + 1, described_element(element));
    Difference { place, why }
}

/// What stands at a place of a list, right or wrong.
fn value_at(line: &str, place: usize) -> &str {
    line[place..].split([',', ']', ' ']).next().unwrap_or_default()
}

/// What a placeholder takes, in words.
fn described(kind: &Kind, machine: &Machine) -> String {
    match kind {
        Kind::Int(range) => described_int(*range),
        Kind::Float => "a decimal number".to_owned(),
        Kind::Word => "a word".to_owned(),
        Kind::Any => "anything".to_owned(),
        Kind::Cpus => {
            let counts: Vec<String> = machine.cpus.iter().map(ToString::to_string).collect();
            format!("the number of CPUs ({} here)", counts.join(" or "))
        }
        Kind::List { element, .. } => format!("a list, each value {},", described_element(*element)),
    }
}

fn described_element(element: Element) -> String {
    match element {
        Element::Int(range) => described_int(range),
        Element::Float => "a decimal number".to_owned(),
        Element::Word => "a word".to_owned(),
    }
}

fn described_int(range: IntRange) -> String {
    match (range.min, range.max) {
        (None, None) => "a whole number".to_owned(),
        (Some(min), None) => format!("a whole number of at least {min}"),
        (None, Some(max)) => format!("a whole number of at most {max}"),
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
    }
}
