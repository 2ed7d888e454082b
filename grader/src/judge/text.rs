//! One line against its pattern: whether it matches, what its names then mean, and how far it got.
//!
//! A pattern is matched by sets of positions: after each piece, every byte offset at which the line may go on.
//! The work is linear in the line for all placeholders but numbers, whose length is bounded, so no line of a
//! submission can make matching slow.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{Element, Kind, LinePattern, Machine, Piece, Placeholder};

/// The values of names, as the output wrote them.
pub(super) type Bindings = BTreeMap<Rc<str>, Rc<str>>;

/// More digits than any number of 64 bits has, and few enough to fit 128.
const MOST_DIGITS: usize = 38;

/// Longer than any way in which a program prints a float.
const LONGEST_FLOAT: usize = 400;

/// So many ways to read the names of one line; beyond it a pattern is too ambiguous.
const MOST_BINDINGS: usize = 64;

/// So many steps to find them, each a look at one start of one piece, or at one of its ends.
const MOST_STEPS: usize = 1 << 24;

/// A line can be read in more ways than are worth following.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooAmbiguous;

/// How a line compares to a pattern that it does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The piece that could not be matched; the number of pieces where the line goes on behind the last.
    pub(super) piece: usize,
    /// Where in the line that piece would have to start.
    pub(super) offset: usize,
}

/// All different ways in which the names of `pattern` can be read; empty where the line does not match.
pub(super) fn matches(
    pattern: &LinePattern,
    line: &str,
    machine: &Machine,
) -> Result<Vec<Bindings>, TooAmbiguous> {
    let Ok(positions) = forward(pattern, line, machine) else { return Ok(Vec::new()) };
    if !pattern.pieces.iter().any(is_named) {
        return Ok(vec![Bindings::new()]);
    }
    let mut reading =
        Reading { pattern, line, machine, positions: &positions, found: BTreeSet::new(), steps: 0 };
    reading.backward(pattern.pieces.len(), line.len(), &mut Vec::new())?;
    Ok(reading.found.into_iter().collect())
}

fn is_named(piece: &Piece) -> bool {
    matches!(piece, Piece::Placeholder(Placeholder { name: Some(_), .. }))
}

/// How far a line that does not match got; `None` for one that does.
pub(super) fn progress(pattern: &LinePattern, line: &str, machine: &Machine) -> Option<Progress> {
    forward(pattern, line, machine).err()
}

/// The positions before the first piece, before the second, …, behind the last.
fn forward(pattern: &LinePattern, line: &str, machine: &Machine) -> Result<Vec<Vec<usize>>, Progress> {
    let mut positions = vec![vec![0]];
    for (index, piece) in pattern.pieces.iter().enumerate() {
        let starts = &positions[index];
        let ends = piece_ends(piece, line, starts, machine);
        if ends.is_empty() {
            return Err(Progress { piece: index, offset: starts.last().copied().unwrap_or(0) });
        }
        positions.push(ends);
    }
    match positions.last() {
        Some(last) if last.contains(&line.len()) => Ok(positions),
        last => Err(Progress {
            piece: pattern.pieces.len(),
            offset: last.and_then(|ends| ends.last().copied()).unwrap_or(0),
        }),
    }
}

/// Walks back from the end of a line that matches, and collects what its names mean.
struct Reading<'a> {
    pattern: &'a LinePattern,
    line: &'a str,
    machine: &'a Machine,
    positions: &'a [Vec<usize>],
    found: BTreeSet<Bindings>,
    steps: usize,
}

