//! Hidden checks: graded like the others, with nothing told but the verdict and the points.

use crate::model::{CheckResult, Question};

/// The kind that reports give for a hidden check, whatever it asks for.
const KIND: &str = "hidden";

/// Takes away what would tell a learner what the hidden checks ask for; `checks` are those of the question.
pub(super) fn conceal(question: &Question, checks: &mut [CheckResult]) {
    let hidden = question.checks.iter().zip(checks).filter(|(check, _)| check.hidden);
    for (number, (_, result)) in (1..).zip(hidden) {
        result.name = format!("hidden check {number}");
        result.kind = KIND.to_owned();
        result.explanation = None;
        result.run = None;
    }
}
