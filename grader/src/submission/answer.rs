//! What a submission has beside a program: a written answer, or a prediction.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use super::{Submission, Workspace};
use crate::model::{Answer, Question};

/// An answer is some pages long; no book has as many bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The file with a written answer.
pub(super) const ANSWER: &str = "answer.md";

/// The file with a prediction.
pub(super) const PREDICTION: &str = "prediction.toml";

/// The name of the file that an answer to a question consists of beside a program: a prediction, or a written answer.
#[must_use]
pub fn answer_name(question: &Question) -> &'static str {
    if question.predict.is_some() { PREDICTION } else { ANSWER }
}

/// Reads the written answer of a submission, or its prediction where the question asks for that; `given` takes the place
/// of the file that belongs to it.
///
/// Whatever is wrong with the file is the learner's to change, and told in a sentence.
#[must_use]
pub fn answer_of(
    workspace: &Workspace,
    question: &Question,
    submission: &Submission,
    given: Option<&Path>,
) -> Answer {
    let name = answer_name(question);
    let what = if question.predict.is_some() { "prediction" } else { "written answer" };
    let file = match (given, submission) {
        (Some(file), _) => file.to_owned(),
        (None, Submission::Exercise { question }) => workspace.exercise(question).join(name),
        (None, Submission::Solution { question }) => workspace.solution(question).join(name),
        (None, Submission::Source { .. } | Submission::Command { .. }) => {
            return Answer::NotGiven(format!(
                "No {what} was handed in with this program: `--answer FILE` names one."
            ));
        }
    };
    let shown = file.strip_prefix(workspace.root()).unwrap_or(&file).display().to_string();
    match read_text(&file) {
        Ok(text) => Answer::Text { file: shown, text },
        Err(why) => Answer::Unreadable(format!("`{shown}` {why}")),
    }
}

/// Reads a text that somebody else has put there; `Err` is the rest of a sentence that begins with the file's name.
///
/// The file is opened without following a link and without waiting, so that no link, pipe or device can do harm.
pub(super) fn read_text(file: &Path) -> Result<String, String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(file, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::NOENT => "is not there: write your answer into it.".to_owned(),
        rustix::io::Errno::LOOP => "is a link: the text itself has to stand there.".to_owned(),
        error => format!("cannot be read: {}.", io::Error::from(error)),
    })?;
    let kind = rustix::fs::fstat(&opened)
        .map(|status| FileType::from_raw_mode(status.st_mode))
        .map_err(|error| format!("cannot be read: {}.", io::Error::from(error)))?;
    match kind {
        FileType::RegularFile => {}
        FileType::Directory => return Err("is a folder: it has to be a text file.".to_owned()),
        _ => return Err("is no ordinary file: it has to be a text file.".to_owned()),
    }
    let mut bytes = Vec::new();
    File::from(opened)
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}."))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err("has more than 1 MiB, which is too long for an answer.".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("is no text in UTF-8: line {line} holds bytes that mean nothing.")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_is_no_text_is_told_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("text"), "Processes.\n").unwrap();
        fs::write(path("latin"), b"one\ntwo \xfc\n").unwrap();
        fs::write(path("huge"), vec![b'a'; 3 << 20]).unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink(path("text"), path("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .unwrap();
        assert_eq!(read_text(&path("text")).unwrap(), "Processes.\n");
        for (name, told) in [
            ("latin", "is no text in UTF-8: line 2 holds bytes that mean nothing."),
            ("huge", "has more than 1 MiB, which is too long for an answer."),
            ("folder", "is a folder: it has to be a text file."),
            ("link", "is a link: the text itself has to stand there."),
            ("pipe", "is no ordinary file: it has to be a text file."),
            ("missing", "is not there: write your answer into it."),
        ] {
            assert_eq!(read_text(&path(name)).unwrap_err(), told, "{name}");
        }
    }
}
