//! The rules of the house, held against the tree: ARCHITECTURE.md's map and import tables, unsafe code, questions.
//!
//! A rule that a document states is read from the document, so that the two cannot drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use grader::author::{Fixture, GIVEN, OF_AUTHORS};
use grader::judge::{Evidence, judge};
use grader::model::{Answer, Candidate, Verdict, paragraphs};
use grader::question::{Course, is_unmarked};
use grader::submission::{Workspace, is_unfinished, without_texts};
use tests::code::{modules_named, words};
use tests::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("failed to read `{path}`: {error}"))
}

fn manifest(folder: &str) -> toml::Table {
    let path = format!("{folder}/Cargo.toml");
    toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("failed to read `{path}`: {error}"))
}

/// The part of ARCHITECTURE.md below a heading, up to the next one.
fn section(heading: &str) -> String {
    let page = read("ARCHITECTURE.md");
    let (_, below) =
        page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    below.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The first two cells of each row of a section's table that hold names in backticks.
fn rows(heading: &str) -> Vec<(String, String)> {
    let section = section(heading);
    let cells = |line: &str| -> Option<(String, String)> {
        let mut cells = line.strip_prefix("| ")?.split('|').map(|cell| cell.trim().to_owned());
        Some((cells.next()?, cells.next()?))
    };
    section.lines().filter_map(cells).filter(|(a, b)| a.contains('`') || b.contains('`')).collect()
}

fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Paths of the Rust files below a folder of the workspace, from the root on.
fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root().join(&folder)).into_iter().flatten().flatten();
        for entry in entries {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                // The benchmark is a workspace of its own, and builds into a folder of its own.
                let is_built = entry.file_name() == "target";
                folders.extend((!is_built).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.to_str().expect("our own names are UTF-8").to_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust file below `{folder}`");
    found
}

/// The paths that the file map names.
fn map() -> BTreeSet<String> {
    let section = section("File map");
    let block = section.split("```").nth(1).expect("the file map is a block of text");
    let lines = block.lines().skip(1).filter(|line| !line.trim().is_empty());
    let entry = |line: &str| {
        let (path, what) =
            line.split_once("  ").unwrap_or_else(|| panic!("`{line}` says nothing about the file"));
        assert!(!what.trim().is_empty() && !path.starts_with(' '), "`{line}` is no path and what is there");
        path.to_owned()
    };
    lines.map(entry).collect()
}

#[test]
fn everything_on_the_file_map_exists() {
    // A learner's copy comes without what gives an answer away, and without what is for authors.
    let is_learners = !root().join("solutions").is_dir();
    for path in map() {
        let gives_away = ["solutions/", "tests/answers/", "tests/submissions/"].contains(&path.as_str());
        let is_kept = gives_away || OF_AUTHORS.iter().any(|kept| path.starts_with(kept));
        let is_there = root().join(&path).exists() || (is_learners && is_kept);
        assert!(is_there, "the file map names `{path}`, which does not exist");
        assert_eq!(root().join(&path).is_dir(), path.ends_with('/') && root().join(&path).exists(), "{path}");
    }
}

#[test]
fn everything_that_exists_is_on_the_file_map() {
    let map = map();
    let packages = ["shared", "grader", "benchmark", "tests"].into_iter();
    for package in packages.filter(|package| root().join(package).is_dir()) {
        for source in sources(package).into_iter().filter(|source| !source.starts_with("tests/submissions/"))
        {
            assert!(map.contains(&place_on_the_map(&source)), "`{source}` is not on the file map");
        }
    }
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_ours = !matches!(name.as_str(), ".git" | ".gitignore" | "target");
        let is_named = map.iter().any(|path| path == &name || path.starts_with(&format!("{name}/")));
        assert!(!is_ours || is_named || !is_code(&name), "`{name}` is not on the file map");
    }
}

