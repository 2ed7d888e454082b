//! What proving a question sound came to.

use super::Limit;

/// All that was found out about one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soundness {
    /// The question's id.
    pub question: String,
    /// The question's title; empty where its file cannot be read.
    pub title: String,
    /// What was looked at, in the order to tell it.
    pub statements: Vec<Statement>,
    /// What the solution used of each limit.
    pub margins: Vec<Margin>,
}

impl Soundness {
    /// The worst of all statements.
    #[must_use]
    pub fn holding(&self) -> Holding {
        self.statements.iter().map(|statement| statement.holding).max().unwrap_or(Holding::Holds)
    }

    /// Whether the question's own file cannot be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        let unreadable = |one: &Statement| one.about == About::File && one.holding == Holding::Broken;
        self.statements.iter().any(unreadable)
    }
}

/// One thing that a sound question has, and whether this one has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub about: About,
    /// Whether it is so.
    pub holding: Holding,
    /// What is so, or what is not, in a sentence.
    pub text: String,
    /// The single mistakes, a text each; each may have several lines.
    pub details: Vec<String>,
}

impl Statement {
    /// A statement that holds unless there are mistakes.
    #[must_use]
    pub fn new(about: About, text: impl Into<String>, mistakes: Vec<String>) -> Statement {
        let holding = if mistakes.is_empty() { Holding::Holds } else { Holding::Broken };
        Statement { about, holding, text: text.into(), details: mistakes }
    }

    /// Something that an instructor should know, and that makes no question unsound.
    #[must_use]
    pub fn remark(about: About, text: impl Into<String>, details: Vec<String>) -> Statement {
        Statement { about, holding: Holding::Remark, text: text.into(), details }
    }
}

/// Whether a statement holds, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holding {
    /// It does.
    Holds,
    /// It does, and there is something to look at.
    Remark,
    /// It does not, and the question is not sound.
    Broken,
}

impl Holding {
    /// The word for it, for a whole question.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Holding::Holds => "sound",
            Holding::Remark => "sound, with remarks",
            Holding::Broken => "not sound",
        }
    }
}

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// question.toml itself.
    File,
    /// What the machine lets the grader see.
    Machine,
    /// The question's text, hints, points and links.
    Texts,
    /// The reference answer.
    Solution,
    /// The reference answer while every CPU is busy.
    Load,
    /// The learner's file as it is handed out.
    Starter,
    /// Wrong programs.
    Wrong,
    /// Right programs.
    Right,
    /// Checks that no wrong program fails.
    Untested,
    /// The room that limits leave.
    Limits,
}

impl About {
    /// Its name in reports for scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            About::File => "file",
            About::Machine => "machine",
            About::Texts => "texts",
            About::Solution => "solution",
            About::Load => "load",
            About::Starter => "starter",
            About::Wrong => "wrong",
            About::Right => "right",
            About::Untested => "untested",
            About::Limits => "limits",
        }
    }
}

/// A limit and the most that the solution used of it in any run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// The limit; none for the wall time.
    pub limit: Option<Limit>,
    /// What was used: nanoseconds, bytes or processes.
    pub used: u64,
    /// What is allowed, in the same unit.
    pub allowed: u64,
}

impl Margin {
    /// Whether more than half is used, so that a slower machine or a right answer of another kind may reach it.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.used > self.allowed / 2
    }
}
