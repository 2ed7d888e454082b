//! A question: what is asked, what a run gets, and the checks that earn points.

use super::{Expectation, Limits, LinePattern, Predict, Written};

/// A question as an instructor wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of its folder and of the solution's package.
    pub id: String,
    /// One line that says what it is about.
    pub title: String,
    /// The part of the course it belongs to.
    pub topic: String,
    /// Shown one at a time, each stronger than the one before.
    pub hints: Vec<String>,
    /// What the submission is started with.
    pub run: Invocation,
    /// What it may use.
    pub limits: Limits,
    /// What is to be predicted of a program that is given; without it the learner writes the program.
    pub predict: Option<Predict>,
    /// The graded statements, in the order to show them.
    pub checks: Vec<Check>,
    /// Points of checks that are not part of this copy of the question.
    pub withheld: u32,
}

impl Question {
    /// All points that the question's checks can earn.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }

    /// The question as its author sees it: nothing is told of a hidden check to anybody else.
    #[must_use]
    pub fn revealed(mut self) -> Question {
        self.checks.iter_mut().for_each(|check| check.hidden = false);
        self
    }

    /// Whether a written answer belongs to it.
    #[must_use]
    pub fn asks_for_prose(&self) -> bool {
        self.checks.iter().any(|check| matches!(check.condition, Condition::Written(_)))
    }
}

/// What a submission is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Arguments after the program's own name.
    pub args: Vec<String>,
    /// All of its standard input.
    pub stdin: String,
}

/// One graded statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The statement, unique within its question.
    pub name: String,
    /// What it earns; all or nothing.
    pub points: u32,
    /// What has to hold.
    pub condition: Condition,
    /// Whether a learner is told its verdict and points, and nothing else.
    pub hidden: bool,
}

/// What a check asks of the runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Standard output matches.
    Output(Expectation),
    /// Standard error matches.
    Stderr(Expectation),
    /// Standard output matches and a capture takes so many different values.
    Distinct {
        /// The pattern with the capture.
        expectation: Expectation,
        /// The capture's name and how many values each must have.
        counts: Vec<(String, Count)>,
    },
    /// The processes that were made.
    Processes(ProcessesCondition),
    /// How the run ended.
    Exit(ExitCondition),
    /// So many lines at most had their bytes mixed with another process's.
    Torn(u64),
    /// The outputs of two free runs differ.
    Varies,
    /// Standard output is a file's text.
    Snapshot {
        /// The file's name, beside question.toml.
        file: String,
        /// What it holds.
        expected: String,
    },
    /// A program of the instructor's accepts standard output.
    Validator {
        /// The program and its arguments, started in the question's folder.
        command: Vec<String>,
    },
    /// The written answer contains ideas.
    Written(Written),
    /// Outputs are marked as they are.
    Predict {
        /// The names of the outputs.
        outputs: Vec<String>,
    },
}

impl Condition {
    /// The key of question.toml that makes it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Condition::Output(_) => "output",
            Condition::Stderr(_) => "stderr",
            Condition::Distinct { .. } => "distinct",
            Condition::Processes(_) => "processes",
            Condition::Exit(_) => "exit",
            Condition::Torn(_) => "torn",
            Condition::Varies => "varies",
            Condition::Snapshot { .. } => "snapshot",
            Condition::Validator { .. } => "validator",
            Condition::Written(_) => "written",
            Condition::Predict { .. } => "predict",
        }
    }
}

/// A number and how it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How what was counted has to relate to the number.
    pub relation: Relation,
    /// The number.
    pub number: Number,
}

/// How a count has to relate to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Not fewer.
    AtLeast,
    /// The same.
    Exactly,
    /// Not more.
    AtMost,
}

/// A number of question.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// As written.
    Given(u64),
    /// Any count of CPUs that a program could rightly report, and so many more.
    Cpus {
        /// What is added to it.
        plus: u64,
    },
}

/// What has to hold for a run's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessesCondition {
    /// Children made in all.
    pub created: Option<Count>,
    /// Children alive at one moment, in at least one run.
    pub alive_together: Option<Count>,
    /// Threads that main starts beside its first one.
    pub threads: Option<Count>,
    /// Children that work, in at least one run: each has a good part of the CPU time that the busiest one has.
    pub busy: Option<Count>,
    /// Processes ended by a signal.
    pub ended_by: Option<EndedBy>,
    /// How many children at least it takes to have the output, if that matters.
    pub needed: Option<u64>,
}

/// A number of processes ended by one signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedBy {
    /// The signal's number.
    pub signal: i32,
    /// How many.
    pub count: Count,
}

/// What has to hold for the end of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitCondition {
    /// Main's exit code.
    pub code: Option<i32>,
    /// The signal that ended main.
    pub signal: Option<i32>,
    /// Processes that ended by a crash.
    pub crashed: Option<Count>,
    /// Children that ended with an exit code other than 0, or by a signal; crashes, SIGTERM and SIGKILL apart.
    pub failed: Option<Count>,
    /// Processes that outlived main.
    pub left_behind: Option<Count>,
    /// Whether every child has to be reaped before main ends.
    pub waited: bool,
    /// A line of standard output before which everybody else has to have ended who prints and was there before it.
    pub ended_before: Option<LinePattern>,
}