#[test]
fn a_learners_copy_has_all_that_is_on_the_file_map_but_the_answers_and_what_is_for_authors() {
    let of_root = |path: String| path.split('/').next().unwrap_or_default().to_owned();
    let roots: BTreeSet<String> = map().into_iter().map(of_root).collect();
    let questions = ["exercises", "solutions", "tests"].map(str::to_owned);
    // What git itself reads is on no map.
    let given = GIVEN.iter().map(|name| (*name).to_owned()).filter(|name| name != ".gitignore");
    let of_authors = OF_AUTHORS.iter().map(|name| (*name).to_owned());
    assert_eq!(roots, given.chain(of_authors).chain(questions).collect());
}

/// What has to be named for a file: it itself in a folder of sources, else the folder below that one.
fn place_on_the_map(source: &str) -> String {
    let parts: Vec<&str> = source.split('/').collect();
    match parts.iter().position(|part| *part == "src") {
        Some(at) if parts.len() > at + 2 => format!("{}/", parts[..at + 2].join("/")),
        Some(_) => source.to_owned(),
        None if parts.len() > 2 => format!("{}/", parts[..2].join("/")),
        None => source.to_owned(),
    }
}

/// Whether something at the root belongs to the workspace, unlike what its user may have put there.
fn is_code(name: &str) -> bool {
    root().join(name).join("Cargo.toml").is_file() || name.ends_with(".toml") || name.ends_with(".md")
}

