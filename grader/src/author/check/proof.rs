//! From gradings to statements: what each of them shows about its question.

use std::path::Path;

use super::Subject;
use super::job::{Job, Outcome, What};
use crate::author::fixture::Fixture;
use crate::grading::Graded;
use crate::model::{About, Grade, Question, Statement, Verdict};
use crate::submission::Workspace;

/// So many checks of one grade are explained.
const MOST_EXPLAINED: usize = 3;

type Gradings<'a> = [(&'a Job<'a>, &'a Outcome)];

/// What a question's gradings show.
pub(super) fn statements(
    workspace: &Workspace,
    subject: &Subject,
    question: &Question,
    graded: &Gradings<'_>,
) -> Vec<Statement> {
    let mut statements = machine(graded);
    statements.extend(solution(question, graded));
    statements.push(starter(question, graded));
    statements.extend(fixtures(workspace, subject, graded));
    statements.extend(untested(question, graded));
    statements
}

/// That not all could be seen, if so: then nothing is proved.
fn machine(graded: &Gradings<'_>) -> Vec<Statement> {
    let reason = graded.iter().find_map(|(_, outcome)| outcome.graded.reason());
    let statement = |reason: &str| {
        Statement::new(
            About::Machine,
            "not all that has to be seen can be seen here",
            vec![reason.to_owned()],
        )
    };
    reason.map(statement).into_iter().collect()
}

fn solution(question: &Question, graded: &Gradings<'_>) -> Vec<Statement> {
    let Some((_, outcome)) = graded.iter().find(|(job, _)| job.is_solution()) else {
        let text = format!("there is no solution: `solutions/{}` holds no Cargo.toml", question.id);
        return vec![Statement::new(
            About::Solution,
            text,
            vec!["write one, or copy a neighbour's".to_owned()],
        )];
    };
    let full = |about, graded: &Graded, when: &str| {
        let points = graded.grade.points;
        let runs = counted(graded.runs.len(), "run");
        let mistakes = if is_full(&graded.grade) { Vec::new() } else { told(&graded.grade) };
        Statement::new(about, format!("the solution earns {points} points in {runs}{when}"), mistakes)
    };
    let mut statements = vec![full(About::Solution, &outcome.graded, "")];
    // What is wrong on a machine at rest would only be told twice.
    if let Some(under_load) = outcome.under_load.as_ref().filter(|_| is_full(&outcome.graded.grade)) {
        statements.push(full(About::Load, under_load, " while every CPU is busy"));
    }
    statements
}

fn starter(question: &Question, graded: &Gradings<'_>) -> Statement {
    let starter = graded.iter().find(|(job, _)| matches!(job.what, What::Starter(_)));
    let Some((_, outcome)) = starter else {
        let text = format!("there is no starter: `exercises/{}/starter` holds no src/main.rs", question.id);
        let way_out = "put the exercise there as a learner gets it".to_owned();
        return Statement::new(About::Starter, text, vec![way_out]);
    };
    let grade = &outcome.graded.grade;
    if grade.verdict == Verdict::DidNotBuild {
        return Statement::new(About::Starter, "the starter does not build", grade.notes.clone());
    }
    let mut mistakes = Vec::new();
    if is_full(grade) {
        mistakes.push(format!("there is nothing left to do in exercises/{}/starter", question.id));
    }
    Statement::new(About::Starter, format!("the starter builds, and earns {} points", grade.points), mistakes)
}

/// What stands about the programs whose verdict is known: wrong ones, right ones, and those that could not be run.
fn fixtures(workspace: &Workspace, subject: &Subject, graded: &Gradings<'_>) -> Vec<Statement> {
    let mut wrong = Tally::default();
    let mut right = Tally::default();
    let mut gaps = Vec::new();
    for (job, outcome) in graded {
        let What::Fixture(fixture) = job.what else { continue };
        let place = place(workspace, &fixture.source);
        let is_as_declared = fixture.is_as_declared(&outcome.graded);
        match &fixture.known_gap {
            // Luck may refuse one whose gap is open; `cargo test` tries several times.
            Some(gap) => gaps.push(format!("{place}: {gap}")),
            None => {
                let tally = if fixture.verdict == Verdict::Passed { &mut right } else { &mut wrong };
                tally.count += 1;
                if !is_as_declared {
                    tally.mistakes.push(misjudged(fixture, &place, &outcome.graded.grade));
                }
            }
        }
    }
    let mut statements = Vec::new();
    let text = match wrong.count {
        0 => "there is no wrong program that it has to refuse".to_owned(),
        count if !wrong.mistakes.is_empty() => {
            format!("{} of {} not refused as declared", wrong.mistakes.len(), are(count, "wrong program"))
        }
        count => format!("{} refused, each by the checks that it names", are(count, "wrong program")),
    };
    if !subject.mistakes.is_empty() {
        let text = format!("{} no fixture", are(subject.mistakes.len(), "file"));
        statements.push(Statement::new(About::Wrong, text, subject.mistakes.clone()));
    }
    statements.push(match wrong.count {
        0 => {
            let folder = format!("put some into tests/submissions/{}/failed", subject.id);
            Statement::remark(About::Wrong, text, vec![folder])
        }
        _ => Statement::new(About::Wrong, text, wrong.mistakes),
    });
    if right.count > 0 {
        let programs = counted(right.count, "right program");
        let text = match (right.mistakes.len(), right.count) {
            (0, 1) => format!("{programs} earns full points"),
            (0, _) => format!("{programs} earn full points"),
            (unjust, _) => format!("{unjust} of {programs} refused"),
        };
        statements.push(Statement::new(About::Right, text, right.mistakes));
    }
    if !gaps.is_empty() {
        let text = format!("{} not refused yet", are(gaps.len(), "wrong program"));
        statements.push(Statement::remark(About::Wrong, text, gaps));
    }
    let unrun = subject.fixtures.len() - graded.iter().filter(|(job, _)| is_fixture(job)).count();
    if unrun > 0 {
        let text = format!("{} not run, since there is no python3 in PATH", are(unrun, "program"));
        statements.push(Statement::remark(About::Right, text, Vec::new()));
    }
    statements
}

