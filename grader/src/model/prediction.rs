//! A prediction: outputs of a short program, and which of them a learner holds for possible.

use std::collections::BTreeMap;

use super::{Expectation, Explanation};

/// What a learner has to predict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predict {
    /// The outputs to mark, in the order of their names.
    pub outputs: Vec<Candidate>,
    /// What the instructor holds for the program's outputs, if given; every run is held against it.
    pub pattern: Option<Expectation>,
}

/// An output that may be possible or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, as in "A".
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// A learner's mark on an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Some run prints it.
    Possible,
    /// No run prints it.
    Impossible,
    /// Not marked yet.
    Open,
}

impl Claim {
    /// Every value with the word that stands for it.
    pub const NAMES: [(&'static str, Claim); 3] =
        [("possible", Claim::Possible), ("impossible", Claim::Impossible), ("?", Claim::Open)];
}

/// The prediction of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// The marks by the names of the outputs; who is not named is not marked.
    Marks {
        /// The file, as a learner knows it.
        file: String,
        /// The marks.
        claims: BTreeMap<String, Claim>,
    },
    /// It cannot be read, for this reason, which the learner can change.
    Unreadable(Explanation),
    /// Nothing was handed in that could be read, for this reason.
    NotGiven(String),
}

impl Default for Prediction {
    fn default() -> Self {
        Prediction::NotGiven("No prediction was handed in.".to_owned())
    }
}

/// How many of the orders in which processes can go on were run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orders {
    /// As many as were asked for, which is not all.
    #[default]
    Some,
    /// More than can be run.
    TooMany,
    /// All in which the processes could be steered: they did not wait but looked again and again, and were let go then.
    Unsure,
    /// All.
    All,
}
