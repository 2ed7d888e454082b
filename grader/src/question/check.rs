//! A `[[check]]` as it is written, and its way to a [`Check`].

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::count::{self, CountValue};
use super::diagnostic::Mistake;
use super::file::not_empty;
use super::pattern::{self, Pattern};
use super::predict;
use super::written::{self, WrittenTable};
use crate::model::{
    Check, Condition, Count, EndedBy, ExitCondition, Expectation, Piece, Predict, ProcessesCondition,
    Relation, signal_number,
};

/// A graded statement: its name, its points and exactly one condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
pub(super) struct CheckTable {
    /// The statement, unique within the question.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// What it earns, all or nothing: a whole number of at least 1.
    #[schemars(with = "u32", range(min = 1))]
    points: Spanned<i64>,
    /// `true`: graded, but a learner is told neither what it asks for nor why it failed.
    #[schemars(with = "Option<bool>")]
    hidden: Option<Spanned<bool>>,
    /// What standard output has to look like.
    #[schemars(with = "Option<Pattern>")]
    output: Option<Spanned<Pattern>>,
    /// What standard error has to look like.
    #[schemars(with = "Option<Pattern>")]
    stderr: Option<Spanned<Pattern>>,
    /// Beside `output`: how many different values a named placeholder takes.
    #[schemars(with = "Option<BTreeMap<String, CountValue>>")]
    distinct: Option<Spanned<BTreeMap<String, Spanned<CountValue>>>>,
    /// What processes the run has to make.
    #[schemars(with = "Option<ProcessesTable>")]
    processes: Option<Spanned<ProcessesTable>>,
    /// How the run has to end.
    #[schemars(with = "Option<ExitTable>")]
    exit: Option<Spanned<ExitTable>>,
    /// How many lines at most may have their bytes mixed with another process's.
    #[schemars(with = "Option<u64>")]
    torn: Option<Spanned<i64>>,
    /// `true`: the outputs of two free runs differ.
    #[schemars(with = "Option<bool>")]
    varies: Option<Spanned<bool>>,
    /// A file beside question.toml that holds the expected output.
    #[schemars(with = "Option<String>")]
    snapshot: Option<Spanned<String>>,
    /// A program that reads the output and answers by its exit code: 42 accepts, 43 rejects.
    #[schemars(with = "Option<Vec<String>>")]
    validator: Option<Spanned<Vec<String>>>,
    /// What the written answer, `answer.md` beside question.toml, has to contain; its points are provisional.
    #[schemars(with = "Option<WrittenTable>")]
    written: Option<Spanned<WrittenTable>>,
    /// Outputs of `[predict]` that have to be marked as they are, possible ones and impossible ones.
    #[schemars(with = "Option<Vec<String>>")]
    predict: Option<Spanned<Vec<Spanned<String>>>>,
}

/// What processes a run has to make; a bare number means at least.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Processes")]
pub(super) struct ProcessesTable {
    /// Children made in all.
    #[schemars(with = "Option<CountValue>")]
    created: Option<Spanned<CountValue>>,
    /// Children alive at one moment, in at least one run.
    #[schemars(with = "Option<CountValue>")]
    alive_together: Option<Spanned<CountValue>>,
    /// Threads that main starts beside its first one.
    #[schemars(with = "Option<CountValue>")]
    threads: Option<Spanned<CountValue>>,
    /// Children that have at least a fifth of the CPU time that the busiest one has, in at least one run.
    #[schemars(with = "Option<CountValue>")]
    busy: Option<Spanned<CountValue>>,
    /// Processes ended by a signal.
    ended_by: Option<EndedByTable>,
    /// `true`: the output cannot be had without the children; a number: not with fewer.
    #[schemars(with = "Option<Needed>")]
    needed: Option<Spanned<Needed>>,
}

