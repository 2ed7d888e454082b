//! What a written answer has to contain, as question.toml writes it, and its way to [`Written`].

use std::collections::HashSet;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::diagnostic::Mistake;
use super::file::not_empty;
use crate::model::{Idea, Phrase, WordPattern, Written, words};

/// The ideas that a written answer has to contain.
///
/// An answer is searched for words, and never understood: "not parallel" contains "parallel".
/// So the points are provisional, and the instructor has the last word.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Written")]
pub(super) struct WrittenTable {
    /// The ideas.
    #[schemars(with = "Vec<IdeaTable>", length(min = 1))]
    ideas: Spanned<Vec<Spanned<IdeaTable>>>,
    /// So many of the ideas are enough; without it all are asked for.
    #[schemars(with = "Option<u32>", range(min = 1))]
    at_least: Option<Spanned<i64>>,
}

/// One idea.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Idea")]
struct IdeaTable {
    /// What the idea is; a learner whose answer lacks it reads this, and never the phrases.
    #[schemars(with = "String")]
    idea: Spanned<String>,
    /// The ways to put it, of which any one counts.
    #[schemars(with = "Vec<Way>", length(min = 1))]
    any: Spanned<Vec<Spanned<Way>>>,
}

/// A phrase, or several that have to stand in one paragraph.
#[derive(Debug)]
enum Way {
    One(String),
    All(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Way {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WayVisitor;
        impl<'de> Visitor<'de> for WayVisitor {
            type Value = Way;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phrase in quotes, or a list of phrases that have to stand in one paragraph")
            }

            fn visit_str<E>(self, phrase: &str) -> Result<Way, E> {
                Ok(Way::One(phrase.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Way, A::Error> {
                let mut phrases = Vec::new();
                while let Some(phrase) = list.next_element()? {
                    phrases.push(phrase);
                }
                Ok(Way::All(phrases))
            }
        }
        deserializer.deserialize_any(WayVisitor)
    }
}

impl JsonSchema for Way {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Way".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "Words that follow each other, in small letters or large, whole words unless a word ends \
                            in `*`; or a list of such phrases, all of which have to stand in one paragraph.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ],
        })
    }
}

/// Reads what a check asks of the written answer; what is wrong in it is added to `mistakes`.
pub(super) fn lower(spanned: &Spanned<WrittenTable>, mistakes: &mut Vec<Mistake>) -> Option<Written> {
    let before = mistakes.len();
    let table = spanned.get_ref();
    let ideas = table.ideas.get_ref();
    if ideas.is_empty() {
        mistakes.push(Mistake::new(table.ideas.span(), "this list is empty; write at least one idea"));
    }
    let mut known = HashSet::new();
    for idea in ideas.iter().map(|idea| &idea.get_ref().idea) {
        if !known.insert(idea.get_ref().as_str()) {
            let message = format!("this check has the idea `{}` twice", idea.get_ref());
            mistakes.push(Mistake::new(idea.span(), message));
        }
    }
    let ideas: Vec<Idea> = ideas.iter().map(|idea| lower_idea(idea.get_ref(), mistakes)).collect();
    let at_least = match &table.at_least {
        None => ideas.len(),
        Some(number) => {
            let allowed = usize::try_from(*number.get_ref()).ok();
            allowed.filter(|number| (1..=ideas.len()).contains(number)).unwrap_or_else(|| {
                let message =
                    format!("`at_least` is a whole number from 1 to {}, the number of ideas", ideas.len());
                mistakes.push(Mistake::new(number.span(), message));
                0
            })
        }
    };
    (mistakes.len() == before).then_some(Written { ideas, at_least })
}

fn lower_idea(table: &IdeaTable, mistakes: &mut Vec<Mistake>) -> Idea {
    let about = not_empty(&table.idea, "idea", mistakes);
    if table.any.get_ref().is_empty() {
        mistakes.push(Mistake::new(table.any.span(), "this list is empty; write at least one phrase"));
    }
    let mut ways = Vec::new();
    for way in table.any.get_ref() {
        ways.push(match way.get_ref() {
            Way::One(text) => vec![phrase(text, way.span(), mistakes)],
            Way::All(texts) => {
                if texts.is_empty() {
                    let message = "this list is empty; write at least one phrase";
                    mistakes.push(Mistake::new(way.span(), message));
                }
                texts.iter().map(|text| phrase(text.get_ref(), text.span(), mistakes)).collect()
            }
        });
    }
    Idea { about, ways }
}

/// The words of a phrase; `*` at the end of a word makes it a stem.
fn phrase(text: &str, span: std::ops::Range<usize>, mistakes: &mut Vec<Mistake>) -> Phrase {
    let mut patterns: Vec<WordPattern> = Vec::new();
    for part in text.split_whitespace() {
        let stem = part.strip_suffix('*');
        let letters = stem.unwrap_or(part);
        let before = patterns.len();
        patterns.extend(words(letters).map(|letters| WordPattern { letters, is_stem: false }));
        match patterns[before..].last_mut() {
            Some(last) => last.is_stem = stem.is_some(),
            None if stem.is_some() => {
                let message = "`*` stands at the end of a word, as in `isolat*`";
                mistakes.push(Mistake::new(span.clone(), message));
            }
            None => {}
        }
        if letters.contains('*') {
            let message = "`*` stands at the end of a word and nowhere else, as in `isolat*`";
            mistakes.push(Mistake::new(span.clone(), message));
        }
    }
    if patterns.is_empty() {
        let message = "this phrase has no word; write at least one, as in `address space`";
        mistakes.push(Mistake::new(span, message));
    }
    Phrase(patterns)
}
