//! A question's texts: that they are there, and say what the checks ask for.

use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Parser, Tag};

use crate::model::{About, Condition, Expectation, Piece, Question, Statement, paragraphs};
use crate::question::is_unmarked;
use crate::submission::{self, Workspace};

/// The points of every question, so that a course's questions weigh the same.
const POINTS: u32 = 10;

/// A nudge, and something stronger.
const LEAST_HINTS: usize = 2;

/// Looks at all that a question says.
pub(super) fn look_at(workspace: &Workspace, question: &Question) -> Statement {
    let id = &question.id;
    let folder = workspace.exercise(id);
    let mut mistakes = Vec::new();
    let points = question.points() + question.withheld;
    if points != POINTS {
        mistakes.push(format!("the points add up to {points}; a question has {POINTS} in all"));
    }
    if question.hints.len() < LEAST_HINTS {
        mistakes.push(format!("give at least {LEAST_HINTS} hints, from a nudge to nearly the answer"));
    }
    match fs::read_to_string(folder.join("question.md")) {
        Ok(text) => mistakes.extend(of_text(question, &folder, &text)),
        Err(error) => mistakes.push(format!("failed to read exercises/{id}/question.md: {error}")),
    }
    mistakes.extend(of_starter(workspace, question));
    if let Some(program) = workspace.given_program(id) {
        mistakes.extend(of_program(workspace, question, &program));
    }
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let text = format!(
        "a text, {}, {}, {} points",
        count(question.hints.len(), "hint"),
        count(question.checks.len(), "check"),
        points
    );
    Statement::new(About::Texts, text, mistakes)
}

/// What is wrong with the question's text.
fn of_text(question: &Question, folder: &Path, text: &str) -> Vec<String> {
    let place = format!("exercises/{}/question.md", question.id);
    let mut mistakes = Vec::new();
    if text.trim().is_empty() {
        return vec![format!("{place} is empty")];
    }
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    for link in Parser::new(text).filter_map(target).filter(|link| is_local(link)) {
        let path = link.split('#').next().unwrap_or_default();
        if !path.is_empty() && !folder.join(path).exists() {
            mistakes.push(format!("{place}: the link to `{link}` leads nowhere"));
        }
    }
    for line in fixed_lines(question) {
        if !text.contains(&line) {
            mistakes.push(format!("{place} never shows the line `{line}`, which a learner cannot guess"));
        }
    }
    mistakes
}

/// What is wrong with the file that a learner is to fill in, where there is one beside the program.
fn of_starter(workspace: &Workspace, question: &Question) -> Option<String> {
    if question.predict.is_none() && !question.asks_for_prose() {
        return None;
    }
    let id = &question.id;
    let name = submission::answer_name(question);
    let text = fs::read_to_string(workspace.exercise(id).join("starter").join(name));
    match (text, &question.predict) {
        (Err(error), _) => Some(format!("failed to read exercises/{id}/starter/{name}: {error}")),
        (Ok(text), Some(_)) if !is_unmarked(&text) => {
            Some(format!("exercises/{id}/starter/{name} has to leave every mark open: `\"?\"`"))
        }
        (Ok(text), None) if !paragraphs(&text).is_empty() => {
            Some(format!("exercises/{id}/starter/{name} holds an answer; a heading and a comment are none"))
        }
        (Ok(_), _) => None,
    }
}

/// What is wrong with the copies of a program that the question gives.
fn of_program(workspace: &Workspace, question: &Question, program: &Path) -> Vec<String> {
    let id = &question.id;
    let given = fs::read_to_string(program).unwrap_or_default();
    let mut mistakes = Vec::new();
    let starter = workspace.exercise(id).join("starter/src/main.rs");
    for (copy, name) in [
        (starter, format!("exercises/{id}/starter/src/main.rs")),
        (workspace.solution(id).join("src/main.rs"), format!("solutions/{id}/src/main.rs")),
    ] {
        // That there is none is told where it is built.
        if fs::read_to_string(copy).is_ok_and(|copy| copy != given) {
            mistakes.push(format!("{name} is not the same program as exercises/{id}/program.rs"));
        }
    }
    let text = fs::read_to_string(workspace.exercise(id).join("question.md")).unwrap_or_default();
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ");
    if let Some(line) = given.lines().map(str::trim).filter(is_code).find(|line| !text.contains(line)) {
        mistakes.push(format!("exercises/{id}/question.md does not show this line of the program: `{line}`"));
    }
    mistakes
}

fn is_local(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:")
}

