//! One line on standard error that says what is going on, where somebody watches.

use std::io::{self, IsTerminal, Write};

use crate::grading;

/// Rewrites one line of the terminal; silent where standard error is none.
pub(super) struct ProgressLine {
    shown: bool,
    watched: bool,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        ProgressLine { shown: false, watched: io::stderr().is_terminal() && !is_dumb() }
    }

    pub(super) fn show(&mut self, progress: grading::Progress<'_>) {
        let text = match progress {
            grading::Progress::Building(0) => return,
            grading::Progress::Building(1) => "building 1 submission …".to_owned(),
            grading::Progress::Building(count) => format!("building {count} submissions …"),
            grading::Progress::Running { question, number, of } => {
                format!("running {question} ({number} of {of}) …")
            }
        };
        self.show_text(&text);
    }

    pub(super) fn show_text(&mut self, text: &str) {
        if self.watched {
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
            self.shown = true;
        }
    }

    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Whether the terminal cannot rewrite a line.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}
