//! `question.toml` as it is written: the wire types, and the way to a [`Question`].

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::check::{self, Beside, CheckTable};
use super::diagnostic::{Diagnostics, Mistake};
use super::predict::{self, PredictTable};
use super::quantity;
use crate::model::{Invocation, Limits, Question};

/// A graded question: its title, its hints, the limits of a run and the checks that earn points.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "question.toml")]
struct QuestionFile {
    /// One line that says what the question is about.
    #[schemars(with = "String")]
    title: Spanned<String>,
    /// The part of the course it belongs to.
    #[schemars(with = "String")]
    topic: Spanned<String>,
    /// Shown one at a time, each stronger than the one before.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    hints: Vec<Spanned<String>>,
    /// Points of hidden checks that are not part of this copy; `cargo grader release` writes it.
    #[schemars(with = "Option<u32>")]
    withheld: Option<Spanned<i64>>,
    /// What the submission is started with.
    #[serde(default)]
    run: RunTable,
    /// What the submission may use.
    #[serde(default)]
    limits: LimitsTable,
    /// What is to be predicted of a program that is given.
    #[schemars(with = "Option<PredictTable>")]
    predict: Option<Spanned<PredictTable>>,
    /// The graded statements, in the order to show them.
    #[serde(default, rename = "check")]
    #[schemars(with = "Vec<CheckTable>", length(min = 1), required)]
    checks: Vec<Spanned<CheckTable>>,
}

/// What the submission is started with.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Run")]
struct RunTable {
    /// Arguments after the program's own name.
    #[serde(default)]
    args: Vec<String>,
    /// All of its standard input.
    #[serde(default)]
    stdin: String,
}

/// What the submission may use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
struct LimitsTable {
    /// Time from start to end, as in `10s`; without it 10 s.
    #[schemars(with = "Option<String>")]
    wall: Option<Spanned<String>>,
    /// CPU time of each process, as in `10s`; without it 10 s.
    #[schemars(with = "Option<String>")]
    cpu: Option<Spanned<String>>,
    /// Data memory of each process, as in `1 GiB`; without it 1 GiB.
    #[schemars(with = "Option<String>")]
    memory: Option<Spanned<String>>,
    /// Processes alive at once, the first one included; without it 64.
    #[schemars(with = "Option<u64>")]
    processes: Option<Spanned<i64>>,
    /// Bytes of standard output and standard error together, as in `1 MiB`; without it 1 MiB.
    #[schemars(with = "Option<String>")]
    output: Option<Spanned<String>>,
}

/// Reads the question in `folder`, whose last part is the question's id.
///
/// # Errors
/// Every mistake found in `question.toml`, with its place; also a file that cannot be read.
pub fn load(folder: &Path) -> Result<Question, Diagnostics> {
    load_with(folder, false)
}

/// The same, but snapshots may be missing, and are empty then.
///
/// # Errors
/// As [`load`].
pub(super) fn load_unrecorded(folder: &Path) -> Result<Question, Diagnostics> {
    load_with(folder, true)
}

fn load_with(folder: &Path, may_be_unrecorded: bool) -> Result<Question, Diagnostics> {
    let file = folder.join("question.toml");
    let id = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match std::fs::read_to_string(&file) {
        Ok(text) => read(&id, &file, &text, may_be_unrecorded),
        Err(error) => {
            let message = format!("failed to read this file: {error}");
            Err(Diagnostics::locate(&file, "", vec![Mistake::new(0..0, message)]))
        }
    }
}

/// Reads a question from the text of its file; files that it names are looked for beside `file`.
///
/// # Errors
/// Every mistake found in `text`, with its place.
pub fn parse(id: &str, file: &Path, text: &str) -> Result<Question, Diagnostics> {
    read(id, file, text, false)
}

