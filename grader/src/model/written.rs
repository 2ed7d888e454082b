//! A written answer: what it has to say, and what was handed in.

/// The ideas that a written answer has to contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The ideas, each with the words by which it is known.
    pub ideas: Vec<Idea>,
    /// So many of them are enough.
    pub at_least: usize,
}

/// One idea, and the ways to put it that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idea {
    /// What the idea is, in words that a learner may read.
    pub about: String,
    /// The ways: in each, all phrases have to stand in one paragraph.
    pub ways: Vec<Vec<Phrase>>,
}

/// Words that have to follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(pub Vec<WordPattern>);

/// A word as [`words`] gives it, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordPattern {
    /// The letters.
    pub letters: String,
    /// Whether more letters may follow.
    pub is_stem: bool,
}

/// The written answer of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its text.
    Text {
        /// The file, as a learner knows it.
        file: String,
        /// What it holds.
        text: String,
    },
    /// There is nothing to read, for this reason, which the learner can change.
    Unreadable(String),
    /// Nothing was handed in that could be read, for this reason.
    NotGiven(String),
}

impl Default for Answer {
    fn default() -> Self {
        Answer::NotGiven("No written answer was handed in.".to_owned())
    }
}

/// The words of a text: runs of letters and digits in lower case.
///
/// Phrases and answers are read in this one way, so that a hyphen or a mark of emphasis makes no difference.
///
/// ```
/// let words: Vec<String> = grader::model::words("The *GIL*: CPython's re-entrant lock").collect();
/// assert_eq!(words, ["the", "gil", "cpython", "s", "re", "entrant", "lock"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The words of each paragraph of an answer that has any; a paragraph ends at an empty line or a heading.
///
/// Headings and comments do not count: they stand in the learner's file before anything is written.
///
/// ```
/// assert!(grader::model::paragraphs("# Why?\n\n<!-- not written yet -->\n").is_empty());
/// assert_eq!(grader::model::paragraphs("# Why?\nTo be\nquick.\n\nAnd safe.").len(), 2);
/// ```
#[must_use]
pub fn paragraphs(text: &str) -> Vec<Vec<String>> {
    let mut paragraphs = vec![Vec::new()];
    for line in without_comments(text).lines() {
        if line.trim().is_empty() || is_heading(line) {
            paragraphs.push(Vec::new());
        } else if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.extend(words(line));
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// One to six `#` and then a space or nothing, as CommonMark has it.
fn is_heading(line: &str) -> bool {
    let line = line.trim_start();
    let rest = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - rest.len())) && (rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The text without `<!-- … -->`; a comment that is not closed goes on to the end.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    kept + rest
}
