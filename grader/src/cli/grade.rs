//! `grader grade`: grades exercises, solutions or a command.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::args::{Format, GradeArguments};
use super::progress::ProgressLine;
use super::{CommandError, columns, exit, read, warn, workspace};
use crate::grading::{self, Graded, Options};
use crate::learner::Attempts;
use crate::model::{Grade, Review, RunRecord, Verdict};
use crate::question::{self, Course};
use crate::report;
use crate::submission::{Colour, Submission, Workspace};

pub(super) fn run(arguments: &GradeArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let workspace = workspace()?;
    let submissions = submissions(arguments, &workspace)?;
    let in_colour = arguments.format == Format::Text
        && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let colour = if in_colour { Colour::Always } else { Colour::Never };
    let options = Options {
        selection: arguments.schedules.clone(),
        colour,
        answer: arguments.answer.clone(),
        review: review(arguments, &workspace)?,
        show_hidden: arguments.show_hidden,
    };
    let progress = std::cell::RefCell::new(ProgressLine::new());
    // A grade is kept for the learner's own files, all that they do, and before anybody else has had a say.
    let is_own = options.selection.is_searching()
        && arguments.answer.is_none()
        && arguments.review.is_none()
        && !arguments.show_hidden;
    let attempts = Attempts::before(&workspace, &submissions);
    let mut grades: Vec<Grade> = Vec::new();
    let mut codes: Vec<u8> = Vec::new();
    let mut written = Ok(());
    let mut saved = Ok(());
    let mut kept = Ok(());
    grading::grade_all(
        &workspace,
        &submissions,
        &options,
        |step| progress.borrow_mut().show(step),
        |graded| {
            codes.push(code(&graded));
            let Graded { grade, runs } = graded;
            if let Some(folder) = &arguments.save_runs
                && saved.is_ok()
            {
                saved = save(folder, &grade.question, &runs);
            }
            if is_own && kept.is_ok() {
                kept = attempts.keep(&grade);
            }
            if arguments.format == Format::Text && written.is_ok() {
                progress.borrow_mut().clear();
                written = write_grade(&grade, !grades.is_empty(), out);
                if written.is_ok() && submissions.len() == 1 {
                    written = write_help(&submissions[0], &grade, out);
                }
            }
            grades.push(grade);
        },
    )?;
    progress.borrow_mut().clear();
    written?;
    saved?;
    if let Err(error) = kept {
        warn(&error);
    }
    match arguments.format {
        Format::Json => report::json::write(&grades, out)?,
        Format::Text if grades.len() > 1 => {
            writeln!(out)?;
            report::text::write_sum(&grades, out)?;
        }
        Format::Text => {}
    }
    Ok(code_of_all(&codes))
}

/// What an instructor said, where the arguments name a file with it.
fn review(arguments: &GradeArguments, workspace: &Workspace) -> Result<Review, CommandError> {
    let ids = named(arguments);
    let (Some(file), [question]) = (&arguments.review, ids.as_slice()) else {
        return Ok(Review::default());
    };
    let question = Course::find(workspace.root())?.question(question)?;
    question::parse_review(&question, file, &read(file)?).map_err(CommandError::Review)
}

