//! Hints, which are shown one at a time.

use super::{KeepError, Notebook};
use crate::model::Question;

/// A hint and its place among those of its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint<'a> {
    /// Counted from 1.
    pub number: usize,
    /// How many the question has.
    pub of: usize,
    /// The hint, in Markdown.
    pub text: &'a str,
}

/// Which hints are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one after those that were shown; none once all were.
    Next,
    /// The last one that was shown, or the first where none was.
    Again,
    /// Every one.
    All,
}

/// The hints that are asked for, and whether it could be noted that they are shown now.
pub fn hints<'a>(
    notebook: &Notebook,
    question: &'a Question,
    which: Which,
) -> (Vec<Hint<'a>>, Result<(), KeepError>) {
    let of = question.hints.len();
    let shown = notebook.read(&question.id).hints.min(of);
    let wanted = match which {
        Which::Next => shown..(shown + 1).min(of),
        Which::Again => shown.saturating_sub(1)..shown.max(1).min(of),
        Which::All => 0..of,
    };
    let noted = if wanted.end > shown {
        notebook.change(&question.id, |kept| kept.hints = kept.hints.max(wanted.end))
    } else {
        Ok(())
    };
    let hint = |index: usize| Hint { number: index + 1, of, text: &question.hints[index] };
    (wanted.map(hint).collect(), noted)
}
