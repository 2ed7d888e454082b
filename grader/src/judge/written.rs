//! A written answer held against the ideas that it has to contain.
//!
//! Words are searched for and nothing is understood, negations least of all; that is why the points are provisional.

use super::outcome::Outcome;
use super::shown::{escaped, listed, quoted};
use crate::model::{Answer, Explanation, Idea, Phrase, Written, paragraphs};

/// Whether an answer contains enough of the ideas.
pub(super) fn judge(written: &Written, answer: &Answer) -> Outcome {
    let (file, text) = match answer {
        Answer::Text { file, text } => (file, text),
        Answer::Unreadable(why) => return Outcome::Broken(Explanation::new(why.clone())),
        Answer::NotGiven(why) => return Outcome::Unseen(why.clone()),
    };
    let paragraphs = paragraphs(text);
    if paragraphs.is_empty() {
        return Outcome::Broken(Explanation::new(format!(
            "Nothing is written in {} yet: write your answer below its heading.",
            quoted(file)
        )));
    }
    let missing: Vec<&Idea> = written.ideas.iter().filter(|idea| !contains(&paragraphs, idea)).collect();
    let found = written.ideas.len() - missing.len();
    if found >= written.at_least {
        return Outcome::Holds;
    }
    let names: Vec<String> = missing.iter().map(|idea| format!("“{}”", escaped(&idea.about))).collect();
    let file = quoted(file);
    let what = if written.at_least == written.ideas.len() {
        let subject = if names.len() == 1 { "this idea was" } else { "these ideas were" };
        format!("In {file} {subject} not found: {}.", listed(&names))
    } else {
        let found = match found {
            0 => "none was found".to_owned(),
            1 => "1 was found".to_owned(),
            several => format!("{several} were found"),
        };
        format!(
            "{} of {} ideas are asked for, and in {file} {found}. Not found: {}.",
            written.at_least,
            written.ideas.len(),
            listed(&names)
        )
    };
    Outcome::Broken(Explanation::new(format!(
        "{what} Only words were looked for: if it is there in other words, your instructor can say so."
    )))
}

fn contains(paragraphs: &[Vec<String>], idea: &Idea) -> bool {
    let in_one =
        |way: &Vec<Phrase>| paragraphs.iter().any(|words| way.iter().all(|phrase| stands_in(words, phrase)));
    idea.ways.iter().any(in_one)
}

fn stands_in(words: &[String], Phrase(phrase): &Phrase) -> bool {
    words.windows(phrase.len().max(1)).any(|window| {
        window.iter().zip(phrase).all(|(word, pattern)| match pattern.is_stem {
            true => word.starts_with(&pattern.letters),
            false => *word == pattern.letters,
        })
    })
}
