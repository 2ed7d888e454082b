//! Grades everything: every solution, every exercise that was begun, every fixture; one trial each.
//!
//! Trials are named by their question, so that `cargo test q4` grades that question alone. All that is selected is
//! built by one call of cargo for the packages and one for the single files, when the first trial needs it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use grader::author::{self, Fixture};
use grader::grading::{self, Graded, Options, Ran, with_causes};
use grader::model::{Policy, Question, RunRecord, Verdict};
use grader::question::Course;
use grader::report;
use grader::submission::{self, Build, Colour, Submission, Workspace};
use libtest_mimic::{Arguments, Completion, Failed, FormatSetting, Trial};
use tests::canonical;

/// How many trials run at once for every CPU, since most of a trial is waiting: for processes, or for a limit.
const TRIALS_PER_CPU: usize = 4;

/// So many runs at least are made of a wrong program, though the first one shows it: two free ones and one that is steered.
const FEWEST_RUNS: usize = 3;

/// How often in a row a fixture has to be judged rightly before its gap counts as closed; luck may do it once.
const TIMES_TO_CLOSE_A_GAP: usize = 3;

/// What is told of a right submission that is not passed.
const RIGHT: &str = "this submission is right, and has to pass every check that can be run; but";

/// Something that is graded.
#[derive(Debug, Clone)]
enum Item {
    Solution(String),
    Exercise(String),
    Fixture(Fixture),
}

impl Item {
    fn submission(&self) -> Submission {
        match self {
            Item::Solution(question) => Submission::Solution { question: question.clone() },
            Item::Exercise(question) => Submission::Exercise { question: question.clone() },
            Item::Fixture(fixture) => fixture.submission(),
        }
    }

    /// Why it is not graded here.
    fn ignored(&self, house: &House) -> Option<&'static str> {
        match self {
            Item::Exercise(question) => {
                (!submission::is_begun(&house.workspace, question)).then_some("not begun")
            }
            Item::Fixture(fixture) if fixture.is_python() && !house.has_python => {
                Some("there is no python3 in PATH")
            }
            _ => None,
        }
    }

    /// Whether it may take as long as its question allows.
    fn is_slow(&self) -> bool {
        let Item::Fixture(fixture) = self else { return false };
        matches!(fixture.verdict, Verdict::TimedOut | Verdict::Deadlocked)
    }
}

