//! Fixtures: committed submissions whose verdict is known.
//!
//! A fixture is `tests/submissions/<question>/<verdict>/<name>.rs` or `.py`, with a `<name>.toml` beside it that says
//! why the verdict is what the folder names, and which checks have to give it.
//! `<name>.answer.md` is a written answer, graded with the reference program; a program is graded with the reference
//! answer. `<name>.prediction.toml` is a prediction.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::grading::Graded;
use crate::judge::{Evidence, judge};
use crate::model::{
    Condition, Expectation, Invocation, Limits, Policy, Question, RunRecord, Schedule, Stream, Verdict,
};
use crate::observe;
use crate::question::Course;
use crate::submission::{self, Submission, Workspace};

/// A submission that is graded to prove its question sound.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The id of the question that it answers.
    pub question: String,
    /// The program's text, or the written answer.
    pub source: PathBuf,
    /// What its grade has to be.
    pub verdict: Verdict,
    /// The checks that have to give this verdict; none for one that passes.
    pub caught_by: Vec<String>,
    /// The checks of text alone, which it has to pass if what is wrong with it is something else.
    ///
    /// A program whose text is out of date fails them, and then it shows nothing about the checks that it names.
    pub intact: Vec<String>,
    /// What would have to be seen to judge it as it should be, if that cannot be seen yet.
    pub known_gap: Option<String>,
}

/// What stands in the file beside a fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    why: String,
    #[serde(default)]
    caught_by: Vec<String>,
    known_gap: Option<String>,
}

/// A place below `submissions/`, as trials name it, and the fixture there or what is wrong with it.
pub type Found = (String, Result<Fixture, String>);

/// Verdicts that a fixture's folder can name.
const VERDICTS: [Verdict; 7] = [
    Verdict::Passed,
    Verdict::Failed,
    Verdict::DidNotBuild,
    Verdict::TimedOut,
    Verdict::Deadlocked,
    Verdict::Crashed,
    Verdict::LimitExceeded,
];

impl Fixture {
    /// All fixtures of a workspace, in the order of their names; whatever is not one is told as a mistake.
    #[must_use]
    pub fn find(workspace: &Workspace, course: &Course) -> Vec<Found> {
        // A reader knows paths from the workspace's root on.
        let root = format!("{}/", workspace.root().display());
        let mut found = Vec::new();
        for (question, folder) in entries(&workspace.fixtures()) {
            for (verdict, folder) in entries(&folder) {
                let files: BTreeMap<String, PathBuf> = entries(&folder).into_iter().collect();
                for (name, path) in &files {
                    if !is_declaration_of_another(path, &files) {
                        let fixture = Fixture::read(&question, &verdict, path, course)
                            .map_err(|mistake| mistake.replace(&root, ""));
                        found.push((format!("{question} {verdict}/{name}"), fixture));
                    }
                }
            }
        }
        found
    }