/// `true`, or how many children.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `true` or a whole number of children")]
enum Needed {
    Any(bool),
    AtLeast(#[schemars(range(min = 1))] i64),
}

/// Processes ended by one signal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ended by")]
struct EndedByTable {
    /// The signal's name, as in `SIGABRT`.
    #[schemars(with = "String")]
    signal: Spanned<String>,
    /// How many; a bare number means exactly.
    #[schemars(with = "CountValue")]
    count: Spanned<CountValue>,
}

/// How a run has to end; a bare number means exactly.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exit")]
pub(super) struct ExitTable {
    /// Main's exit code.
    #[schemars(with = "Option<u8>")]
    code: Option<Spanned<i64>>,
    /// The signal that ends main, as in `SIGTERM`.
    #[schemars(with = "Option<String>")]
    signal: Option<Spanned<String>>,
    /// Processes that end by SIGSEGV, SIGABRT, SIGBUS, SIGILL or SIGFPE.
    #[schemars(with = "Option<CountValue>")]
    crashed: Option<Spanned<CountValue>>,
    /// Children that end with an exit code other than 0, as those do that panic or raise an exception, or by a signal;
    /// crashes, SIGTERM and SIGKILL apart.
    #[schemars(with = "Option<CountValue>")]
    failed: Option<Spanned<CountValue>>,
    /// Processes that outlive main.
    #[schemars(with = "Option<CountValue>")]
    left_behind: Option<Spanned<CountValue>>,
    /// `true`: every child is waited for before main ends.
    #[schemars(with = "Option<bool>")]
    waited: Option<Spanned<bool>>,
    /// A line of standard output: whoever else prints and was there before it has ended by then.
    #[schemars(with = "Option<String>")]
    ended_before: Option<Spanned<String>>,
}

/// The files beside a question's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Where they lie.
    pub(super) folder: &'a Path,
    /// Whether a snapshot may be missing, since it is about to be recorded.
    pub(super) may_be_unrecorded: bool,
}

/// Reads all checks of a file; what is wrong in them is added to `mistakes`.
pub(super) fn lower_all(
    tables: &[Spanned<CheckTable>],
    predict: Option<&Predict>,
    beside: Beside<'_>,
    text: &str,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Check> {
    let mut names = HashSet::new();
    for table in tables {
        let name = &table.get_ref().name;
        if !names.insert(name.get_ref().as_str()) {
            let message =
                format!("there are two checks named `{}`; give each a name of its own", name.get_ref());
            mistakes.push(Mistake::new(name.span(), message));
        }
    }
    tables.iter().filter_map(|table| Lowering { predict, beside, text, mistakes }.check(table)).collect()
}

struct Lowering<'a> {
    predict: Option<&'a Predict>,
    beside: Beside<'a>,
    text: &'a str,
    mistakes: &'a mut Vec<Mistake>,
}

