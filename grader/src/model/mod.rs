//! The vocabulary: plain data that every other stage reads and none of which does anything.
//!
//! A [`Question`] and its [`Check`]s come from an instructor's file, a [`RunRecord`] from one execution of a
//! submission under one [`Schedule`], a [`Grade`] from judging the records by the question.
//! Nothing here reads files, starts processes or knows the time.

mod expectation;
mod explanation;
mod grade;
mod limits;
mod prediction;
mod process;
mod question;
mod record;
mod review;
mod schedule;
mod soundness;
mod timeline;
mod verdict;
mod written;

pub use expectation::{By, Element, Expectation, IntRange, Kind, LinePattern, Piece, Placeholder};
pub use explanation::{Explanation, ListingLine, Mark};
pub use grade::{CheckResult, Grade, Points, RunSummary};
pub use limits::{Limit, Limits, size};
pub use prediction::{Candidate, Claim, Orders, Predict, Prediction};
pub use process::{ExitStatus, Process, Waited, signal_name, signal_number};
pub use question::{
    Check, Condition, Count, EndedBy, ExitCondition, Invocation, Number, ProcessesCondition, Question,
    Relation,
};
pub use record::{Ending, Line, Machine, Observation, RunRecord, Stream, ValidatorAnswer};
pub use review::{Remark, Review};
pub use schedule::{Held, Point, Policy, Schedule};
pub use soundness::{About, Holding, Margin, Soundness, Statement};
pub use timeline::{Timeline, TimelineRow};
pub use verdict::Verdict;
pub use written::{Answer, Idea, Phrase, WordPattern, Written, paragraphs, words};
