//! Documents held against what they show: the picture and the table of the README, and the page on writing
//! questions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anstyle_svg::{Term, WIN10_CONSOLE};
use serde_json::Value;
use tests::folder::Copy;

/// The copy of the workspace, in a folder that cargo keeps for tests.
fn copy() -> Copy {
    Copy::of_the_workspace(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy"))
}

fn read(path: &str) -> String {
    fs::read_to_string(tests::root().join(path))
        .unwrap_or_else(|error| panic!("failed to read `{path}`: {error}"))
}

/// The last table of the benchmark as the README has it: without targets, and without the names of rows.
fn table_of_the_readme(results: &str) -> String {
    let machine = results.lines().next().expect("the table says what it was measured on");
    let mut table =
        format!("{machine}\n\n| what | ours | beside it | measured |\n| --- | --- | --- | --- |\n");
    for row in results.lines().filter(|line| line.starts_with("| `")) {
        let [_, what, ours, others, _, date] = row.trim_matches('|').split(" | ").collect::<Vec<_>>()[..]
        else {
            panic!("a row of other columns: {row}");
        };
        table.push_str(&format!("| {what} | {ours} | {others} | {} |\n", date.trim()));
    }
    table
}

#[test]
fn the_readme_has_the_last_table_of_the_benchmark() {
    if !tests::root().join("benchmark").is_dir() {
        eprintln!("not run: there is no folder `benchmark`, and a learner's page has no table");
        return;
    }
    let table = table_of_the_readme(&read("benchmark/results.md"));
    assert!(read("README.md").contains(&table), "README.md has to have this table now:\n\n{table}");
}

/// The picture that the README opens with.
///
/// Draw it anew with `INSTA_UPDATE=always cargo test -p tests --test docs picture`.
const PICTURE: &str = "docs/missing-join.svg";

/// Two children whose end nobody waits for before the last line.
const MISSING_JOIN: &str = r#"use multiprocessing::{Error, spawn};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let _square = spawn(|n: u32| println!("Square: {}", n * n), 10)?;
    let _cube = spawn(|n: u32| println!("Cube: {}", n * n * n), 10)?;
    println!("Done!");
    Ok(())
}
"#;

#[test]
fn the_picture_of_the_readme_is_what_the_grader_prints_for_a_missing_join() {
    let copy = copy();
    copy.write("exercises/q3-square-cube/src/main.rs", MISSING_JOIN);
    let mut command = copy.grader();
    let graded = command.env("CLICOLOR_FORCE", "1").args(["grade", "q3-square-cube"]).assert().code(1);
    let report = String::from_utf8_lossy(&graded.get_output().stdout).into_owned();
    let drawn =
        Term::new().palette(WIN10_CONSOLE).render_svg(&format!("$ cargo grade q3-square-cube\n{report}"));
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(tests::root().join(PICTURE), &drawn).unwrap();
    }
    assert!(drawn == read(PICTURE), "{PICTURE} is not what the grader prints; draw it anew:\n{report}");
    assert!(read("README.md").contains(PICTURE), "the README does not show {PICTURE}");
}

/// An ordinary question is fewer lines of an instructor's own than this; the rest is the template's.
const MOST_WRITTEN: usize = 30;

/// The name of the page's question in the copy.
const FOLLOWED: &str = "followed";

/// The commands of a page's blocks for a shell, in their order; a block that goes on until `END` is one.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut commands: Vec<String> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match commands.last_mut() {
            Some(open) if open.contains("<<'END'") && !open.ends_with("\nEND") => {
                open.push('\n');
                open.push_str(line);
            }
            _ => commands.push(line.to_owned()),
        }
    }
    commands
}

#[test]
fn the_steps_to_a_new_question_can_be_followed_as_they_are_written() {
    let copy = copy();
    let place = tempfile::tempdir().unwrap();
    let class = place.path().join("class");
    let commands = commands(&read("docs/authoring.md"));
    assert!(commands.len() >= 7, "{commands:#?}");
    let mut made: Option<BTreeMap<String, Vec<String>>> = None;
    for command in commands {
        // Whoever has followed the page has the question already.
        let command = command.replace("q9-morning", FOLLOWED);
        let command =
            command.replace("../class", class.to_str().expect("a folder of a test has a name in UTF-8"));
        match command.strip_prefix("cargo grader ") {
            Some(words) => {
                copy.grader().args(words.split(' ')).assert().success();
                made.get_or_insert_with(|| lines_of_question(copy.path(), FOLLOWED));
            }
            None => {
                let mut shell = assert_cmd::Command::new("sh");
                shell.current_dir(copy.path()).args(["-euc", &command]).assert().success();
            }
        }
    }
    let released = fs::read_to_string(class.join("exercises").join(FOLLOWED).join("question.toml")).unwrap();
    assert!(released.contains("Good morning") && !released.contains("Hello"), "{released}");

    let made = made.expect("the page makes a question");
    let written: Vec<String> = lines_of_question(copy.path(), FOLLOWED)
        .into_iter()
        .flat_map(|(file, lines)| {
            let given = made.get(&file).cloned().unwrap_or_default();
            lines
                .into_iter()
                .filter(move |line| !given.contains(line))
                .map(move |line| format!("{file}: {line}"))
        })
        .collect();
    assert!(!written.is_empty() && written.len() < MOST_WRITTEN, "{}: {written:#?}", written.len());
}

/// The lines of all files of a question, its fixtures among them; empty ones are not written by anybody.
fn lines_of_question(root: &Path, id: &str) -> BTreeMap<String, Vec<String>> {
    let mut files = BTreeMap::new();
    let mut folders =
        ["exercises", "solutions", "tests/submissions"].map(|folder| root.join(folder).join(id)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("it is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("it is a text");
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
            files.insert(path.display().to_string(), lines);
        }
    }
    files
}

