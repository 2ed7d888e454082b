//! What a worker tells the watch, one line of JSON each.
//!
//! Both ends are the same program, so that the form is theirs alone.

use serde::{Deserialize, Serialize};

use crate::model::Grade;

/// What a worker tells.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// The answer is being built.
    Building,
    /// The answer is being run.
    Running,
    /// The grade, which is the last message.
    Graded(Box<Grade>),
    /// Why there is no grade, as an error tells it; the last message too.
    Failed(String),
    /// The grade is right and could not be kept.
    NotKept(String),
}