fn read(id: &str, file: &Path, text: &str, may_be_unrecorded: bool) -> Result<Question, Diagnostics> {
    let read: QuestionFile = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Diagnostics::locate(file, text, vec![Mistake::new(span, in_plain_words(error.message()))])
    })?;
    let mut mistakes = Vec::new();
    let folder = file.parent().unwrap_or(Path::new(""));
    let beside = Beside { folder, may_be_unrecorded };
    let predict = read.predict.as_ref().map(|table| predict::lower(table, folder, text, &mut mistakes));
    if predict.is_none() && folder.join(predict::PROGRAM).is_file() {
        let message = format!(
            "beside this file lies `{}`, the program of a question with `[predict]`, which this one has not",
            predict::PROGRAM
        );
        mistakes.push(Mistake::new(0..0, message));
    }
    let question = Question {
        id: id.to_owned(),
        title: not_empty(&read.title, "title", &mut mistakes),
        topic: not_empty(&read.topic, "topic", &mut mistakes),
        hints: read.hints.iter().map(|hint| not_empty(hint, "hint", &mut mistakes)).collect(),
        run: Invocation { args: read.run.args, stdin: read.run.stdin },
        limits: limits(&read.limits, &mut mistakes),
        checks: check::lower_all(&read.checks, predict.as_ref(), beside, text, &mut mistakes),
        predict,
        withheld: withheld(read.withheld.as_ref(), &mut mistakes),
    };
    if mistakes.is_empty()
        && let (Some(table), Some(predict)) = (&read.predict, &question.predict)
    {
        mistakes.extend(predict::mistakes_of_checks(table, predict, &question.checks));
    }
    if read.checks.is_empty() {
        mistakes.push(Mistake::new(
            0..0,
            "this question has no check; add a `[[check]]` with a name, points and a condition",
        ));
    }
    if mistakes.is_empty() { Ok(question) } else { Err(Diagnostics::locate(file, text, mistakes)) }
}

fn withheld(points: Option<&Spanned<i64>>, mistakes: &mut Vec<Mistake>) -> u32 {
    let Some(points) = points else { return 0 };
    u32::try_from(*points.get_ref()).ok().filter(|points| *points > 0).unwrap_or_else(|| {
        mistakes.push(Mistake::new(points.span(), "`withheld` is a whole number of at least 1"));
        0
    })
}

/// The JSON Schema of `question.toml`, for editors.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(QuestionFile)
}

fn limits(table: &LimitsTable, mistakes: &mut Vec<Mistake>) -> Limits {
    let default = Limits::default();
    let mut read = |value: &Option<Spanned<String>>, default, parse: fn(&str) -> Result<u64, String>| {
        value.as_ref().map_or(default, |value| {
            parse(value.get_ref()).unwrap_or_else(|why| {
                mistakes.push(Mistake::new(value.span(), why));
                default
            })
        })
    };
    let nanoseconds = |text: &str| {
        quantity::duration(text).and_then(|duration| {
            u64::try_from(duration.as_nanos()).map_err(|_| format!("`{text}` is longer than any run"))
        })
    };
    let wall = read(&table.wall, default.wall.as_nanos() as u64, nanoseconds);
    let cpu = read(&table.cpu, default.cpu.as_nanos() as u64, nanoseconds);
    Limits {
        wall: std::time::Duration::from_nanos(wall),
        cpu: std::time::Duration::from_nanos(cpu),
        memory: read(&table.memory, default.memory, quantity::size),
        output: read(&table.output, default.output, quantity::size),
        processes: table.processes.as_ref().map_or(default.processes, |number| {
            u64::try_from(*number.get_ref()).ok().filter(|number| *number > 0).unwrap_or_else(|| {
                mistakes.push(Mistake::new(number.span(), "`processes` is a whole number of at least 1"));
                default.processes
            })
        }),
    }
}

/// The text, or a mistake where there is none.
pub(super) fn not_empty(text: &Spanned<String>, what: &str, mistakes: &mut Vec<Mistake>) -> String {
    if text.get_ref().trim().is_empty() {
        mistakes.push(Mistake::new(text.span(), format!("this {what} is empty; write at least one word")));
    }
    text.get_ref().clone()
}

/// A message of the TOML reader without the names that Rust gives types.
pub(super) fn in_plain_words(message: &str) -> String {
    const WORDS: [(&str, &str); 12] = [
        ("string values must be quoted, expected literal string", "a text has to stand in quotes"),
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        (", expected one of", "; allowed are"),
        ("expected i64", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected i32", "expected a whole number"),
        ("expected a string", "expected a text in quotes"),
        ("expected a sequence", "expected a list in `[ ]`"),
        ("sequence,", "a list,"),
        ("map,", "a table,"),
        ("invalid type: ", "this is the wrong type: "),
    ];
    WORDS.iter().fold(message.trim_end().to_owned(), |message, (rust, plain)| message.replace(rust, plain))
}