impl Reading<'_> {
    /// `spans` holds what the pieces from `index` on cover, the last piece first.
    fn backward(
        &mut self,
        index: usize,
        end: usize,
        spans: &mut Vec<(usize, usize)>,
    ) -> Result<(), TooAmbiguous> {
        if self.found.len() > MOST_BINDINGS {
            return Err(TooAmbiguous);
        }
        // Every position can be reached from the left, so that pieces without names need no looking at.
        let left = self.pattern.pieces.get(..index).unwrap_or_default();
        let Some(before) = index.checked_sub(1).filter(|_| left.iter().any(is_named)) else {
            if let Some(bindings) = self.bindings(index, spans) {
                self.found.insert(bindings);
            }
            return Ok(());
        };
        for &start in self.positions[before].iter().take_while(|start| **start <= end) {
            if self.leads_to(&left[before], start, end)? {
                spans.push((start, end));
                self.backward(before, start, spans)?;
                spans.pop();
            }
        }
        Ok(())
    }

    /// Whether a piece that starts there may end there.
    fn leads_to(&mut self, piece: &Piece, start: usize, end: usize) -> Result<bool, TooAmbiguous> {
        let is_any = matches!(piece, Piece::Placeholder(Placeholder { kind: Kind::Any, .. }));
        let ends = if is_any { vec![end] } else { piece_ends(piece, self.line, &[start], self.machine) };
        self.steps += 1 + ends.len();
        if self.steps > MOST_STEPS { Err(TooAmbiguous) } else { Ok(ends.binary_search(&end).is_ok()) }
    }

    /// The meaning of all names of the pieces from `index` on; `None` where one name would mean two values.
    fn bindings(&self, index: usize, spans: &[(usize, usize)]) -> Option<Bindings> {
        let mut bindings = Bindings::new();
        for (piece, &(start, end)) in self.pattern.pieces[index..].iter().zip(spans.iter().rev()) {
            let Piece::Placeholder(Placeholder { name: Some(name), .. }) = piece else { continue };
            let value: Rc<str> = self.line[start..end].into();
            match bindings.get(name.as_str()) {
                Some(known) if *known != value => return None,
                Some(_) => {}
                None => {
                    bindings.insert(name.as_str().into(), value);
                }
            }
        }
        Some(bindings)
    }
}

/// Every position behind a piece that starts at one of `starts`; both are in ascending order.
fn piece_ends(piece: &Piece, line: &str, starts: &[usize], machine: &Machine) -> Vec<usize> {
    match piece {
        Piece::Text(text) => starts
            .iter()
            .filter(|start| line[**start..].starts_with(text.as_str()))
            .map(|start| start + text.len())
            .collect(),
        Piece::Placeholder(Placeholder { kind, .. }) => match kind {
            Kind::Int(range) => each(starts, |start| int_ends(line, start, |value| range.contains(value))),
            Kind::Cpus => each(starts, |start| {
                int_ends(line, start, |value| {
                    u64::try_from(value).is_ok_and(|value| machine.cpus.contains(&value))
                })
            }),
            Kind::Float => each(starts, |start| float_ends(line, start)),
            Kind::Word => word_ends(line, starts, |c| !c.is_whitespace()),
            Kind::Any => starts.first().map_or_else(Vec::new, |first| {
                (*first..=line.len()).filter(|index| line.is_char_boundary(*index)).collect()
            }),
            Kind::List { element, len } => list_ends(line, starts, *element, *len),
        },
    }
}

/// The ends from all starts, in ascending order and each once.
fn each(starts: &[usize], ends: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    if let [start] = starts {
        return ends(*start);
    }
    let mut all: Vec<usize> = Vec::new();
    for end in starts.iter().flat_map(|start| ends(*start)) {
        // Ends mostly come in order, since starts do; only numbers that overlap bring some again.
        match all.last() {
            Some(last) if *last >= end => {
                if let Err(place) = all.binary_search(&end) {
                    all.insert(place, end);
                }
            }
            _ => all.push(end),
        }
    }
    all
}

/// The ends of all whole numbers at `start` that are allowed: `1`, `12` and `123` all start `123`.
fn int_ends(line: &str, start: usize, allowed: impl Fn(i128) -> bool) -> Vec<usize> {
    let text = &line.as_bytes()[start..];
    let sign = usize::from(text.first() == Some(&b'-'));
    let mut value: i128 = 0;
    let mut ends = Vec::new();
    for (index, digit) in text[sign..].iter().take(MOST_DIGITS).take_while(|b| b.is_ascii_digit()).enumerate()
    {
        value = value * 10 + i128::from(digit - b'0');
        if allowed(if sign == 0 { value } else { -value }) {
            ends.push(start + sign + index + 1);
        }
    }
    ends
}

