//! What a session shows, as text: the parts of its page, and the lines that are printed where there is none.

use std::io;

use anstyle::{AnsiColor, Style};

use super::session::{Session, View};
use crate::grading::with_causes;
use crate::learner;
use crate::model::Verdict;
use crate::question::Course;
use crate::report::{markdown, overview, text};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BUSY: Style = AnsiColor::Yellow.on_default();

const KEYS: [&str; 7] = ["n next", "p previous", "h hint", "s question", "l list", "r rerun", "q quit"];

impl Session<'_> {
    pub(super) fn introduction(&self) -> String {
        let keys = if self.output.has_keys() {
            format!("Keys, each with Enter: {}.\n", KEYS.join("  "))
        } else {
            String::new()
        };
        format!("Watching exercises/{}: each save is graded.\n{keys}", self.question)
    }

    pub(super) fn head(&self) -> io::Result<String> {
        let mut head = Vec::new();
        match &self.outcome {
            Some(Ok(grade)) => text::write_title(grade, self.output.width(), &mut head)?,
            _ => head.extend(format!("{BOLD}{}{BOLD:#}\n", self.question).into_bytes()),
        }
        match (&self.job, &self.outcome) {
            (Some(_), _) => {
                let step = if self.running { "running" } else { "building" };
                head.extend(format!("{BUSY}{step} …{BUSY:#}\n").into_bytes());
            }
            (None, Some(Ok(grade))) => text::write_verdict(grade, &mut head)?,
            (None, _) => head.push(b'\n'),
        }
        head.push(b'\n');
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    pub(super) fn body(&self) -> io::Result<String> {
        let width = self.output.width();
        let mut body = Vec::new();
        match self.view {
            View::List => self.write_list(width, &mut body)?,
            View::Question => self.write_question(width, &mut body)?,
            View::Report => {
                body.extend(self.hint_text()?.into_bytes());
                if !self.hints.is_empty() {
                    body.push(b'\n');
                }
                match &self.outcome {
                    Some(Ok(grade)) => text::write_body(grade, width, &mut body)?,
                    Some(Err(why)) => body.extend(format!("grader: {why}\n").into_bytes()),
                    None => {}
                }
                if matches!(&self.outcome, Some(Ok(grade)) if grade.verdict == Verdict::NotStarted) {
                    body.push(b'\n');
                    self.write_question(width, &mut body)?;
                }
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    fn write_list(&self, width: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let told = |error| format!("grader: failed to {}\n", with_causes(error)).into_bytes();
        let course = match Course::find(self.workspace.root()) {
            Ok(course) => course,
            Err(error) => {
                out.extend(told(&error));
                return Ok(());
            }
        };
        let overview = learner::overview(self.workspace, &course);
        overview::write(&overview.rows, width, out)?;
        overview.troubles.iter().for_each(|trouble| out.extend(told(trouble)));
        Ok(())
    }

    fn write_question(&self, width: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let file = self.workspace.exercise(&self.question).join("question.md");
        match std::fs::read_to_string(&file) {
            Ok(text) => markdown::write(&text, 0, width, out),
            Err(error) => {
                out.extend(format!("grader: failed to read `{}`: {error}\n", file.display()).into_bytes());
                Ok(())
            }
        }
    }

    pub(super) fn foot(&self) -> String {
        let is_passed = self.job.is_none()
            && matches!(&self.outcome, Some(Ok(grade)) if grade.verdict == Verdict::Passed);
        let notice = match (&self.notice, is_passed) {
            (notice, _) if !notice.is_empty() => format!("{notice}\n"),
            (_, true) => match self.neighbour(1) {
                Some(id) => format!("Well done: n goes on to {id}.\n"),
                None => "Well done: that was the last question.\n".to_owned(),
            },
            _ => String::new(),
        };
        let rows: Vec<String> =
            rows_of_keys(self.output.width()).iter().map(|row| format!("{DIM}{row}{DIM:#}")).collect();
        format!("\n{notice}{}", rows.join("\n"))
    }

    pub(super) fn hint_text(&self) -> io::Result<String> {
        let mut shown = Vec::new();
        for hint in &self.hints {
            markdown::write(hint, 0, self.output.width(), &mut shown)?;
        }
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    pub(super) fn last_line(&self) -> Option<String> {
        let Some(Ok(grade)) = &self.outcome else { return None };
        Some(format!("{}  {}, {} points", grade.question, grade.verdict, grade.points))
    }
}

/// The keys in rows of at most `width` columns, none of them torn from its word.
fn rows_of_keys(width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for key in KEYS {
        match rows.last_mut() {
            Some(row) if row.len() + 2 + key.len() <= width => {
                row.push_str("  ");
                row.push_str(key);
            }
            _ => rows.push(key.to_owned()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_torn_from_its_word() {
        assert_eq!(rows_of_keys(100), [KEYS.join("  ")]);
        assert_eq!(
            rows_of_keys(20),
            ["n next  p previous", "h hint  s question", "l list  r rerun", "q quit"]
        );
        assert_eq!(rows_of_keys(1), KEYS);
    }
}