/// The module of a crate that a file below `src` belongs to; none for the crate's own root.
fn module(source: &str) -> Option<&str> {
    let (_, inside) = source.split_once("/src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (!matches!(module, "lib" | "main")).then_some(module)
}

fn imports(source: &str) -> Vec<String> {
    modules_named(&without_texts(&read(source)))
}

#[test]
fn a_stage_of_the_grader_imports_only_lower_stages() {
    let mut stages = BTreeMap::new();
    for (stage, modules) in rows("Imports in the grader") {
        let stage: u32 = stage.parse().expect("a stage is a number");
        stages.extend(names(&modules).into_iter().map(|module| (module, stage)));
    }
    let mut seen = 0;
    for source in sources("grader/src") {
        let Some(module) = module(&source) else { continue };
        let stage = *stages.get(module).unwrap_or_else(|| panic!("`{module}` has no stage"));
        for import in imports(&source).into_iter().filter(|import| import != module) {
            let below = *stages
                .get(&import)
                .unwrap_or_else(|| panic!("`{source}` imports `{import}`, which has no stage"));
            assert!(below < stage, "`{source}` of stage {stage} imports `{import}` of stage {below}");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} imports were found");
}

#[test]
fn a_module_of_the_library_imports_only_what_its_row_names() {
    let rules: BTreeMap<String, BTreeSet<String>> = rows("Imports in the library")
        .into_iter()
        .map(|(module, imports)| {
            (names(&module).pop_first().expect("a row begins with a module"), names(&imports))
        })
        .collect();
    // What stands at the crate's root for everyone, by the module that it comes from.
    let origin = |name: &str| match name {
        "spawn" => "process".to_owned(),
        "init_tests" => "sys".to_owned(),
        module => module.to_owned(),
    };
    let mut seen = 0;
    for source in sources("shared/src") {
        let Some(module) = module(&source) else { continue };
        let file = source.trim_start_matches("shared/src/").trim_end_matches(".rs");
        let rule = rules.get(file).or_else(|| rules.get(module));
        let allowed = rule.unwrap_or_else(|| panic!("`{module}` has no row"));
        for import in imports(&source) {
            let import = origin(&import);
            let is_allowed = import == module || allowed.contains(&import);
            assert!(is_allowed, "`{source}` imports `{import}`");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} imports were found");
}

#[test]
fn neither_half_depends_on_the_other() {
    for (package, other) in [("grader", "multiprocessing"), ("shared", "grader")] {
        let manifest = manifest(package);
        for kind in ["dependencies", "dev-dependencies", "build-dependencies", "target"] {
            let dependencies = serde_json::to_string(&manifest.get(kind)).unwrap();
            assert!(!words(&dependencies).any(|word| word == other), "`{package}` depends on `{other}`");
        }
    }
}

#[test]
fn unsafe_code_stands_under_sys_and_nowhere_else() {
    let folders = ["shared", "grader", "benchmark", "solutions", "tests"]
        .into_iter()
        .filter(|folder| root().join(folder).is_dir());
    let mut under_sys = 0;
    for source in folders.flat_map(sources).filter(|source| !source.starts_with("tests/submissions/")) {
        let code = without_texts(&read(&source));
        if words(&code).any(|word| word == "unsafe") {
            assert!(source.contains("/sys/"), "`{source}` has unsafe code");
            under_sys += 1;
        }
    }
    assert!(under_sys > 0, "no unsafe code was found at all");
}

#[test]
fn every_question_has_all_its_parts() {
    let course = Course::find(&root()).unwrap();
    assert!(!course.ids().is_empty());
    for id in course.ids() {
        let question = course.question(id).unwrap_or_else(|error| panic!("failed to {error}"));
        assert_eq!(question.points() + question.withheld, 10, "the points of `{id}`");
        assert!(question.hints.len() >= 2, "`{id}` has too few hints");
        assert!(!read(&format!("exercises/{id}/question.md")).trim().is_empty(), "`{id}` has no text");
        assert_package(&format!("exercises/{id}"), &format!("exercise-{id}"));
        if question.predict.is_some() {
            assert_prediction(id);
            continue;
        }
        let starter = read(&format!("exercises/{id}/starter/src/main.rs"));
        assert!(is_unfinished(&starter), "the starter of `{id}` is no exercise");
        if question.asks_for_prose() {
            let starter = read(&format!("exercises/{id}/starter/answer.md"));
            assert!(paragraphs(&starter).is_empty(), "the starter of `{id}` has an answer");
        }
        // A learner's copy comes without the reference answers.
        if root().join("solutions").is_dir() {
            assert_package(&format!("solutions/{id}"), id);
        }
    }
}

/// One program in three places, nothing marked beforehand, and a reference answer that marks everything.
fn assert_prediction(id: &str) {
    let program = read(&format!("exercises/{id}/program.rs"));
    assert_eq!(program, read(&format!("exercises/{id}/starter/src/main.rs")), "{id}");
    let starter = read(&format!("exercises/{id}/starter/prediction.toml"));
    assert!(is_unmarked(&starter), "the starter of `{id}` has marks");
    // A learner's copy comes without the reference answers.
    if root().join("solutions").is_dir() {
        assert_package(&format!("solutions/{id}"), id);
        assert_eq!(program, read(&format!("solutions/{id}/src/main.rs")), "{id}");
        let answer = read(&format!("solutions/{id}/prediction.toml"));
        assert!(!answer.contains('?') && !is_unmarked(&answer), "{id}");
    }
}

/// The outputs to be predicted stand side by side in the question's text, in columns below their names.
#[test]
fn the_outputs_to_be_predicted_are_those_that_the_text_shows() {
    let course = Course::find(&root()).unwrap();
    let questions = course.ids().iter().map(|id| course.question(id).unwrap());
    let mut seen = 0;
    for (question, predict) in questions.filter_map(|one| one.predict.clone().map(|predict| (one, predict))) {
        let text = read(&format!("exercises/{}/question.md", question.id));
        let table = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
        let rows: Vec<&str> = table.expect("a block of text").lines().collect();
        for (number, output) in predict.outputs.iter().enumerate() {
            let place = |output: &Candidate| rows[0].find(&output.name).expect("a column for each output");
            let end = predict.outputs.get(number + 1).map_or(usize::MAX, place);
            let cell = |row: &&str| {
                let cell = row.get(place(output)..end.min(row.len())).unwrap_or_default().trim();
                (!cell.is_empty()).then(|| cell.to_owned())
            };
            let column: Vec<String> = rows[1..].iter().filter_map(cell).collect();
            assert_eq!(column, output.lines, "{} of `{}`", output.name, question.id);
            seen += 1;
        }
    }
    assert!(seen > 0, "nothing is to be predicted");
}

/// `tests/answers/<question>/` holds answers that say what is asked for, each in other words.
#[test]
fn a_written_answer_is_found_good_in_other_words_too() {
    // A learner's copy comes without them.
    if !root().join("tests/answers").is_dir() {
        return;
    }
    let course = Course::find(&root()).unwrap();
    for id in course.ids() {
        let question = course.question(id).unwrap();
        let files: Vec<String> = if question.asks_for_prose() { answers(id) } else { Vec::new() };
        assert!(files.len() >= 2 || !question.asks_for_prose(), "`{id}` has too few answers to try");
        for file in files {
            let answer = Answer::Text { file: file.clone(), text: read(&file) };
            let grade = judge(&question, &file, &Evidence { answer, ..Evidence::default() });
            let written = grade.checks.iter().filter(|check| check.kind == "written");
            for check in written {
                assert_eq!(check.verdict, Verdict::Passed, "{file}: {}: {:?}", check.name, check.explanation);
            }
        }
    }
}

fn answers(id: &str) -> Vec<String> {
    let folder = format!("tests/answers/{id}");
    let entries = fs::read_dir(root().join(&folder)).into_iter().flatten().flatten();
    entries.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy())).collect()
}

fn assert_package(folder: &str, name: &str) {
    let manifest = manifest(folder);
    assert_eq!(manifest["package"]["name"].as_str(), Some(name), "{folder}/Cargo.toml");
    // Without it, cargo does not read the workspace when a learner has removed the file.
    let path = manifest.get("bin").and_then(|programs| programs[0]["path"].as_str());
    assert!(
        !folder.starts_with("exercises") || path == Some("src/main.rs"),
        "{folder}/Cargo.toml: no [[bin]]"
    );
    // A learner may have removed it; its grade says so.
    let program = if folder.starts_with("exercises") { "starter/src/main.rs" } else { "src/main.rs" };
    assert!(root().join(folder).join(program).is_file(), "{folder} has no {program}");
}

#[test]
fn a_question_with_fixtures_has_three_wrong_ones_and_a_right_one() {
    let course = Course::find(&root()).unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (name, fixture) in Fixture::find(&Workspace::find(&root()).unwrap(), &course) {
        let fixture = fixture.unwrap_or_else(|mistake| panic!("{name}: {mistake}"));
        let (right, wrong) = counts.entry(fixture.question).or_default();
        *(if fixture.verdict == Verdict::Passed { right } else { wrong }) += 1;
    }
    // A learner's copy comes without the fixtures.
    assert_eq!(counts.is_empty(), !root().join("tests/submissions").is_dir());
    for (question, (right, wrong)) in counts {
        assert!(right >= 1 && wrong >= 3, "`{question}` has {right} right and {wrong} wrong fixtures");
    }
}

#[test]
fn the_question_and_the_review_that_the_readme_shows_are_sound() {
    if !root().join("solutions").is_dir() {
        eprintln!("not run: the page of a learner's copy shows none");
        return;
    }
    let readme = read("README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let (questions, others): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.contains("title = "));
    let reviews: Vec<&str> = others.into_iter().filter(|block| block.contains("[[check]]")).collect();
    assert!(!questions.is_empty() && !reviews.is_empty());
    for text in questions {
        let question = grader::question::parse("shown", Path::new("README.md"), text);
        let question = question.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(question.points(), 10);
    }
    let question = Course::find(&root()).unwrap().question("q1").unwrap();
    for text in reviews {
        grader::question::parse_review(&question, Path::new("README.md"), text)
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}