/// The ends of all decimal numbers at `start`: digits, perhaps a fraction, perhaps an exponent.
fn float_ends(line: &str, start: usize) -> Vec<usize> {
    let text = &line.as_bytes()[start..line.len().min(start + LONGEST_FLOAT)];
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = sign + digits(sign);
    let mut ends: Vec<usize> = (sign + 1..=whole).collect();
    if whole == sign {
        return ends;
    }
    let mut mantissa = whole;
    if text.get(whole) == Some(&b'.') {
        mantissa = whole + 1 + digits(whole + 1);
        ends.extend(whole + 2..=mantissa);
    }
    if matches!(text.get(mantissa), Some(b'e' | b'E')) && text[mantissa - 1].is_ascii_digit() {
        let sign = usize::from(matches!(text.get(mantissa + 1), Some(b'+' | b'-')));
        let exponent = mantissa + 1 + sign;
        ends.extend(exponent + 1..=exponent + digits(exponent));
    }
    ends.into_iter().map(|end| start + end).collect()
}

/// The ends of all runs of allowed characters.
///
/// A start inside a run that an earlier start has walked adds nothing: the walk goes on where that one ended.
fn word_ends(line: &str, starts: &[usize], allowed: impl Fn(char) -> bool) -> Vec<usize> {
    let mut ends: Vec<usize> = Vec::new();
    for &start in starts {
        let from = ends.last().map_or(start, |last| start.max(*last));
        let run = line[from..].char_indices().take_while(|(_, c)| allowed(*c));
        ends.extend(run.map(|(index, c)| from + index + c.len_utf8()));
    }
    ends
}

/// The ends of all lists at one of `starts`, with `len` elements if given.
///
/// All lists are walked together, an element at a time.
fn list_ends(line: &str, starts: &[usize], element: Element, len: Option<usize>) -> Vec<usize> {
    let mut found = BTreeSet::new();
    let mut starts = starts.to_vec();
    let mut walked: BTreeSet<usize> = BTreeSet::new();
    for count in 1.. {
        if len.is_none() {
            // Where a list of any length has been walked before, another brings no end that is new.
            starts.retain(|start| walked.insert(*start));
        }
        let ends = match element {
            Element::Int(range) => {
                each(&starts, |start| int_ends(line, start, |value| range.contains(value)))
            }
            Element::Float => each(&starts, |start| float_ends(line, start)),
            Element::Word => word_ends(line, &starts, |c| !c.is_whitespace() && c != ','),
        };
        if len.is_none_or(|len| len == count) {
            found.extend(ends.iter().copied());
        }
        starts = ends.iter().filter(|end| line[**end..].starts_with(", ")).map(|end| end + 2).collect();
        if starts.is_empty() || len == Some(count) {
            break;
        }
    }
    found.into_iter().collect()
}

