//! Answers from before they are graded until their grades are kept.

use std::collections::BTreeMap;

use super::{Answer, KeepError, Notebook};
use crate::model::{Grade, Verdict};
use crate::submission::{Submission, Workspace};

/// What the learner's answers were before they were graded.
#[derive(Debug)]
pub struct Attempts<'a> {
    workspace: &'a Workspace,
    /// The digest of each answer by its question's id.
    answers: BTreeMap<String, String>,
}

impl Attempts<'_> {
    /// The answers among these submissions, as they are now.
    #[must_use]
    pub fn before<'a>(workspace: &'a Workspace, submissions: &[Submission]) -> Attempts<'a> {
        let exercises = submissions.iter().filter_map(|submission| match submission {
            Submission::Exercise { question } => Some(question),
            _ => None,
        });
        let digest = |id: &String| (id.clone(), Answer::find(workspace, id).digest());
        Attempts { workspace, answers: exercises.map(digest).collect() }
    }

    /// Keeps a grade, unless nothing was graded or the answer was changed meanwhile.
    ///
    /// # Errors
    /// It could not be written.
    pub fn keep(&self, grade: &Grade) -> Result<(), KeepError> {
        let is_graded = !matches!(grade.verdict, Verdict::NotStarted | Verdict::GraderFault);
        let before = self.answers.get(&grade.question).filter(|_| is_graded);
        let same = before.filter(|before| **before == Answer::find(self.workspace, &grade.question).digest());
        same.map_or(Ok(()), |answer| Notebook::of(self.workspace).keep_grade(grade, answer.clone()))
    }
}