    /// The fixtures of one question, and what is wrong with files among them that are none.
    #[must_use]
    pub fn of_question(
        workspace: &Workspace,
        course: &Course,
        question: &str,
    ) -> (Vec<Fixture>, Vec<String>) {
        let own = Fixture::find(workspace, course)
            .into_iter()
            .filter(|(name, _)| name.split(' ').next() == Some(question));
        let (mut fixtures, mut mistakes) = (Vec::new(), Vec::new());
        for (_, found) in own {
            match found {
                Ok(fixture) => fixtures.push(fixture),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        (fixtures, mistakes)
    }

    fn read(question: &str, folder: &str, source: &Path, course: &Course) -> Result<Fixture, String> {
        let Some(declared) = declaration_of(source) else {
            return Err(format!(
                "{} is neither a program (.rs, .py) nor an answer (.answer.md, .prediction.toml), and declares none beside it",
                source.display()
            ));
        };
        let verdict =
            VERDICTS.into_iter().find(|verdict| folder_of(*verdict) == folder).ok_or_else(|| {
                let allowed = VERDICTS.map(folder_of).join(", ");
                format!("{}: the folder `{folder}` names no verdict; allowed are {allowed}", source.display())
            })?;
        let question =
            course.question(question).map_err(|error| format!("{}: failed to {error}", source.display()))?;
        let mistake = |what: String| format!("{}: {what}", declared.display());
        let text = fs::read_to_string(&declared).map_err(|error| mistake(error.to_string()))?;
        let declaration: Declaration = toml::from_str(&text).map_err(|error| mistake(error.to_string()))?;
        declaration.check(&question, verdict).map_err(mistake)?;
        let Declaration { caught_by, known_gap, .. } = declaration;
        let intact = if verdict == Verdict::Failed { intact(&question, &caught_by) } else { Vec::new() };
        Ok(Fixture {
            question: question.id,
            source: source.to_owned(),
            verdict,
            caught_by,
            intact,
            known_gap,
        })
    }

    /// Whether Python runs it.
    #[must_use]
    pub fn is_python(&self) -> bool {
        has_ending(&self.source, ".py")
    }

    /// The written answer or the prediction that it is graded with.
    #[must_use]
    pub fn answer(&self, workspace: &Workspace) -> Option<PathBuf> {
        if has_ending(&self.source, ANSWER) || has_ending(&self.source, PREDICTION) {
            return Some(self.source.clone());
        }
        Some(workspace.solution(&self.question).join("answer.md")).filter(|file| file.is_file())
    }

    /// The fixture as something to grade.
    #[must_use]
    pub fn submission(&self) -> Submission {
        let question = self.question.clone();
        if self.is_python() {
            // Without `-S` Python reads all that is installed before it begins, in every process of every run.
            let words = [python().unwrap_or("python3"), "-S", &self.source.display().to_string()];
            let words = words.map(str::to_owned).to_vec();
            Submission::Command { question, words }
        } else if has_ending(&self.source, ".rs") {
            Submission::Source { question, file: self.source.clone() }
        } else {
            Submission::Solution { question }
        }
    }

    /// Whether it was judged as its folder and its file say, with nothing left open.
    #[must_use]
    pub fn is_as_declared(&self, graded: &Graded) -> bool {
        if self.verdict == Verdict::Passed {
            return graded.grade.verdict == Verdict::Passed;
        }
        let is = |name: &String, verdict| {
            graded.grade.checks.iter().any(|check| check.name == *name && check.verdict == verdict)
        };
        graded.verdict() == self.verdict
            && self.caught_by.iter().all(|name| is(name, self.verdict))
            && !self.intact.iter().any(|name| is(name, Verdict::Failed))
    }

    /// Whether these runs prove a wrong program wrong, as it declares, whatever other runs would show.
    #[must_use]
    pub fn is_caught(&self, question: &Question, runs: &[RunRecord]) -> bool {
        let mut declared = question.checks.iter().filter(|check| self.caught_by.contains(&check.name));
        if self.verdict == Verdict::Passed
            || self.known_gap.is_some()
            || declared.any(|check| !one_run_can_break(&check.condition))
        {
            return false;
        }
        let evidence = Evidence { runs: runs.to_vec(), ..Evidence::default() };
        let grade = judge(question, "", &evidence);
        self.is_as_declared(&Graded { grade, runs: Vec::new() })
    }
}

/// Whether a single run disproves it; otherwise all runs together do, or somebody has to be asked.
fn one_run_can_break(condition: &Condition) -> bool {
    match condition {
        Condition::Output(_)
        | Condition::Stderr(_)
        | Condition::Distinct { .. }
        | Condition::Exit(_)
        | Condition::Torn(_)
        | Condition::Snapshot { .. } => true,
        Condition::Processes(processes) => {
            processes.alive_together.is_none() && processes.busy.is_none() && processes.needed.is_none()
        }
        Condition::Varies
        | Condition::Validator { .. }
        | Condition::Written(_)
        | Condition::Predict { .. } => false,
    }
}

/// The checks of text alone, where none of them is to catch the fixture.
fn intact(question: &Question, caught_by: &[String]) -> Vec<String> {
    let is_of_text = |condition: &Condition| match condition {
        Condition::Output(expectation) | Condition::Distinct { expectation, .. } => !asks_who(expectation),
        Condition::Snapshot { .. } => true,
        _ => false,
    };
    let of_text = question.checks.iter().filter(|check| is_of_text(&check.condition));
    let names: Vec<String> = of_text.map(|check| check.name.clone()).collect();
    if names.iter().any(|name| caught_by.contains(name)) { Vec::new() } else { names }
}

/// Whether it matters who writes one of the lines.
fn asks_who(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Line { by, .. } => by.is_some(),
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => parts.iter().any(asks_who),
        Expectation::Optional(part) | Expectation::Repeat { of: part, .. } => asks_who(part),
    }
}

/// The path of Python's interpreter, as it names itself; none without one.
///
/// A `python3` in PATH may be a shell script around it: grading through such a script gives the same grades, in several
/// times the time.
#[must_use]
pub fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<String>> = OnceLock::new();
    PYTHON.get_or_init(ask_python).as_deref()
}

fn ask_python() -> Option<String> {
    let words = ["python3", "-c", "import sys; print(sys.executable)"].map(str::to_owned);
    let program = submission::find_program(&words, Path::new("/")).ok()?;
    let schedule = Schedule { policy: Policy::Free, seed: 0 };
    let run = observe::run_plain(&program, &Invocation::default(), &Limits::default(), schedule, "").ok()?;
    let said = run.stream(Stream::Stdout).first()?.text.clone();
    Path::new(&said).is_file().then_some(said)
}