impl Lowering<'_> {
    fn mistake(&mut self, span: std::ops::Range<usize>, message: impl Into<String>) {
        self.mistakes.push(Mistake::new(span, message));
    }

    fn check(&mut self, spanned: &Spanned<CheckTable>) -> Option<Check> {
        let table = spanned.get_ref();
        let name = not_empty(&table.name, "name", self.mistakes);
        let points = u32::try_from(*table.points.get_ref()).ok().filter(|points| *points > 0);
        if points.is_none() {
            self.mistake(table.points.span(), "`points` is a whole number of at least 1");
        }
        let condition = self.condition(table, spanned.span());
        let hidden = table.hidden.as_ref().is_some_and(|hidden| self.flag(hidden).is_some());
        Some(Check { name, points: points?, condition: condition?, hidden })
    }

    fn condition(&mut self, table: &CheckTable, span: std::ops::Range<usize>) -> Option<Condition> {
        let given = [
            table.output.is_some(),
            table.stderr.is_some(),
            table.processes.is_some(),
            table.exit.is_some(),
            table.torn.is_some(),
            table.varies.is_some(),
            table.snapshot.is_some(),
            table.validator.is_some(),
            table.written.is_some(),
            table.predict.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            self.mistake(
                first_line(self.text, span),
                "a check has exactly one of `output`, `stderr`, `processes`, `exit`, `torn`, `varies`, `snapshot`, \
                 `validator`, `written` and `predict` (and `distinct` beside `output` if wanted)",
            );
            return None;
        }
        if let Some(distinct) = &table.distinct
            && table.output.is_none()
        {
            self.mistake(distinct.span(), "`distinct` goes beside `output`, whose pattern names the value");
        }
        None.or_else(|| table.output.as_ref().and_then(|output| self.output(output, table.distinct.as_ref())))
            .or_else(|| table.stderr.as_ref().and_then(|stderr| self.pattern(stderr).map(Condition::Stderr)))
            .or_else(|| table.processes.as_ref().and_then(|processes| self.processes(processes)))
            .or_else(|| table.exit.as_ref().and_then(|exit| self.exit(exit)))
            .or_else(|| table.torn.as_ref().and_then(|torn| self.torn(torn)))
            .or_else(|| table.varies.as_ref().and_then(|varies| self.flag(varies).map(|_| Condition::Varies)))
            .or_else(|| table.snapshot.as_ref().and_then(|snapshot| self.snapshot(snapshot)))
            .or_else(|| table.validator.as_ref().and_then(|validator| self.validator(validator)))
            .or_else(|| {
                let written = table.written.as_ref()?;
                written::lower(written, self.mistakes).map(Condition::Written)
            })
            .or_else(|| {
                let names = table.predict.as_ref()?;
                predict::lower_check(names, self.predict, self.mistakes)
            })
    }

    fn pattern(&mut self, pattern: &Spanned<Pattern>) -> Option<Expectation> {
        pattern::lower(pattern, self.text, self.mistakes)
    }

    fn output(
        &mut self,
        output: &Spanned<Pattern>,
        distinct: Option<&Spanned<BTreeMap<String, Spanned<CountValue>>>>,
    ) -> Option<Condition> {
        let expectation = self.pattern(output);
        let Some(distinct) = distinct else { return expectation.map(Condition::Output) };
        let expectation = expectation?;
        if distinct.get_ref().is_empty() {
            self.mistake(
                distinct.span(),
                "`distinct` names a placeholder and a number, as in `{ values = 20 }`",
            );
        }
        let mut names = HashSet::new();
        captures(&expectation, &mut names);
        let mut counts = Vec::new();
        for (name, value) in distinct.get_ref() {
            if !names.contains(name.as_str()) {
                let message = format!(
                    "the pattern has no placeholder named `{name}`; name one as in `{{{name}: int}}`"
                );
                self.mistake(value.span(), message);
            }
            counts.push((name.clone(), self.count(value, Relation::AtLeast)?));
        }
        Some(Condition::Distinct { expectation, counts })
    }

    fn processes(&mut self, spanned: &Spanned<ProcessesTable>) -> Option<Condition> {
        let table = spanned.get_ref();
        let counts = [&table.created, &table.alive_together, &table.threads, &table.busy];
        if counts.iter().all(|count| count.is_none()) && table.ended_by.is_none() && table.needed.is_none() {
            self.mistake(
                spanned.span(),
                "`processes` asks for nothing; give it `created`, `alive_together`, `threads`, `busy`, `ended_by` or \
                 `needed`",
            );
            return None;
        }
        Some(Condition::Processes(ProcessesCondition {
            created: self.optional_count(table.created.as_ref(), Relation::AtLeast)?,
            alive_together: self.optional_count(table.alive_together.as_ref(), Relation::AtLeast)?,
            threads: self.optional_count(table.threads.as_ref(), Relation::AtLeast)?,
            busy: self.optional_count(table.busy.as_ref(), Relation::AtLeast)?,
            ended_by: match &table.ended_by {
                Some(ended_by) => Some(EndedBy {
                    signal: self.signal(&ended_by.signal)?,
                    count: self.count(&ended_by.count, Relation::Exactly)?,
                }),
                None => None,
            },
            needed: match &table.needed {
                Some(needed) => Some(self.needed(needed)?),
                None => None,
            },
        }))
    }

    fn needed(&mut self, needed: &Spanned<Needed>) -> Option<u64> {
        let number = match *needed.get_ref() {
            Needed::Any(is_needed) => self.flag(&Spanned::new(needed.span(), is_needed)).map(|_| 1),
            Needed::AtLeast(number) => u32::try_from(number).ok().map(u64::from).filter(|number| *number > 0),
        };
        if matches!(needed.get_ref(), Needed::AtLeast(_)) && number.is_none() {
            self.mistake(needed.span(), "`needed` is `true`, or a whole number of at least 1");
        }
        number
    }

    fn exit(&mut self, spanned: &Spanned<ExitTable>) -> Option<Condition> {
        let table = spanned.get_ref();
        match (&table.code, &table.signal) {
            (Some(_), Some(signal)) => {
                self.mistake(signal.span(), "main ends with a `code` or by a `signal`, not both");
            }
            (None, None)
                if [&table.crashed, &table.failed, &table.left_behind]
                    .iter()
                    .all(|count| count.is_none())
                    && table.waited.is_none()
                    && table.ended_before.is_none() =>
            {
                let message = "`exit` asks for nothing; give it `code`, `signal`, `crashed`, `failed`, `left_behind`, \
                               `waited` or `ended_before`";
                self.mistake(spanned.span(), message);
            }
            _ => {}
        }
        Some(Condition::Exit(ExitCondition {
            code: match &table.code {
                Some(code) => Some(self.exit_code(code)?),
                None => None,
            },
            signal: match &table.signal {
                Some(signal) => Some(self.signal(signal)?),
                None => None,
            },
            crashed: self.optional_count(table.crashed.as_ref(), Relation::Exactly)?,
            failed: self.optional_count(table.failed.as_ref(), Relation::Exactly)?,
            left_behind: self.optional_count(table.left_behind.as_ref(), Relation::Exactly)?,
            waited: match &table.waited {
                Some(waited) => self.flag(waited)?,
                None => false,
            },
            ended_before: match &table.ended_before {
                Some(line) => Some(pattern::lower_line(line, self.text, self.mistakes)?),
                None => None,
            },
        }))
    }

    fn exit_code(&mut self, code: &Spanned<i64>) -> Option<i32> {
        let allowed = i32::try_from(*code.get_ref()).ok().filter(|code| (0..=255).contains(code));
        if allowed.is_none() {
            self.mistake(code.span(), "an exit code is a whole number from 0 to 255");
        }
        allowed
    }

    fn torn(&mut self, torn: &Spanned<i64>) -> Option<Condition> {
        let number = u64::try_from(*torn.get_ref()).ok();
        if number.is_none() {
            self.mistake(torn.span(), "`torn` is a whole number of at least 0");
        }
        number.map(Condition::Torn)
    }

    /// A key that means something only when it is true.
    fn flag(&mut self, flag: &Spanned<bool>) -> Option<bool> {
        if !*flag.get_ref() {
            self.mistake(flag.span(), "only `true` asks for something; leave the key out instead of `false`");
        }
        flag.get_ref().then_some(true)
    }

    fn signal(&mut self, signal: &Spanned<String>) -> Option<i32> {
        let number = signal_number(signal.get_ref());
        if number.is_none() {
            let message = format!(
                "`{}` is no signal; write its name as in `SIGABRT` (see signal(7))",
                signal.get_ref()
            );
            self.mistake(signal.span(), message);
        }
        number
    }

    /// `None` where the count is wrong, `Some(None)` where there is none.
    fn optional_count(
        &mut self,
        value: Option<&Spanned<CountValue>>,
        bare: Relation,
    ) -> Option<Option<Count>> {
        match value {
            Some(value) => self.count(value, bare).map(Some),
            None => Some(None),
        }
    }

    /// A count, whose bare number is meant as `bare`.
    fn count(&mut self, value: &Spanned<CountValue>, bare: Relation) -> Option<Count> {
        let count = value.get_ref().read(bare);
        if count.is_none() {
            self.mistake(value.span(), count::ALLOWED);
        }
        count
    }

    fn snapshot(&mut self, file: &Spanned<String>) -> Option<Condition> {
        let name = file.get_ref();
        if name.is_empty() || name.contains('/') {
            self.mistake(file.span(), "a snapshot is the plain name of a file beside question.toml");
            return None;
        }
        match std::fs::read_to_string(self.beside.folder.join(name)) {
            Ok(expected) => Some(Condition::Snapshot { file: name.clone(), expected }),
            Err(error) if error.kind() == ErrorKind::NotFound && self.beside.may_be_unrecorded => {
                Some(Condition::Snapshot { file: name.clone(), expected: String::new() })
            }
            Err(error) => {
                let way_out = match error.kind() {
                    ErrorKind::NotFound => "; `cargo grader record` writes it from what the solution prints",
                    _ => "",
                };
                self.mistake(
                    file.span(),
                    format!("failed to read `{name}` beside question.toml: {error}{way_out}"),
                );
                None
            }
        }
    }

    fn validator(&mut self, command: &Spanned<Vec<String>>) -> Option<Condition> {
        if command.get_ref().first().is_none_or(String::is_empty) {
            self.mistake(
                command.span(),
                "a validator is a program and its arguments, as in `[\"python3\", \"check.py\"]`",
            );
            return None;
        }
        Some(Condition::Validator { command: command.get_ref().clone() })
    }
}

/// The first line of a range, so that a mark does not run over a whole table.
fn first_line(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let end =
        text.get(span.clone()).and_then(|part| part.find('\n')).map_or(span.end, |line| span.start + line);
    span.start..end
}

/// The names of an expectation's placeholders.
fn captures<'a>(expectation: &'a Expectation, names: &mut HashSet<&'a str>) {
    match expectation {
        Expectation::Line { pattern, .. } => {
            names.extend(pattern.pieces.iter().filter_map(|piece| match piece {
                Piece::Placeholder(placeholder) => placeholder.name.as_deref(),
                Piece::Text(_) => None,
            }))
        }
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => {
            parts.iter().for_each(|part| captures(part, names));
        }
        Expectation::Optional(part) => captures(part, names),
        Expectation::Repeat { of, .. } => captures(of, names),
    }
}