/// The lines without a placeholder that the question's output has to have, each once.
fn fixed_lines(question: &Question) -> Vec<String> {
    let mut lines = Vec::new();
    for check in &question.checks {
        if let Condition::Output(expectation) | Condition::Distinct { expectation, .. } = &check.condition {
            collect(expectation, &mut lines);
        }
    }
    let outputs = question.predict.iter().flat_map(|predict| &predict.outputs);
    lines.extend(outputs.flat_map(|output| output.lines.clone()));
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

fn collect(expectation: &Expectation, lines: &mut Vec<String>) {
    match expectation {
        Expectation::Line { pattern, .. } => {
            if let [Piece::Text(text)] = pattern.pieces.as_slice() {
                lines.push(text.clone());
            }
        }
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => {
            parts.iter().for_each(|part| collect(part, lines));
        }
        // What may be missing may be left unsaid.
        Expectation::Optional(_) => {}
        Expectation::Repeat { of, .. } => collect(of, lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question;

    const QUESTION: &str = "title = 'T'\ntopic = 't'\n[[check]]\nname = 'n'\npoints = 1\n\
                            output.sequence = ['first', 'n {int}', { optional = 'maybe' }]\n";

    fn mistakes(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.md"), "").unwrap();
        let question = question::parse("q7", Path::new("question.toml"), QUESTION).unwrap();
        of_text(&question, folder.path(), text)
    }

    #[test]
    fn a_text_that_says_everything_has_no_mistake() {
        let text = "# Title\n\nIt prints `first`. See [notes](notes.md#a), [more](#b), [web](https://a.b/c).";
        assert_eq!(mistakes(text), [""; 0]);
    }

    #[test]
    fn what_a_learner_would_miss_is_told() {
        assert_eq!(mistakes(" \n"), ["exercises/q7/question.md is empty"]);
        assert_eq!(
            mistakes("It prints something, see [notes](note.md)."),
            [
                "exercises/q7/question.md: the link to `note.md` leads nowhere",
                "exercises/q7/question.md never shows the line `first`, which a learner cannot guess",
            ]
        );
    }

    /// A workspace with one question, whose files have these texts.
    fn workspace(question: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Workspace, Question) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\n");
        write("exercises/q7/question.toml", question);
        files.iter().for_each(|(path, text)| write(path, text));
        let workspace = Workspace::find(folder.path()).unwrap();
        let question =
            question::load(&workspace.exercise("q7")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        (folder, workspace, question)
    }

    #[test]
    fn what_a_learner_fills_in_is_open_at_the_start() {
        let prose = "title = 'T'\ntopic = 't'\n[[check]]\nname = 'n'\npoints = 1\n\
                     written.ideas = [{ idea = 'i', any = ['a'] }]\n";
        let starter = "exercises/q7/starter/answer.md";
        for (files, told) in [
            (&[(starter, "# Why?\n\n<!-- Not yet. -->\n")][..], None),
            (&[(starter, "# Why?\n\nThus.\n")], Some("holds an answer; a heading and a comment are none")),
            (&[], Some("failed to read exercises/q7/starter/answer.md")),
        ] {
            let (_folder, workspace, question) = workspace(prose, files);
            let mistake = of_starter(&workspace, &question);
            assert_eq!(mistake.is_some(), told.is_some(), "{mistake:?}");
            assert!(told.is_none_or(|told| mistake.unwrap().contains(told)));
        }
    }

    #[test]
    fn a_program_to_predict_is_the_same_everywhere_and_the_text_shows_it() {
        const PROGRAM: &str = "//! Prints.\nuse std::io;\n\nfn main() {\n    println!(\"a\");\n}\n";
        const SHOWN: &str = "fn main() {\n    println!(\"a\");\n}\n";
        let predict = "title = 'T'\ntopic = 't'\n[predict.outputs]\nA = ['a']\nB = ['b']\n[[check]]\nname = 'n'\n\
                       points = 1\npredict = ['A', 'B']\n";
        let mistakes = |solution: &str, text: &str, marks: &str| {
            let (_folder, workspace, question) = workspace(
                predict,
                &[
                    ("exercises/q7/program.rs", PROGRAM),
                    ("exercises/q7/question.md", text),
                    ("exercises/q7/starter/src/main.rs", PROGRAM),
                    ("exercises/q7/starter/prediction.toml", marks),
                    ("solutions/q7/src/main.rs", solution),
                ],
            );
            let program = workspace.given_program("q7").unwrap();
            let mut mistakes = of_program(&workspace, &question, &program);
            mistakes.extend(of_starter(&workspace, &question));
            mistakes
        };
        assert_eq!(mistakes(PROGRAM, SHOWN, "A = '?'\nB = '?'\n"), [""; 0]);
        assert_eq!(
            mistakes("fn main() {}\n", "fn main() {", "A = 'possible'\n"),
            [
                "solutions/q7/src/main.rs is not the same program as exercises/q7/program.rs",
                "exercises/q7/question.md does not show this line of the program: `println!(\"a\");`",
                "exercises/q7/starter/prediction.toml has to leave every mark open: `\"?\"`",
            ]
        );
    }
}