#[derive(Default)]
struct Tally {
    count: usize,
    mistakes: Vec<String>,
}

fn is_fixture(job: &Job<'_>) -> bool {
    matches!(job.what, What::Fixture(_))
}

fn misjudged(fixture: &Fixture, place: &str, grade: &Grade) -> String {
    let fails = |name: &&String| {
        grade.checks.iter().any(|check| check.name == **name && check.verdict == Verdict::Failed)
    };
    if let Some(of_text) = fixture.intact.iter().find(fails) {
        return format!(
            "{place} fails `{of_text}` as well, so that nothing shows why it is refused: bring what it prints up to \
             date, or name this check in its `caught_by`"
        );
    }
    if fixture.verdict == Verdict::Passed {
        return format!("{place} has to earn full points, but {}", told(grade).join("\n"));
    }
    let checks: Vec<String> = fixture.caught_by.iter().map(|name| format!("`{name}`")).collect();
    let expected = format!("{place} has to be graded `{}` by {}", fixture.verdict, checks.join(" and "));
    if is_full(grade) {
        return format!("{expected}, but it earns full points");
    }
    format!("{expected}, but {}", told(grade).join("\n"))
}

/// Checks that no wrong program is caught by: nothing shows that they can fail at all.
///
/// What a wrong program fails beside the checks that it names proves nothing, since it may be for another reason.
fn untested(question: &Question, graded: &Gradings<'_>) -> Option<Statement> {
    let declared = graded.iter().filter_map(|(job, outcome)| match job.what {
        What::Fixture(fixture) if fixture.known_gap.is_none() => Some((fixture, outcome)),
        _ => None,
    });
    let proves = |fixture: &Fixture, outcome: &Outcome| {
        !matches!(fixture.verdict, Verdict::Passed | Verdict::DidNotBuild)
            && fixture.is_as_declared(&outcome.graded)
    };
    let wrong: Vec<&Fixture> =
        declared.filter(|(fixture, outcome)| proves(fixture, outcome)).map(|(fixture, _)| fixture).collect();
    let is_tested = |name: &String| wrong.iter().any(|fixture| fixture.caught_by.contains(name));
    let names = question.checks.iter().map(|check| &check.name);
    let untested: Vec<String> =
        names.filter(|name| !is_tested(name)).map(|name| format!("`{name}`")).collect();
    if wrong.is_empty() || untested.is_empty() {
        return None;
    }
    let text = match untested.len() {
        1 => "one check is untested: no wrong program names it".to_owned(),
        count => format!("{count} checks are untested: no wrong program names them"),
    };
    Some(Statement::remark(About::Untested, text, untested))
}

fn is_full(grade: &Grade) -> bool {
    grade.verdict == Verdict::Passed && grade.points.earned == grade.points.possible
}

/// Why a grade is not full, check by check; or the compiler's text.
fn told(grade: &Grade) -> Vec<String> {
    if grade.runs.is_empty() {
        let notes = grade.notes.iter().map(|note| note.trim_end());
        return std::iter::once(format!("it {}:", grade.verdict).as_str())
            .chain(notes)
            .map(str::to_owned)
            .collect();
    }
    let failed = grade.checks.iter().filter(|check| check.verdict != Verdict::Passed);
    let explain = |check: &crate::model::CheckResult| {
        let why = check.explanation.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let run = check.run.map_or_else(String::new, |run| format!(" (run {run})"));
        format!("`{}` {}{run}{why}", check.name, check.verdict)
    };
    failed.take(MOST_EXPLAINED).map(explain).collect()
}

/// `1 run`, `2 runs`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1 run is`, `2 runs are`.
fn are(count: usize, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "is" } else { "are" })
}

/// A path from the workspace's root on.
fn place(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string()
}
