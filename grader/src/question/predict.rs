//! What is to be predicted, as question.toml writes it, and its way to [`Predict`].

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::diagnostic::Mistake;
use super::pattern::{self, Pattern};
use crate::model::{Candidate, Check, Condition, Predict};

/// The program whose outputs are predicted, beside question.toml.
pub(super) const PROGRAM: &str = "program.rs";

/// A question about a program that is given: which of these outputs are possible?
///
/// The program is the file `program.rs` beside question.toml, built with the dependencies of the exercise.
/// Which outputs are possible is found out by running it in every order of births and outputs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Predict")]
pub(super) struct PredictTable {
    /// The outputs to mark, by their names: each is its lines as they are printed.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    outputs: Spanned<BTreeMap<String, Spanned<Vec<String>>>>,
    /// What the program prints, as a pattern: every run is held against it, so that program and question cannot drift
    /// apart. A learner who reads this file reads it too.
    #[schemars(with = "Option<Pattern>")]
    pattern: Option<Spanned<Pattern>>,
}

/// Reads what is to be predicted; what is wrong in it is added to `mistakes`.
pub(super) fn lower(
    spanned: &Spanned<PredictTable>,
    folder: &Path,
    text: &str,
    mistakes: &mut Vec<Mistake>,
) -> Predict {
    let table = spanned.get_ref();
    if !folder.join(PROGRAM).is_file() {
        let message =
            format!("there is no file `{PROGRAM}` beside question.toml, the program to be predicted");
        mistakes.push(Mistake::new(spanned.span(), message));
    }
    if table.outputs.get_ref().len() < 2 {
        let message = "`outputs` has at least two outputs, one that is possible and one that is not";
        mistakes.push(Mistake::new(table.outputs.span(), message));
    }
    let mut known: BTreeMap<&[String], &str> = BTreeMap::new();
    for (name, lines) in table.outputs.get_ref() {
        if lines.get_ref().is_empty() || lines.get_ref().iter().any(|line| line.contains('\n')) {
            let message =
                format!("`{name}` is a list of at least one line, and no line goes on in a next one");
            mistakes.push(Mistake::new(lines.span(), message));
        }
        if let Some(other) = known.insert(lines.get_ref(), name) {
            mistakes.push(Mistake::new(lines.span(), format!("`{name}` is the same output as `{other}`")));
        }
    }
    let outputs = table.outputs.get_ref().iter();
    Predict {
        outputs: outputs
            .map(|(name, lines)| Candidate { name: name.clone(), lines: lines.get_ref().clone() })
            .collect(),
        pattern: table.pattern.as_ref().and_then(|pattern| pattern::lower(pattern, text, mistakes)),
    }
}

/// Reads the outputs that a check names.
pub(super) fn lower_check(
    names: &Spanned<Vec<Spanned<String>>>,
    predict: Option<&Predict>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Condition> {
    let before = mistakes.len();
    let Some(predict) = predict else {
        let message = "`predict` names outputs of `[predict]`, which this question has not";
        mistakes.push(Mistake::new(names.span(), message));
        return None;
    };
    for name in names.get_ref() {
        if !predict.outputs.iter().any(|output| output.name == *name.get_ref()) {
            let known: Vec<String> =
                predict.outputs.iter().map(|output| format!("`{}`", output.name)).collect();
            let message =
                format!("there is no output `{}`; the outputs are {}", name.get_ref(), known.join(", "));
            mistakes.push(Mistake::new(name.span(), message));
        }
    }
    if names.get_ref().len() < 2 {
        let message = "a check names at least two outputs, one that is possible and one that is not, so that nobody \
                       earns its points by marking everything the same";
        mistakes.push(Mistake::new(names.span(), message));
    }
    let outputs = names.get_ref().iter().map(|name| name.get_ref().clone()).collect();
    (mistakes.len() == before).then_some(Condition::Predict { outputs })
}

/// What is wrong with the checks of a question that asks for a prediction, all together.
pub(super) fn mistakes_of_checks(
    table: &Spanned<PredictTable>,
    predict: &Predict,
    checks: &[Check],
) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut marked = Vec::new();
    for check in checks {
        if check.hidden {
            let message = format!(
                "`{}` cannot be hidden: the outputs to mark stand in the question, and whoever marks one has to learn why \
                 it is so",
                check.name
            );
            mistakes.push(Mistake::new(table.span(), message));
        }
        match &check.condition {
            Condition::Predict { outputs } => marked.extend(outputs),
            _ => {
                let message = format!(
                    "with `[predict]` a check names outputs, as in `predict = [\"A\", \"B\"]`; `{}` does not",
                    check.name
                );
                mistakes.push(Mistake::new(table.span(), message));
            }
        }
    }
    let outputs = predict.outputs.iter();
    for output in outputs.filter(|output| !marked.contains(&&output.name)) {
        let message = format!("the output `{}` is in no check; name it in one, or leave it out", output.name);
        mistakes.push(Mistake::new(table.get_ref().outputs.span(), message));
    }
    mistakes
}
