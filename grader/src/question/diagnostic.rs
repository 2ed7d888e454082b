//! A mistake in a question's file, with its place.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake: where it is, what is wrong and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, then what is allowed.
    pub message: String,
    /// The line itself.
    pub excerpt: String,
    /// How many characters of the line the mistake covers, at least 1.
    pub length: usize,
}

/// All mistakes that were found in a file, in the order of their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// What is wrong at a range of bytes of a file's text; the form inside this stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Mistake {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Mistake { span, message: message.into() }
    }
}

impl Diagnostics {
    /// Finds the line and column of every mistake in the text of `file`.
    pub(super) fn locate(file: &Path, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        mistakes.dedup();
        Diagnostics(mistakes.into_iter().map(|mistake| Diagnostic::locate(file, text, mistake)).collect())
    }
}

impl Diagnostic {
    fn locate(file: &Path, text: &str, mistake: Mistake) -> Self {
        let start = floor_char_boundary(text, mistake.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let end = floor_char_boundary(text, mistake.span.end).clamp(start, line_end);
        Diagnostic {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            message: mistake.message,
            excerpt: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            length: text[start..end].chars().count().max(1),
        }
    }
}

/// The nearest place at or before `index` where a character begins.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

impl fmt::Display for Diagnostic {
    /// `file:line:column: message`, then the line with the place marked below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        let number = self.line.to_string();
        // A tab stays a tab below the line, so that the mark stands under what it means.
        let indent: String =
            self.excerpt.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {number} | {}", self.excerpt)?;
        write!(f, "  {:width$} | {indent}{}", "", "^".repeat(self.length), width = number.len())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
