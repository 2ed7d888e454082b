//! An output pattern as question.toml writes it, and its way to an [`Expectation`].

use std::collections::HashMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::diagnostic::Mistake;
use super::line::RawLine;
use crate::model::{By, Expectation, Kind, LinePattern};

/// A line, or a table that says how parts go together.
#[derive(Debug)]
pub(super) enum Pattern {
    Line(String),
    Table(Box<PatternTable>),
}

/// How parts of an output go together: exactly one of `line`, `sequence`, `any_order`, `optional` and `repeat`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a line in quotes, or a table with `line`, `sequence`, `any_order`, `optional` or `repeat`"
)]
#[schemars(rename = "Pattern table")]
pub(super) struct PatternTable {
    /// One line; `{int}`, `{int 0..=49}`, `{float}`, `{word}`, `{any}`, `{cpus}` and `{list int len 5}` are holes.
    #[schemars(with = "Option<String>")]
    line: Option<Spanned<String>>,
    /// One part after the other.
    #[schemars(with = "Option<Vec<Pattern>>")]
    sequence: Option<Spanned<Vec<Spanned<Pattern>>>>,
    /// All parts side by side; their lines may interleave freely.
    #[schemars(with = "Option<Vec<Pattern>>")]
    any_order: Option<Spanned<Vec<Spanned<Pattern>>>>,
    /// The part, or nothing.
    #[schemars(with = "Option<Pattern>")]
    optional: Option<Spanned<Pattern>>,
    /// The part several times, one after the other.
    #[schemars(with = "Option<Pattern>")]
    repeat: Option<Spanned<Pattern>>,
    /// For `repeat`: the least number of times; without it 0.
    #[schemars(with = "Option<u32>")]
    min: Option<Spanned<i64>>,
    /// For `repeat`: the greatest number of times; without it there is no bound.
    #[schemars(with = "Option<u32>")]
    max: Option<Spanned<i64>>,
    /// Who has to write every line inside: `main`, `child` (any descendant) or `own child` (each line a different one).
    #[schemars(with = "Option<ByName>")]
    by: Option<Spanned<String>>,
}

