//! The output pattern: which lines, in which partial order, written by whom.

use std::fmt;

/// A pattern over the lines of an output.
///
/// Built from lines by [`Sequence`](Expectation::Sequence) and [`AnyOrder`](Expectation::AnyOrder) it denotes a
/// series-parallel partial order; an output matches when it is one of that order's linear extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// One line, and who must have written it.
    Line {
        /// What the line reads.
        pattern: LinePattern,
        /// Who has to be its writer, if that matters.
        by: Option<By>,
    },
    /// One part after the other.
    Sequence(Vec<Expectation>),
    /// All parts, side by side: their lines may interleave freely.
    AnyOrder(Vec<Expectation>),
    /// The part, or nothing.
    Optional(Box<Expectation>),
    /// The part several times, one after the other.
    Repeat {
        /// What is repeated.
        of: Box<Expectation>,
        /// The least number of times.
        min: u32,
        /// The greatest number of times; without it there is no bound.
        max: Option<u32>,
    },
}

impl Expectation {
    /// How many lines at least have to come from such a writer.
    #[must_use]
    pub fn lines_by(&self, writer: By) -> u64 {
        match self {
            Expectation::Line { by, .. } => u64::from(*by == Some(writer)),
            Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => {
                parts.iter().map(|part| part.lines_by(writer)).sum()
            }
            Expectation::Optional(_) => 0,
            Expectation::Repeat { of, min, .. } => of.lines_by(writer).saturating_mul(u64::from(*min)),
        }
    }
}

/// Who has to write a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The submission's first process.
    Main,
    /// Any descendant of the first process.
    Child,
    /// Any descendant, each such line a different one.
    OwnChild,
}

impl By {
    /// Every value with the name that question.toml uses.
    pub const NAMES: [(&'static str, By); 3] =
        [("main", By::Main), ("child", By::Child), ("own child", By::OwnChild)];
}

/// The text of one line, with typed holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePattern {
    /// As the instructor wrote it; explanations show this.
    pub source: String,
    /// The parts of the line from left to right.
    pub pieces: Vec<Piece>,
}

/// A part of a [`LinePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that has to stand there as it is.
    Text(String),
    /// A hole.
    Placeholder(Placeholder),
}

/// A typed hole in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The same name means the same value everywhere in the check.
    pub name: Option<String>,
    /// What may stand there.
    pub kind: Kind,
}

/// What may stand in a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A whole number in decimal digits, with or without a minus sign.
    Int(IntRange),
    /// A decimal number; a whole number is one too.
    Float,
    /// One or more characters other than white space.
    Word,
    /// Anything, nothing included.
    Any,
    /// A count of CPUs that a program on this machine could rightly report.
    Cpus,
    /// Values separated by a comma and a space.
    List {
        /// What each value is.
        element: Element,
        /// How many there are; without it any number.
        len: Option<usize>,
    },
}

/// What an element of a list may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A whole number.
    Int(IntRange),
    /// A decimal number.
    Float,
    /// Characters other than white space and commas.
    Word,
}

/// Whole numbers from `min` to `max`, both included; `None` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntRange {
    /// The least number allowed.
    pub min: Option<i64>,
    /// The greatest number allowed.
    pub max: Option<i64>,
}

impl IntRange {
    /// Whether `value` lies within the range.
    #[must_use]
    pub fn contains(self, value: i128) -> bool {
        self.min.is_none_or(|min| value >= i128::from(min))
            && self.max.is_none_or(|max| value <= i128::from(max))
    }
}

impl fmt::Display for IntRange {
    /// Nothing for an unbounded range, else ` 0..=49` with its leading space, as in `{int 0..=49}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (None, None) => Ok(()),
            (Some(min), None) => write!(f, " {min}.."),
            (None, Some(max)) => write!(f, " ..={max}"),
            (Some(min), Some(max)) => write!(f, " {min}..={max}"),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Int(range) => write!(f, "int{range}"),
            Element::Float => f.write_str("float"),
            Element::Word => f.write_str("word"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Int(range) => write!(f, "int{range}"),
            Kind::Float => f.write_str("float"),
            Kind::Word => f.write_str("word"),
            Kind::Any => f.write_str("any"),
            Kind::Cpus => f.write_str("cpus"),
            Kind::List { element, len: None } => write!(f, "list {element}"),
            Kind::List { element, len: Some(len) } => write!(f, "list {element} len {len}"),
        }
    }
}

impl fmt::Display for LinePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