/// The end of the longest list element at `start`, for explanations.
pub(super) fn element_end(line: &str, start: usize, element: Element) -> Option<usize> {
    list_ends(line, &[start], element, Some(1)).pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::parse_line;

    fn machine() -> Machine {
        Machine { cpus: [2, 8].into() }
    }

    fn ways(pattern: &str, line: &str) -> Vec<Vec<String>> {
        matches(&parse_line(pattern).expect(pattern), line, &machine())
            .expect("not ambiguous")
            .into_iter()
            .map(|bindings| bindings.iter().map(|(name, value)| format!("{name}={value}")).collect())
            .collect()
    }

    fn yes(pattern: &str, line: &str) {
        assert!(!ways(pattern, line).is_empty(), "{pattern} should match {line}");
    }

    fn no(pattern: &str, line: &str) {
        assert!(ways(pattern, line).is_empty(), "{pattern} should not match {line}");
    }

    #[test]
    fn each_placeholder_takes_what_it_names_and_nothing_else() {
        yes("a {int} b", "a -12 b");
        no("a {int} b", "a 1.5 b");
        no("a {int} b", "a  b");
        yes("{int 0..=49}", "49");
        no("{int 0..=49}", "50");
        no("{int 0..=49}", "-1");
        yes("{int 2..}", "123456789012345678");
        no("{int ..=-1}", "0");
        for float in ["7", "0.5", "-1.25", "1e-05", "3.1E+8"] {
            yes("{float} µs", &format!("{float} µs"));
        }
        for no_float in [".5", "1.", "e5", "1e", "", "NaN", "0x1"] {
            no("{float} µs", &format!("{no_float} µs"));
        }
        yes("{word}, {word}!", "hello, wörld!");
        no("{word}", "a b");
        no("{word}", "");
        yes("{any}", "");
        yes("<{any}>", "<a > b>");
        yes("{cpus}", "8");
        no("{cpus}", "4");
        yes("[{list int 0..=49 len 3}]", "[1, 49, 0]");
        no("[{list int 0..=49 len 3}]", "[1, 49]");
        no("[{list int 0..=49 len 3}]", "[1, 49, 50]");
        no("[{list int}]", "[1,2]");
        yes("[{list word}]", "[a, b-c, d]");
        yes("[{list float len 2}]", "[1.5, 2]");
        no("[{list int}]", "[]");
    }

    #[test]
    fn a_name_takes_one_value_and_keeps_it() {
        assert_eq!(ways("Process {n: int 1..=4}: {n}", "Process 3: 3"), [["n=3"]]);
        no("Process {n: int 1..=4}: {n}", "Process 3: 4");
        assert_eq!(ways("{a: any}-{b: any}", "1-2-3"), [["a=1", "b=2-3"], ["a=1-2", "b=3"]]);
    }

    #[test]
    fn a_line_with_too_many_readings_is_refused_not_guessed() {
        let line = "x ".repeat(200);
        let pattern = parse_line("{a: any} {b: any}").expect("a pattern");
        assert_eq!(matches(&pattern, &line, &machine()), Err(TooAmbiguous));
    }

    #[test]
    fn a_long_line_is_matched_in_linear_time() {
        let pattern = parse_line("{any}{word}{any} end{word}").expect("a pattern");
        let line = "7".repeat(1 << 17);
        assert_eq!(matches(&pattern, &line, &machine()), Ok(Vec::new()));
        for (pattern, line) in [
            ("{any}{int}", line),
            ("{any} {list int}", format!("of {}1", "1, ".repeat(1 << 17))),
            ("{any} {list int len 50}", format!("of {}1", "1, ".repeat(1 << 15))),
            ("{any}: {any} {n: int}", format!("{} 1", ": ".repeat(1 << 17))),
            ("{any} {a: word} {any} {b: int}", format!("x {}  1", "a".repeat(1 << 17))),
        ] {
            assert_eq!(ways(pattern, &line).len(), 1, "{pattern}");
        }
    }

    #[test]
    fn progress_tells_the_piece_that_stopped_a_line() {
        let at = |pattern: &str, line: &str| progress(&parse_line(pattern).expect(pattern), line, &machine());
        assert_eq!(at("Cube: 1000", "Cube: 1000"), None);
        assert_eq!(at("n = {int}!", "n = x!"), Some(Progress { piece: 1, offset: 4 }));
        assert_eq!(at("n = {int}!", "n = 12"), Some(Progress { piece: 2, offset: 6 }));
        assert_eq!(at("n = {int}", "n = 12 "), Some(Progress { piece: 2, offset: 6 }));
    }

    mod against_regular_expressions {
        use super::*;
        use proptest::prelude::*;

        /// The same language written as a regular expression, matched by the obvious recursion.
        fn naive(pieces: &[Piece], line: &str) -> bool {
            let Some((piece, rest)) = pieces.split_first() else { return line.is_empty() };
            let fits = |part: &str| match piece {
                Piece::Text(text) => part == text,
                Piece::Placeholder(hole) => match &hole.kind {
                    Kind::Int(range) => {
                        let digits = part.strip_prefix('-').unwrap_or(part);
                        !digits.is_empty()
                            && digits.bytes().all(|b| b.is_ascii_digit())
                            && part.parse::<i128>().is_ok_and(|value| range.contains(value))
                    }
                    Kind::Word => !part.is_empty() && !part.contains(char::is_whitespace),
                    Kind::Any => true,
                    _ => unreachable!("the patterns below hold no other kind"),
                },
            };
            (0..=line.len())
                .any(|end| line.is_char_boundary(end) && fits(&line[..end]) && naive(rest, &line[end..]))
        }

        proptest! {
            #[test]
            fn sets_of_positions_decide_as_the_naive_recursion_does(
                pattern in prop::collection::vec(prop::sample::select(vec!["{int}", "{int 2..=30}", "{word}", "{any}", "a", " ", "-", "1"]), 0..5),
                line in "[a1 2é-]{0,7}",
            ) {
                let pattern = parse_line(&pattern.concat()).expect("a pattern");
                let found = !matches(&pattern, &line, &machine()).expect("no names").is_empty();
                prop_assert_eq!(found, naive(&pattern.pieces, &line));
            }
        }
    }
}
