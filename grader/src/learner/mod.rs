//! What a learner has done so far: the state of each question, the grades and hints that were kept, starting anew.
//!
//! It is kept in the workspace's folder `.grader`, one small file a question, which is replaced whole or not at all:
//! a crash, a full disk or two graders at once lose nothing that was kept before.
//! Of a grade it is kept which files were graded, so that a grade is never shown for an answer that it is not of.
//! Nothing here grades, and nothing here touches the terminal.

mod answer;
mod attempts;
mod hints;
mod notebook;
mod reset;
mod state;

pub use answer::Answer;
pub use attempts::Attempts;
pub use hints::{Hint, Which, hints};
pub use notebook::{KeepError, Kept, KeptGrade, Notebook};
pub use reset::{Reset, ResetError, reset};
pub use state::{Overview, State, next, order, overview, state};
