//! From an instructor's `question.toml` to a [`Question`](crate::model::Question).
//!
//! Every mistake in a file becomes a [`Diagnostic`] that names file, line and column and says what is allowed; a
//! learner never sees one of a sound question.
//! This stage reads files and nothing else: it starts no process and judges nothing.

mod check;
mod count;
mod course;
mod diagnostic;
mod file;
mod line;
mod pattern;
mod predict;
mod prediction;
mod quantity;
mod review;
mod written;

pub use course::{Course, CourseError};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use file::{load, parse, schema};
pub use line::parse_line;
pub use prediction::{is_unmarked, parse_prediction};
pub use review::parse_review;
