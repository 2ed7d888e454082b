//! A count as a question writes it, and its way to a [`Count`].

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::model::{Count, Number, Relation};

/// What a count may be, for those who wrote something else.
pub(super) const ALLOWED: &str = "a count is a whole number of at least 0, `\"{cpus}\"`, `\"{cpus} + 4\"`, or one of \
                                  `{ exactly = 4 }`, `{ at_least = 4 }` and `{ at_most = 4 }`";

/// A number, `"{cpus}"`, `"{cpus} + 4"`, or a table that says how a number is meant.
#[derive(Debug)]
pub(super) enum CountValue {
    Number(i64),
    Text(String),
    Table(CountTable),
}

/// Exactly one of the three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Count table")]
pub(super) struct CountTable {
    /// Not fewer.
    #[schemars(with = "Option<u64>")]
    at_least: Option<CountNumber>,
    /// The same.
    #[schemars(with = "Option<u64>")]
    exactly: Option<CountNumber>,
    /// Not more.
    #[schemars(with = "Option<u64>")]
    at_most: Option<CountNumber>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a whole number or \"{cpus}\"")]
enum CountNumber {
    Number(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for CountValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = CountValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, `{ exactly = 4 }`, `{ at_least = 4 }` or `{ at_most = 4 }`")
            }

            fn visit_i64<E>(self, number: i64) -> Result<CountValue, E> {
                Ok(CountValue::Number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<CountValue, E> {
                Ok(CountValue::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CountValue, A::Error> {
                CountTable::deserialize(MapAccessDeserializer::new(map)).map(CountValue::Table)
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

impl JsonSchema for CountValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<CountTable>();
        schemars::json_schema!({
            "description": "A number, or a table that says how the number is meant.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\{cpus\}( *\+ *[0-9]+)?$" },
                table,
            ],
        })
    }
}

impl CountValue {
    /// The count, whose bare number is meant as `bare`; `None` if it is none.
    pub(super) fn read(&self, bare: Relation) -> Option<Count> {
        let (relation, number) = match self {
            CountValue::Number(number) => (bare, whole(*number)?),
            CountValue::Text(text) => (bare, cpus_and_more(text)?),
            CountValue::Table(table) => match (&table.at_least, &table.exactly, &table.at_most) {
                (Some(number), None, None) => (Relation::AtLeast, number.read()?),
                (None, Some(number), None) => (Relation::Exactly, number.read()?),
                (None, None, Some(number)) => (Relation::AtMost, number.read()?),
                _ => return None,
            },
        };
        Some(Count { relation, number })
    }
}

impl CountNumber {
    fn read(&self) -> Option<Number> {
        match self {
            CountNumber::Number(number) => whole(*number),
            CountNumber::Text(text) => cpus_and_more(text),
        }
    }
}

fn whole(number: i64) -> Option<Number> {
    u64::try_from(number).ok().map(Number::Given)
}

/// `{cpus}`, or `{cpus} + 4`.
fn cpus_and_more(text: &str) -> Option<Number> {
    let rest = text.strip_prefix("{cpus}")?.trim();
    if rest.is_empty() {
        return Some(Number::Cpus { plus: 0 });
    }
    let plus = rest.strip_prefix('+')?.trim().parse().ok()?;
    Some(Number::Cpus { plus })
}
