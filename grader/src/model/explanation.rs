//! What a learner is told about a check that was not passed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Sentences, and where it helps the output with the broken place marked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is wrong and one thing to try, in whole sentences.
    pub text: String,
    /// The lines to look at, in the order to show them.
    pub listing: Vec<ListingLine>,
    /// The line of standard output that is wrong, counted from 0, if it is one.
    pub broken_line: Option<usize>,
}

/// One line of an explanation's listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingLine {
    /// The line's number in the output, counted from 1, or what the line is ("expected").
    pub gutter: String,
    /// The text, with control characters already escaped.
    pub text: String,
    /// Whether something is the matter with it.
    pub mark: Mark,
    /// What is the matter with it, shown beside it; may be empty.
    pub note: String,
}

/// What is the matter with a line of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// Nothing: it is there for context.
    Plain,
    /// It stands in the output and should not, or not there.
    Wrong,
    /// It should stand in the output.
    Right,
}

impl Explanation {
    /// An explanation that is sentences alone.
    pub fn new(text: impl Into<String>) -> Self {
        Explanation { text: text.into(), ..Explanation::default() }
    }

    /// Names the line of standard output that is wrong, counted from 0.
    #[must_use]
    pub fn about_line(mut self, line: usize) -> Self {
        self.broken_line = Some(line);
        self
    }

    /// Adds one line to the listing.
    #[must_use]
    pub fn with_line(
        mut self,
        gutter: impl Into<String>,
        text: impl Into<String>,
        mark: Mark,
        note: &str,
    ) -> Self {
        self.listing.push(ListingLine {
            gutter: gutter.into(),
            text: text.into(),
            mark,
            note: note.to_owned(),
        });
        self
    }
}

impl fmt::Display for Explanation {
    /// Plain text, the listing below the sentences; a report for the terminal draws its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let width = self.listing.iter().map(|line| line.gutter.chars().count()).max().unwrap_or(0);
        for line in &self.listing {
            write!(f, "\n{:>width$} | {}", line.gutter, line.text)?;
            if !line.note.is_empty() {
                write!(f, "   <- {}", line.note)?;
            }
        }
        Ok(())
    }
}