impl Declaration {
    fn check(&self, question: &Question, verdict: Verdict) -> Result<(), String> {
        let names: Vec<&str> = question.checks.iter().map(|check| check.name.as_str()).collect();
        if let Some(unknown) = self.caught_by.iter().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("`{}` has no check `{unknown}`; its checks are {names:?}", question.id));
        }
        if self.why.trim().is_empty() {
            return Err("`why` is empty".to_owned());
        }
        match verdict {
            Verdict::Passed if !self.caught_by.is_empty() => {
                Err("a right program is caught by nothing; `caught_by` is for wrong ones".to_owned())
            }
            Verdict::Passed => Ok(()),
            _ if self.caught_by.is_empty() => {
                Err("`caught_by` has to name the checks that must fail".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The folder that a verdict's fixtures lie in.
fn folder_of(verdict: Verdict) -> String {
    verdict.to_string().replace(' ', "-")
}

fn is_declaration_of_another(path: &Path, files: &BTreeMap<String, PathBuf>) -> bool {
    files.values().any(|other| declaration_of(other).as_deref() == Some(path))
}

/// The endings of what can be graded.
const ENDINGS: [&str; 4] = [".rs", ".py", ANSWER, PREDICTION];

/// The ending of a written answer.
const ANSWER: &str = ".answer.md";

/// The ending of a prediction.
const PREDICTION: &str = ".prediction.toml";

/// The file that says what a program or an answer is for; none if `path` is neither.
fn declaration_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?;
    Some(path.with_file_name(format!("{stem}.toml")))
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(ending))
}

/// What lies in a folder, in the order of its names; nothing if it is no folder.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<(String, PathBuf)> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lays out one file below a folder of fixtures and tells what is found.
    fn found(files: &[(&str, &str)]) -> Vec<(String, Result<Verdict, String>)> {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let question = "title = 'T'\ntopic = 't'\n[[check]]\nname = 'says a'\npoints = 1\noutput = 'a'\n";
        write(folder.path().join("Cargo.toml"), "[workspace]\n");
        write(folder.path().join("exercises/q6/question.toml"), question);
        for (path, text) in files {
            write(folder.path().join("tests/submissions").join(path), text);
        }
        let workspace = Workspace::find(folder.path()).unwrap();
        let course = Course::find(workspace.root()).unwrap();
        let found = Fixture::find(&workspace, &course);
        found.into_iter().map(|(name, fixture)| (name, fixture.map(|fixture| fixture.verdict))).collect()
    }

    fn mistake(path: &str, declaration: &str) -> String {
        let toml = Path::new(path).with_extension("toml");
        let found = found(&[(path, ""), (toml.to_str().unwrap(), declaration)]);
        let [(_, Err(mistake))] = found.as_slice() else { panic!("not one mistake: {found:?}") };
        mistake.clone()
    }

    #[test]
    fn a_program_and_its_declaration_are_one_fixture() {
        let declaration = "why = 'Right.'";
        let found = found(&[("q6/passed/a.py", ""), ("q6/passed/a.toml", declaration)]);
        assert_eq!(found, [("q6 passed/a.py".to_owned(), Ok(Verdict::Passed))]);
    }

    #[test]
    fn a_mistake_is_told_with_its_file() {
        let wrong = "why = 'Wrong.'\ncaught_by = ['no such check']";
        assert!(
            mistake("q6/failed/a.py", wrong)
                .starts_with("tests/submissions/q6/failed/a.toml: `q6` has no check `no such check`")
        );
        assert!(
            mistake("q6/failed/a.py", "why = 'W.'\ncaugth_by = []").contains("unknown field `caugth_by`")
        );
        assert!(mistake("q6/failed/a.py", "why = 'W.'").contains("`caught_by` has to name"));
        assert!(mistake("q6/faild/a.py", "").contains("the folder `faild` names no verdict"));
        assert!(mistake("q66/failed/a.py", "").contains("did you mean `q6`?"));
        assert!(mistake("q6/passed/a.py", "why = 'R.'\ncaught_by = ['says a']").contains("a right program"));
    }

    #[test]
    fn a_file_that_stands_alone_is_a_mistake() {
        let found = found(&[("q6/failed/a.toml", ""), ("q6/failed/b.txt", ""), ("q6/failed/c.rs", "")]);
        assert_eq!(found.iter().filter(|(_, fixture)| fixture.is_err()).count(), 3, "{found:?}");
    }
}