/// Where everything is, and what the trials have in common.
struct House {
    workspace: Workspace,
    course: Course,
    has_python: bool,
    builds: OnceLock<Result<BTreeMap<String, Build>, String>>,
    /// The runs of each question's reference program, which all answers and predictions are graded with.
    references: BTreeMap<String, OnceLock<Ran>>,
    /// What was told of all trials together: checks that were not run and why, open gaps.
    unseen: Mutex<BTreeMap<String, usize>>,
    gaps: Mutex<BTreeMap<String, String>>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(cpus * TRIALS_PER_CPU);
    match House::find() {
        Ok(house) => run(&arguments, &Arc::new(house)),
        Err(text) => {
            eprintln!("failed to {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, house: &Arc<House>) -> ExitCode {
    let mut items = house.items();
    items.sort_by_key(|(_, item)| !item.as_ref().is_ok_and(Item::is_slow));
    let is_selected = |name: &str| !arguments.is_filtered_out(&Trial::test(name, || Ok(())));
    let selected: Vec<(String, Item)> = items
        .iter()
        .filter(|(name, _)| is_selected(name))
        .filter_map(|(name, item)| Some((name.clone(), item.as_ref().ok()?.clone())))
        .filter(|(_, item)| item.ignored(house).is_none())
        .collect();
    let selected = Arc::new(selected);
    let trials = items.into_iter().map(|(name, item)| trial(house, &selected, name, item)).collect();
    let conclusion = libtest_mimic::run(arguments, trials);
    if !arguments.list && arguments.format != Some(FormatSetting::Json) {
        house.tell();
    }
    conclusion.exit_code()
}

fn trial(
    house: &Arc<House>,
    selected: &Arc<Vec<(String, Item)>>,
    name: String,
    item: Result<Item, String>,
) -> Trial {
    let (house, selected, key) = (Arc::clone(house), Arc::clone(selected), name.clone());
    Trial::ignorable_test(name, move || {
        let item = item.map_err(Failed::from)?;
        if let Some(reason) = item.ignored(&house) {
            return Ok(Completion::ignored_with(reason));
        }
        let build = house.build(&selected, &key)?;
        house.grade(&key, &item, build)?;
        Ok(Completion::Completed)
    })
}

impl House {
    fn find() -> Result<House, String> {
        let root = tests::root();
        let workspace = Workspace::find(&root).map_err(|error| error.to_string())?;
        let course = Course::find(&root).map_err(|error| with_causes(&error))?;
        let has_python = author::python().is_some();
        let references = course.ids().iter().map(|id| (id.clone(), OnceLock::new())).collect();
        Ok(House {
            workspace,
            course,
            has_python,
            builds: OnceLock::new(),
            references,
            unseen: Mutex::default(),
            gaps: Mutex::default(),
        })
    }

    /// Everything that there is to grade, with its trial's name.
    fn items(&self) -> Vec<(String, Result<Item, String>)> {
        let mut items = Vec::new();
        for id in self.course.ids() {
            items.push((format!("{id} exercise"), Ok(Item::Exercise(id.clone()))));
            // A learner's copy has no solutions.
            if self.workspace.solution(id).is_dir() {
                items.push((format!("{id} solution"), Ok(Item::Solution(id.clone()))));
            }
        }
        let fixtures = Fixture::find(&self.workspace, &self.course);
        items.extend(fixtures.into_iter().map(|(name, fixture)| (name, fixture.map(Item::Fixture))));
        items
    }

    /// The build of one trial; the first to ask builds all that are selected.
    fn build(&self, selected: &[(String, Item)], name: &str) -> Result<&Build, Failed> {
        let builds = self.builds.get_or_init(|| {
            let submissions: Vec<Submission> = selected.iter().map(|(_, item)| item.submission()).collect();
            let builds = submission::build(&self.workspace, &submissions, Colour::Never)
                .map_err(|error| format!("failed to {}", with_causes(&error)))?;
            Ok(selected.iter().map(|(name, _)| name.clone()).zip(builds).collect())
        });
        let builds = builds.as_ref().map_err(Failed::from)?;
        builds.get(name).ok_or_else(|| format!("`{name}` was not among what was built").into())
    }

    fn grade(&self, name: &str, item: &Item, build: &Build) -> Result<(), Failed> {
        let submission = item.submission();
        let mut question =
            self.course.question(submission.question()).map_err(|error| with_causes(&error))?;
        // What a learner is not told of an exercise, the author of a fixture has to know.
        if !matches!(item, Item::Exercise(_)) {
            question = question.revealed();
        }
        let options = Options {
            answer: match item {
                Item::Fixture(fixture) => fixture.answer(&self.workspace),
                Item::Solution(_) | Item::Exercise(_) => None,
            },
            ..Options::default()
        };
        let is_enough = |runs: &[RunRecord]| match item {
            Item::Fixture(fixture) => runs.len() >= FEWEST_RUNS && fixture.is_caught(&question, runs),
            Item::Solution(_) | Item::Exercise(_) => false,
        };
        let judge = |ran: &Ran| grading::judge_ran(&self.workspace, &question, &submission, ran, &options);
        let grade = || match self.reference(&question, &submission) {
            Some(reference) => judge(
                reference.get_or_init(|| grading::run_built(&question, build, &options.selection, |_| false)),
            ),
            None => judge(&grading::run_built(&question, build, &options.selection, is_enough)),
        };
        match item {
            Item::Solution(_) => {
                let graded = grade();
                self.expect_right(&graded, RIGHT)?;
                snapshot(&question, &graded);
                Ok(())
            }
            Item::Exercise(_) => self.expect_right(&grade(), "this answer does not earn full points yet"),
            Item::Fixture(fixture) => match &fixture.known_gap {
                Some(gap) => self.expect_gap(name, fixture, gap, grade),
                None if fixture.verdict == Verdict::Passed => self.expect_right(&grade(), RIGHT),
                None => expect_caught(fixture, &grade()),
            },
        }
    }

    /// Where the runs of the question's reference program are, if that is what is graded.
    fn reference(&self, question: &Question, submission: &Submission) -> Option<&OnceLock<Ran>> {
        let is_reference = question.predict.is_some() || matches!(submission, Submission::Solution { .. });
        self.references.get(&question.id).filter(|_| is_reference)
    }

    /// No check fails, and every check that can be run is passed; else this is told.
    fn expect_right(&self, graded: &Graded, otherwise: &str) -> Result<(), Failed> {
        // Where nobody can be held, nothing of a prediction can be judged.
        let is_seen = graded.count(Verdict::Passed) > 0 || graded.reason().is_some();
        if graded.verdict() != Verdict::Passed || !is_seen {
            return Err(told(otherwise, graded));
        }
        let unseen = graded.count(Verdict::NotRun);
        if unseen > 0 {
            let reason = graded.reason().unwrap_or("The reason is not known.").to_owned();
            *self.unseen.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += unseen;
        }
        Ok(())
    }

    /// A gap that is declared has to be open still, so that the declaration goes when it closes.
    fn expect_gap(
        &self,
        name: &str,
        fixture: &Fixture,
        gap: &str,
        grade: impl Fn() -> Graded,
    ) -> Result<(), Failed> {
        for _ in 0..TIMES_TO_CLOSE_A_GAP {
            if !fixture.is_as_declared(&grade()) {
                self.gaps
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(name.to_owned(), gap.to_owned());
                return Ok(());
            }
        }
        Err(format!(
            "this gap is closed: take `known_gap` out of the file beside {}",
            fixture.source.display()
        )
        .into())
    }

    /// What could not be seen in this version, in a few lines below the trials.
    fn tell(&self) {
        for (reason, checks) in &*self.unseen.lock().unwrap_or_else(PoisonError::into_inner) {
            println!("{checks} checks of right programs were not run. {reason}");
        }
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if !gaps.is_empty() {
            println!("Not judged as they should be yet, and what would have to be seen ({}):", gaps.len());
        }
        for (name, gap) in &*gaps {
            println!("  {name}: {gap}");
        }
    }
}

/// The folder's verdict, by the checks that are named.
fn expect_caught(fixture: &Fixture, graded: &Graded) -> Result<(), Failed> {
    if fixture.is_as_declared(graded) {
        return Ok(());
    }
    let checks: Vec<String> = fixture.caught_by.iter().map(|name| format!("  {name}")).collect();
    let expected =
        format!("this submission has to be graded `{}` by\n{}", fixture.verdict, checks.join("\n"));
    Err(told(&format!("{expected}; but"), graded))
}

/// What was expected, and the grade that came instead, as its learner would read it.
fn told(expected: &str, graded: &Graded) -> Failed {
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = report::text::write_grade(&graded.grade, 100, &mut text);
    let text = String::from_utf8_lossy(&text);
    format!("{expected}:\n{}", anstream::adapter::strip_str(&text)).into()
}

/// Holds what a solution prints when it runs freely against the committed text; every such run has to print the same.
///
/// A question that has just been added has no such text; it is recorded where `INSTA_UPDATE` asks for it.
fn snapshot(question: &Question, graded: &Graded) {
    // That the output of a program to be predicted varies is the point of it.
    if question.predict.is_some() {
        return;
    }
    let name = format!("output_of_{}", question.id);
    let is_recorded = tests::root().join("tests/snapshots").join(&name).with_extension("snap").is_file();
    if !is_recorded && std::env::var_os("INSTA_UPDATE").is_none() {
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for run in graded.runs.iter().filter(|run| run.schedule.policy == Policy::Free) {
        settings.bind(|| insta::assert_snapshot!(name.as_str(), canonical::output(question, run)));
    }
}
