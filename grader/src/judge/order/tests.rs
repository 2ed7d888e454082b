//! The decision held against the obvious one: write out every order that a pattern allows, and look for the lines.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Kind, Piece, Placeholder, Stream};
use crate::question::parse_line;

fn machine() -> Machine {
    Machine::default()
}

fn line(text: &str, writer: u32) -> Line {
    Line {
        text: text.to_owned(),
        invalid_utf8: false,
        stream: Stream::Stdout,
        writer: Some(writer),
        begun: Duration::ZERO,
        at: Duration::ZERO,
        torn: false,
    }
}

fn leaf(text: &str) -> Expectation {
    Expectation::Line { pattern: parse_line(text).expect(text), by: None }
}

fn decide_texts(expectation: &Expectation, texts: &[&str]) -> Result<Decision, TooAmbiguous> {
    let lines: Vec<Line> = texts.iter().map(|text| line(text, 1)).collect();
    let demands = Demands { names: true, writers: false };
    decide(expectation, &lines.iter().collect::<Vec<_>>(), &machine(), demands)
}

/// All orders of a pattern's lines, with every optional part there and not, repeated at most `most` times.
fn orders(expectation: &Expectation, most: u32) -> Vec<Vec<&Expectation>> {
    match expectation {
        Expectation::Line { .. } => vec![vec![expectation]],
        Expectation::Sequence(parts) => parts.iter().fold(vec![Vec::new()], |before, part| {
            let after = orders(part, most);
            before.iter().flat_map(|b| after.iter().map(move |a| [b.clone(), a.clone()].concat())).collect()
        }),
        Expectation::AnyOrder(parts) => parts.iter().fold(vec![Vec::new()], |before, part| {
            let with = orders(part, most);
            before.iter().flat_map(|b| with.iter().flat_map(move |w| interleaved(b, w))).collect()
        }),
        Expectation::Optional(part) => [vec![Vec::new()], orders(part, most)].concat(),
        Expectation::Repeat { of, min, max } => {
            let once = orders(of, most);
            let mut all = Vec::new();
            let mut exactly = vec![Vec::new()];
            for times in 0..=max.unwrap_or(most).min(most) {
                if times >= *min {
                    all.extend(exactly.iter().cloned());
                }
                exactly = exactly
                    .iter()
                    .flat_map(|b: &Vec<_>| once.iter().map(move |o| [b.clone(), o.clone()].concat()))
                    .collect();
            }
            all
        }
    }
}

/// An upper bound of the number of orders, and the length of the longest: the oracle is for small patterns only.
fn size(expectation: &Expectation, most: u32) -> (f64, u32) {
    match expectation {
        Expectation::Line { .. } => (1.0, 1),
        Expectation::Sequence(parts) => parts
            .iter()
            .map(|part| size(part, most))
            .fold((1.0, 0), |all, part| (all.0 * part.0, all.1 + part.1)),
        Expectation::AnyOrder(parts) => {
            parts.iter().map(|part| size(part, most)).fold((1.0, 0), |all, part| {
                let shuffles: f64 = (1..=part.1).map(|k| f64::from(all.1 + k) / f64::from(k)).product();
                (all.0 * part.0 * shuffles, all.1 + part.1)
            })
        }
        Expectation::Optional(part) => (size(part, most).0 + 1.0, size(part, most).1),
        Expectation::Repeat { of, max, .. } => {
            let (count, length) = size(of, most);
            let times = max.unwrap_or(most).min(most);
            ((0..=times).map(|times| count.powi(times as i32)).sum(), length * times)
        }
    }
}

fn may_be_empty(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Line { .. } => false,
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => parts.iter().all(may_be_empty),
        Expectation::Optional(_) => true,
        Expectation::Repeat { min, .. } => *min == 0,
    }
}