/// The keys that a page describes, by the heading that they stand under, each with its example.
fn described(page: &str) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
    let (_, keys) = page.split_once("\n## Every key of question.toml\n").expect("the page has this part");
    let mut described: BTreeMap<String, BTreeMap<String, Option<String>>> = BTreeMap::new();
    for section in keys.split("\n### ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
        let keys = text.lines().filter_map(|line| line.strip_prefix("- `")).map(|line| {
            let (key, what) = line.split_once("`: ").unwrap_or_else(|| panic!("`{line}` says nothing"));
            let example = what.split_once("as in `").and_then(|(_, rest)| quoted(rest));
            (key.to_owned(), example)
        });
        described.insert(heading.to_owned(), keys.collect());
    }
    described
}

/// A text up to the backtick that ends it, which is followed by no quote: examples have backticks in their texts.
fn quoted(rest: &str) -> Option<String> {
    let ends = rest.match_indices('`').map(|(at, _)| at);
    let mut parsed = ends.map(|at| &rest[..at]).filter(|text| text.parse::<toml::Table>().is_ok());
    parsed.next().map(str::to_owned)
}

#[test]
fn the_page_describes_every_key_of_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(&read("docs/question.schema.json")).unwrap();
    let keys = |of: &Value| -> BTreeSet<String> {
        of["properties"].as_object().into_iter().flat_map(|keys| keys.keys().cloned()).collect()
    };
    let mut expected = BTreeMap::from([("The question".to_owned(), keys(&schema))]);
    let tables = schema["$defs"].as_object().expect("the schema has definitions").iter();
    expected
        .extend(tables.map(|(name, table)| (name.clone(), keys(table))).filter(|(_, keys)| !keys.is_empty()));
    let described = described(&read("docs/authoring.md"));
    let found: BTreeMap<String, BTreeSet<String>> =
        described.into_iter().map(|(heading, keys)| (heading, keys.into_keys().collect())).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_example_of_a_key_is_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("expected.txt"), "a\n").unwrap();
    let mut tried = 0;
    for (heading, keys) in described(&read("docs/authoring.md")) {
        for (key, example) in keys {
            // Tables of their own have their examples there.
            let Some(example) = example else {
                assert!(heading == "The question", "`{key}` of `{heading}` has no example");
                continue;
            };
            let table: toml::Table = example.parse().unwrap();
            assert!(table.len() == 1 && table.contains_key(&key), "`{example}` is no example of `{key}`");
            if let Some(text) = question_with(&heading, &key, &example) {
                let file = folder.path().join("question.toml");
                if let Err(mistakes) = grader::question::parse("q", &file, &text) {
                    panic!("{mistakes}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "only {tried} examples were tried");
}

/// A whole question with an example; none where it takes the company of other keys, or of a program.
fn question_with(heading: &str, key: &str, example: &str) -> Option<String> {
    let head = |key: &str| match key {
        "title" => "topic = 't'\n",
        "topic" => "title = 'T'\n",
        _ => "title = 'T'\ntopic = 't'\n",
    };
    let check = "\n[[check]]\nname = 'n'\npoints = 1\n";
    let any = "output = 'a'\n";
    Some(match (heading, key) {
        ("The question", _) => format!("{}{example}\n{check}{any}", head(key)),
        ("Run" | "Limits", _) => format!("{}[{}]\n{example}\n{check}{any}", head(""), heading.to_lowercase()),
        ("Check", "name") => format!("{}[[check]]\n{example}\npoints = 1\n{any}", head("")),
        ("Check", "points") => format!("{}[[check]]\n{example}\nname = 'n'\n{any}", head("")),
        ("Check", "hidden") => format!("{}{check}{example}\n{any}", head("")),
        ("Check", "distinct") => {
            format!("{}{check}{example}\noutput = '{{values: list int}}'\n", head(""))
        }
        ("Check", "predict") | ("Predict", _) => return None,
        ("Check", _) => format!("{}{check}{example}\n", head("")),
        ("Pattern table", "min" | "max") => {
            format!("{}{check}output = {{ repeat = 'a', {example} }}\n", head(""))
        }
        ("Pattern table", "by") => format!("{}{check}output = {{ line = 'a', {example} }}\n", head("")),
        ("Pattern table", _) => format!("{}{check}output = {{ {example} }}\n", head("")),
        ("Processes", _) => format!("{}{check}processes = {{ {example} }}\n", head("")),
        ("Exit", _) => format!("{}{check}exit = {{ {example} }}\n", head("")),
        ("Ended by", "signal") => {
            format!("{}{check}processes.ended_by = {{ count = 1, {example} }}\n", head(""))
        }
        ("Ended by", _) => {
            format!("{}{check}processes.ended_by = {{ signal = 'SIGKILL', {example} }}\n", head(""))
        }
        ("Count table", _) => format!("{}{check}processes.created = {{ {example} }}\n", head("")),
        ("Written", "ideas") => format!("{}{check}written = {{ {example} }}\n", head("")),
        ("Written", _) => {
            let idea = |name: &str| format!("{{ idea = '{name}', any = ['a'] }}");
            let ideas = format!("[{}, {}, {}]", idea("a"), idea("b"), idea("c"));
            format!("{}{check}written = {{ ideas = {ideas}, {example} }}\n", head(""))
        }
        ("Idea", "idea") => format!("{}{check}written.ideas = [{{ any = ['a'], {example} }}]\n", head("")),
        ("Idea", _) => format!("{}{check}written.ideas = [{{ idea = 'a', {example} }}]\n", head("")),
        (heading, key) => panic!("nobody has said how to try `{key}` of `{heading}`"),
    })
}