/// The names of writers, for the schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
#[schemars(rename = "By")]
enum ByName {
    #[schemars(rename = "main")]
    Main,
    #[schemars(rename = "child")]
    Child,
    #[schemars(rename = "own child")]
    OwnChild,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PatternVisitor;
        impl<'de> Visitor<'de> for PatternVisitor {
            type Value = Pattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a line in quotes, or a table with `line`, `sequence`, `any_order`, `optional` or `repeat`",
                )
            }

            fn visit_str<E>(self, line: &str) -> Result<Pattern, E> {
                Ok(Pattern::Line(line.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pattern, A::Error> {
                PatternTable::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| Pattern::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(PatternVisitor)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<PatternTable>();
        schemars::json_schema!({
            "description": "A line, or a table that says how parts of the output go together.",
            "anyOf": [{ "type": "string" }, table],
        })
    }
}

/// Reads one pattern; what is wrong in it is added to `mistakes`, and then there is no result.
pub(super) fn lower(
    pattern: &Spanned<Pattern>,
    text: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<Expectation> {
    let before = mistakes.len();
    let mut lowering = Lowering { text, names: HashMap::new(), mistakes };
    lowering.define(pattern);
    let expectation = lowering.expectation(pattern, None);
    expectation.filter(|_| mistakes.len() == before)
}

/// Reads one line that stands by itself.
pub(super) fn lower_line(
    line: &Spanned<String>,
    text: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<LinePattern> {
    let whole = Spanned::new(line.span(), Pattern::Line(line.get_ref().clone()));
    match lower(&whole, text, mistakes)? {
        Expectation::Line { pattern, .. } => Some(pattern),
        _ => None,
    }
}

struct Lowering<'a> {
    /// The file's text, to place a mistake inside a line.
    text: &'a str,
    /// What the names of the whole pattern mean.
    names: HashMap<String, Kind>,
    mistakes: &'a mut Vec<Mistake>,
}

impl Lowering<'_> {
    /// Learns all names first, since a name may be used before the line that gives its kind.
    fn define(&mut self, pattern: &Spanned<Pattern>) {
        match pattern.get_ref() {
            Pattern::Line(line) => self.define_line(line, pattern.span()),
            Pattern::Table(table) => {
                if let Some(line) = &table.line {
                    self.define_line(line.get_ref(), line.span());
                }
                for parts in [&table.sequence, &table.any_order].into_iter().flatten() {
                    parts.get_ref().iter().for_each(|part| self.define(part));
                }
                for part in [&table.optional, &table.repeat].into_iter().flatten() {
                    self.define(part);
                }
            }
        }
    }

    fn define_line(&mut self, line: &str, span: std::ops::Range<usize>) {
        // A line that cannot be read is reported where it is lowered.
        if let Ok(raw) = RawLine::read(line)
            && let Err(mistake) = raw.define(&mut self.names)
        {
            let place = self.place(line, span, mistake.offset);
            self.mistakes.push(Mistake::new(place, mistake.message));
        }
    }

    fn expectation(&mut self, pattern: &Spanned<Pattern>, by: Option<By>) -> Option<Expectation> {
        match pattern.get_ref() {
            Pattern::Line(line) => self.line(line, pattern.span(), by),
            Pattern::Table(table) => self.table(table, pattern.span(), by),
        }
    }

    fn table(
        &mut self,
        table: &PatternTable,
        span: std::ops::Range<usize>,
        by: Option<By>,
    ) -> Option<Expectation> {
        let by = self.by(table.by.as_ref())?.or(by);
        self.bounds_only_with_repeat(table);
        match (&table.line, &table.sequence, &table.any_order, &table.optional, &table.repeat) {
            (Some(line), None, None, None, None) => self.line(line.get_ref(), line.span(), by),
            (None, Some(parts), None, None, None) => self.parts(parts, by).map(Expectation::Sequence),
            (None, None, Some(parts), None, None) => self.parts(parts, by).map(Expectation::AnyOrder),
            (None, None, None, Some(part), None) => {
                self.expectation(part, by).map(|part| Expectation::Optional(Box::new(part)))
            }
            (None, None, None, None, Some(part)) => self.repeat(table, part, by),
            _ => {
                let message =
                    "a pattern has exactly one of `line`, `sequence`, `any_order`, `optional` and `repeat`";
                self.mistakes.push(Mistake::new(span, message));
                None
            }
        }
    }

    /// `None` where the name is wrong, `Some(None)` where there is none.
    fn by(&mut self, by: Option<&Spanned<String>>) -> Option<Option<By>> {
        let Some(name) = by else { return Some(None) };
        let found = By::NAMES.iter().find(|(known, _)| known == name.get_ref());
        if found.is_none() {
            let message =
                format!("`{}` writes nothing; allowed are `main`, `child` and `own child`", name.get_ref());
            self.mistakes.push(Mistake::new(name.span(), message));
        }
        found.map(|(_, by)| Some(*by))
    }

    fn bounds_only_with_repeat(&mut self, table: &PatternTable) {
        for bound in [&table.min, &table.max].into_iter().flatten() {
            if table.repeat.is_none() {
                self.mistakes.push(Mistake::new(bound.span(), "`min` and `max` go with `repeat` only"));
            }
        }
    }

    fn line(&mut self, line: &str, span: std::ops::Range<usize>, by: Option<By>) -> Option<Expectation> {
        match RawLine::read(line).and_then(|raw| raw.resolve(&self.names)) {
            Ok(pattern) => Some(Expectation::Line { pattern, by }),
            Err(mistake) => {
                let place = self.place(line, span, mistake.offset);
                self.mistakes.push(Mistake::new(place, mistake.message));
                None
            }
        }
    }

    fn parts(&mut self, parts: &Spanned<Vec<Spanned<Pattern>>>, by: Option<By>) -> Option<Vec<Expectation>> {
        if parts.get_ref().is_empty() {
            let message = "this group is empty; give it at least one line, or leave the group out";
            self.mistakes.push(Mistake::new(parts.span(), message));
        }
        let parts: Vec<_> = parts.get_ref().iter().map(|part| self.expectation(part, by)).collect();
        parts.into_iter().collect()
    }

    fn repeat(
        &mut self,
        table: &PatternTable,
        part: &Spanned<Pattern>,
        by: Option<By>,
    ) -> Option<Expectation> {
        let of = self.expectation(part, by)?;
        if may_be_empty(&of) {
            let message =
                "what is repeated may not be empty itself; take the `optional` or `min = 0` out of it";
            self.mistakes.push(Mistake::new(part.span(), message));
        }
        let min = self.bound(table.min.as_ref(), 0)?.unwrap_or(0);
        let max = self.bound(table.max.as_ref(), i64::from(min.max(1)))?;
        Some(Expectation::Repeat { of: Box::new(of), min, max })
    }

    /// `None` where the number is not allowed, `Some(None)` where there is none.
    fn bound(&mut self, bound: Option<&Spanned<i64>>, least: i64) -> Option<Option<u32>> {
        let Some(bound) = bound else { return Some(None) };
        let number = u32::try_from(*bound.get_ref()).ok().filter(|number| i64::from(*number) >= least);
        if number.is_none() {
            let message = format!("a number of times is a whole number of at least {least} here");
            self.mistakes.push(Mistake::new(bound.span(), message));
        }
        number.map(Some)
    }

    /// The place in the file of an offset inside a line; the whole line where it is written with escapes.
    fn place(&self, line: &str, span: std::ops::Range<usize>, offset: usize) -> std::ops::Range<usize> {
        let inner = span.start + 1..span.end.saturating_sub(1);
        if self.text.get(inner.clone()) != Some(line) {
            return span;
        }
        let start = inner.start + offset;
        let length = line[offset..].find('}').map_or(1, |end| end + 1);
        start..start + length
    }
}

/// Whether no line at all matches.
fn may_be_empty(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Line { .. } => false,
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => parts.iter().all(may_be_empty),
        Expectation::Optional(_) => true,
        Expectation::Repeat { min, .. } => *min == 0,
    }
}