fn interleaved<'a>(a: &[&'a Expectation], b: &[&'a Expectation]) -> Vec<Vec<&'a Expectation>> {
    match (a.split_first(), b.split_first()) {
        (None, _) => vec![b.to_vec()],
        (_, None) => vec![a.to_vec()],
        (Some((first_a, rest_a)), Some((first_b, rest_b))) => {
            let with_a = interleaved(rest_a, b).into_iter().map(|rest| [vec![*first_a], rest].concat());
            let with_b = interleaved(a, rest_b).into_iter().map(|rest| [vec![*first_b], rest].concat());
            with_a.chain(with_b).collect()
        }
    }
}

/// Whether the lines are this order: texts, names and writers.
fn is_order(order: &[&Expectation], lines: &[Line]) -> bool {
    let mut bindings = Bindings::new();
    let mut writers = BTreeSet::new();
    order.len() == lines.len()
        && order.iter().zip(lines).all(|(leaf, line)| {
            let Expectation::Line { pattern, by } = leaf else { return false };
            let writer = line.writer.expect("every line here has a writer");
            let by_right_one = match by {
                None => true,
                Some(By::Main) => writer == 0,
                Some(By::Child) => writer != 0,
                Some(By::OwnChild) => writer != 0 && writers.insert(writer),
            };
            // The patterns below have at most one way to read a line.
            let read = text::matches(pattern, &line.text, &machine()).expect("few ways");
            let Some(read) = read.first() else { return false };
            match merged(&bindings, read) {
                Some(all) => bindings = all,
                None => return false,
            }
            by_right_one
        })
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let named = |name: &str| Placeholder { name: Some(name.to_owned()), kind: Kind::Word };
    let texts = prop::sample::select(vec!["a", "b", "{word}", "{int}"])
        .prop_map(|text| parse_line(text).expect(text));
    let names = prop::sample::select(vec!["m", "n"]).prop_map(move |name| LinePattern {
        source: format!("{{{name}: word}}"),
        pieces: vec![Piece::Placeholder(named(name))],
    });
    let by = prop::sample::select(vec![None, None, Some(By::Main), Some(By::Child), Some(By::OwnChild)]);
    let leaf =
        (prop_oneof![3 => texts, 1 => names], by).prop_map(|(pattern, by)| Expectation::Line { pattern, by });
    leaf.prop_recursive(3, 5, 3, |part| {
        let parts = prop::collection::vec(part.clone(), 1..4);
        prop_oneof![
            parts.clone().prop_map(Expectation::Sequence),
            parts.prop_map(Expectation::AnyOrder),
            part.clone().prop_map(|part| Expectation::Optional(Box::new(part))),
            (part, 0..2u32, prop::option::of(2..3u32)).prop_filter_map("may be empty", |(of, min, max)| {
                (!may_be_empty(&of)).then(|| Expectation::Repeat { of: Box::new(of), min, max })
            }),
        ]
    })
    .prop_filter("too many orders to write out", |expectation| size(expectation, 4).0 <= 2_000.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_decision_is_that_of_writing_out_every_order(
        expectation in expectation(),
        lines in prop::collection::vec((prop::sample::select(vec!["a", "b", "7"]), 0..3u32), 0..5),
    ) {
        let lines: Vec<Line> = lines.into_iter().map(|(text, writer)| line(text, writer)).collect();
        let demands = Demands { names: true, writers: true };
        let decision = decide(&expectation, &lines.iter().collect::<Vec<_>>(), &machine(), demands)
            .expect("few states");
        let expected = orders(&expectation, 4).iter().any(|order| is_order(order, &lines));
        prop_assert_eq!(matches!(decision, Decision::Matches(_)), expected, "{:?}", decision);
    }

    #[test]
    fn every_order_of_a_pattern_without_holes_matches(expectation in expectation(), pick in any::<prop::sample::Index>()) {
        let orders = orders(&expectation, 2);
        let order = &orders[pick.index(orders.len())];
        let texts: Vec<Line> = order.iter().map(|leaf| {
            let Expectation::Line { pattern, .. } = leaf else { unreachable!("orders hold lines") };
            let text = if pattern.source.starts_with('{') { "7" } else { &pattern.source };
            line(text, 1)
        }).collect();
        let demands = Demands { names: true, writers: false };
        let decision = decide(&expectation, &texts.iter().collect::<Vec<_>>(), &machine(), demands).expect("few states");
        prop_assert!(matches!(decision, Decision::Matches(_)), "{:?}", decision);
    }
}

#[test]
fn the_place_where_no_order_goes_on_is_told() {
    let both = Expectation::AnyOrder(vec![leaf("Square: 100"), leaf("Cube: 1000")]);
    let expectation = Expectation::Sequence(vec![both, leaf("Done!")]);
    let at = |texts: &[&str]| decide_texts(&expectation, texts).expect("few states");
    assert_eq!(at(&["Cube: 1000", "Square: 100", "Done!"]), Decision::Matches(vec![Bindings::new()]));
    assert_eq!(at(&["Cube: 1000", "Done!", "Square: 100"]), Decision::Stuck { lines: 1 });
    assert_eq!(at(&["Cube: 1000", "Square: 100"]), Decision::Stuck { lines: 2 });
    assert_eq!(at(&[]), Decision::Stuck { lines: 0 });
}

#[test]
fn many_equal_parts_are_one_state_each() {
    let expectation = Expectation::AnyOrder((0..200).map(|_| leaf("{int}")).collect());
    let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(decide_texts(&expectation, &texts), Ok(Decision::Matches(vec![Bindings::new()])));
}

#[test]
fn a_pattern_with_too_many_readings_is_refused_not_guessed() {
    let expectation =
        Expectation::AnyOrder((0..40).map(|high| leaf(&format!("{{int 0..={}}}", 99 + high))).collect());
    assert_eq!(decide_texts(&expectation, &["5"; 40]), Err(TooAmbiguous));
}

#[test]
fn ten_thousand_lines_are_decided_at_once() {
    let texts: Vec<String> = (0..10_000).map(|number| format!("line {number}")).collect();
    let sequence = Expectation::Sequence(texts.iter().map(|text| leaf(text)).collect());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert!(matches!(decide_texts(&sequence, &texts), Ok(Decision::Matches(_))));
    let repeat = Expectation::Repeat { of: Box::new(leaf("line {int}")), min: 1, max: None };
    assert!(matches!(decide_texts(&repeat, &texts), Ok(Decision::Matches(_))));
}

#[test]
fn a_line_that_is_no_text_matches_nothing() {
    let mut broken = line("a\u{fffd}", 0);
    broken.invalid_utf8 = true;
    let demands = Demands { names: true, writers: true };
    assert_eq!(decide(&leaf("{any}"), &[&broken], &machine(), demands), Ok(Decision::Stuck { lines: 0 }));
}