/// Writes a file for each run of a submission: `FOLDER/QUESTION/SCHEDULE.json`.
fn save(folder: &Path, question: &str, runs: &[RunRecord]) -> Result<(), CommandError> {
    let folder = folder.join(question);
    let failed = |path: &Path, source| CommandError::Save { path: path.to_owned(), source };
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    for run in runs {
        let path = folder.join(format!("{}.json", run.schedule.to_string().replace(':', "-")));
        let mut text = Vec::new();
        report::record::write(run, &mut text)?;
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn write_grade(grade: &Grade, apart: bool, out: &mut dyn Write) -> io::Result<()> {
    if apart {
        writeln!(out)?;
    }
    report::text::write_grade(grade, columns(), out)?;
    // A grade is worth reading while the next is being made.
    if io::stdout().is_terminal() { out.flush() } else { Ok(()) }
}

/// Says where a learner who is stuck with one question gets help.
fn write_help(submission: &Submission, grade: &Grade, out: &mut dyn Write) -> io::Result<()> {
    let is_done = matches!(grade.verdict, Verdict::Passed | Verdict::NotStarted | Verdict::GraderFault);
    match submission {
        Submission::Exercise { question } if !is_done => {
            let command = format!("cargo grader hint {question}");
            report::text::write_command("stuck? ", &command, 2, columns(), out)
        }
        _ => Ok(()),
    }
}

/// What the arguments ask to grade.
fn submissions(arguments: &GradeArguments, workspace: &Workspace) -> Result<Vec<Submission>, CommandError> {
    let ids = named(arguments);
    for (option, is_given) in
        [("--answer", arguments.answer.is_some()), ("--review", arguments.review.is_some())]
    {
        if is_given && ids.len() != 1 {
            let text = format!("`{option}` is about the answer to one question: name exactly one ID");
            return Err(CommandError::Usage(text));
        }
    }
    if let (Some(_), [question]) = (&arguments.answer, ids.as_slice()) {
        let asked = Course::find(workspace.root())?.question(question)?;
        if !asked.asks_for_prose() && asked.predict.is_none() {
            let text = format!(
                "`{question}` asks for neither a written answer nor a prediction, and so has no use for `--answer`"
            );
            return Err(CommandError::Usage(text));
        }
    }
    if let Some(command) = &arguments.command {
        let [question] = ids.as_slice() else {
            let text = "`--command` grades one program as the answer to one question: name exactly one ID";
            return Err(CommandError::Usage(text.to_owned()));
        };
        let words = shell_words::split(command).map_err(|error| {
            CommandError::Usage(format!("failed to split the command `{command}`: {error}"))
        })?;
        if words.is_empty() {
            return Err(CommandError::Usage(
                "`--command` is empty; give a program and its arguments".to_owned(),
            ));
        }
        return Ok(vec![Submission::Command { question: question.clone(), words }]);
    }
    let ids = if ids.is_empty() { Course::find(workspace.root())?.ids().to_vec() } else { ids };
    let is_missing = |id: &&String| workspace.exercise(id).is_dir() && !workspace.solution(id).is_dir();
    if let Some(id) = ids.iter().find(is_missing).filter(|_| arguments.solutions) {
        let text = format!(
            "failed to grade the solution of `{id}`: there is no `solutions/{id}`, and a learner's copy comes without"
        );
        return Err(CommandError::Usage(text));
    }
    let submission = |question: String| match arguments.solutions {
        true => Submission::Solution { question },
        false => Submission::Exercise { question },
    };
    Ok(ids.into_iter().map(submission).collect())
}

/// The questions that are named; one that is named twice is graded once.
fn named(arguments: &GradeArguments) -> Vec<String> {
    let mut seen = HashSet::new();
    arguments.ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

/// How one grading went, for a script.
fn code(graded: &Graded) -> u8 {
    if graded.count(Verdict::GraderFault) > 0 {
        exit::GRADER_FAULT
    } else if graded.grade.verdict == Verdict::Passed {
        exit::OK
    } else if graded.verdict() == Verdict::Passed && graded.reason().is_some() {
        // Nothing is wrong but that this machine did not let the grader look.
        exit::NOT_OBSERVED
    } else {
        exit::FEWER_POINTS
    }
}

/// How all went: what is wrong with a submission comes before what could not be looked at.
fn code_of_all(codes: &[u8]) -> u8 {
    let by_weight = [exit::GRADER_FAULT, exit::FEWER_POINTS, exit::NOT_OBSERVED];
    by_weight.into_iter().find(|code| codes.contains(code)).unwrap_or(exit::OK)
}
