//! An output held against an expectation, and what a learner is told where it does not match.

use super::assignment::{Assignment, Slot};
use super::difference;
use super::order::{self, Decision, Demands};
use super::outcome::Outcome;
use super::shown::{clipped, escaped, listed, plural, quoted};
use super::text::{self, TooAmbiguous};
use crate::model::{
    By, Count, ExitStatus, Expectation, Explanation, Line, Machine, Mark, Observation, Process, RunRecord,
    Stream,
};

/// What stands beside a line that came too early.
pub(super) const TOO_EARLY: &str = "too early";

/// So many lines are shown around the place that matters.
const MOST_LISTED: usize = 10;

/// A right order of so many lines still fits into a sentence.
const SHORT_ORDER: usize = 6;

/// From here on two lines count as meant to be the same.
const ALIKE: f64 = 0.4;

/// Whether a stream of a run matches an expectation, and its captures take the values asked for.
pub(super) fn judge(
    run: &RunRecord,
    stream: Stream,
    expectation: &Expectation,
    distinct: &[(String, Count)],
) -> Outcome {
    judge_lines(run, &run.stream(stream), expectation, distinct).unwrap_or_else(|TooAmbiguous| {
        Outcome::Fault(
            "This check's pattern can be read in too many ways to decide it; the instructor has to make it clearer."
                .to_owned(),
        )
    })
}

/// Whether standard output reads as expected, whoever wrote it.
pub(super) fn judge_text(run: &RunRecord, expectation: &Expectation) -> Outcome {
    let demands = Demands { names: true, writers: false };
    match order::decide(expectation, &run.stream(Stream::Stdout), &run.machine, demands) {
        Ok(Decision::Matches(_)) => Outcome::Holds,
        Ok(Decision::Stuck { lines }) => {
            Outcome::Broken(explain(expectation, &run.stream(Stream::Stdout), lines, run))
        }
        Err(TooAmbiguous) => Outcome::Fault("This check's pattern can be read in too many ways.".to_owned()),
    }
}

fn judge_lines(
    run: &RunRecord,
    lines: &[&Line],
    expectation: &Expectation,
    distinct: &[(String, Count)],
) -> Result<Outcome, TooAmbiguous> {
    let decide = |names, writers| order::decide(expectation, lines, &run.machine, Demands { names, writers });
    let bindings = match decide(true, false)? {
        Decision::Matches(bindings) => bindings,
        Decision::Stuck { lines: right } => {
            let names_broke_it = matches!(decide(false, false)?, Decision::Matches(_));
            return Ok(Outcome::Broken(if names_broke_it {
                explain_names(lines, right)
            } else {
                explain(expectation, lines, right, run)
            }));
        }
    };
    for (name, count) in distinct {
        let values = bindings.iter().map(|ways| different_values(ways.get(name.as_str()))).max().unwrap_or(0);
        if !super::count::holds(*count, values, &run.machine) {
            return Ok(Outcome::Broken(explain_distinct(values, *count)));
        }
    }
    if !asks_for_writers(expectation) {
        return Ok(Outcome::Holds);
    }
    if let Observation::OutputOnly { reason } = &run.observation {
        return Ok(Outcome::Unseen(reason.clone()));
    }
    Ok(match decide(true, true)? {
        Decision::Matches(_) => Outcome::Holds,
        Decision::Stuck { lines: right } => Outcome::Broken(explain_writer(expectation, lines, right, run)),
    })
}

/// The different elements of a list, or one for any other value.
fn different_values(value: Option<&std::rc::Rc<str>>) -> usize {
    value.map_or(0, |value| value.split(", ").collect::<std::collections::HashSet<_>>().len())
}

fn asks_for_writers(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Line { by, .. } => by.is_some(),
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => parts.iter().any(asks_for_writers),
        Expectation::Optional(part) => asks_for_writers(part),
        Expectation::Repeat { of, .. } => asks_for_writers(of),
    }
}

/// Why lines do not match, whoever wrote them and whatever their names mean.
fn explain(expectation: &Expectation, lines: &[&Line], right: usize, run: &RunRecord) -> Explanation {
    let machine = &run.machine;
    if let Some(line) = lines.get(right).filter(|line| line.invalid_utf8) {
        return Explanation::new(format!(
            "Line {} is no text: it holds bytes that are not UTF-8, shown as `\u{fffd}`.",
            right + 1
        ))
        .with_line(number(right), clipped(&line.text, 0).0, Mark::Wrong, "not UTF-8");
    }
    let Some(assignment) = Assignment::find(expectation, lines, machine) else {
        return explain_in_short(lines, right);
    };
    let (missing, extra) = (assignment.missing(), assignment.extra());
    if lines.is_empty() {
        return explain_nothing(&assignment, &missing, run);
    }
    match (missing.as_slice(), extra.as_slice()) {
        ([], []) => explain_order(&assignment, lines),
        ([], [first, ..]) => explain_extra(&assignment, lines, *first, extra.len(), run),
        (_, []) => explain_missing(&assignment, lines, &missing, run),
        (_, [first, ..]) if twin(&assignment, lines, *first).is_some() => {
            explain_twin(&assignment, lines, *first, &missing, run)
        }
        (_, [first, ..]) => match closest(&assignment, &missing, &extra, lines, machine) {
            Some(slot) => explain_difference(
                &assignment.slots[slot],
                lines,
                *first,
                machine,
                missing.len().max(extra.len()),
            ),
            None => explain_replaced(&assignment, lines, *first, &missing),
        },
    }
}

fn number(line: usize) -> String {
    (line + 1).to_string()
}

/// For an output too large to explain any better.
fn explain_in_short(lines: &[&Line], right: usize) -> Explanation {
    match lines.get(right) {
        Some(line) => Explanation::new(format!("Line {} is the first that is not as expected.", right + 1))
            .with_line(number(right), clipped(&line.text, 0).0, Mark::Wrong, "not expected here"),
        None => {
            Explanation::new(format!("The output ends after {}; more was expected.", plural(right, "line")))
        }
    }
}

fn explain_nothing(assignment: &Assignment<'_>, missing: &[usize], run: &RunRecord) -> Explanation {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let mut explanation = Explanation::new(format!(
        "Nothing was printed; {} {verb} expected.{}",
        plural(missing.len(), "line"),
        cut_short(run)
    ));
    for slot in missing.iter().take(MOST_LISTED) {
        explanation =
            explanation.with_line("expected", pattern_of(&assignment.slots[*slot]), Mark::Right, "");
    }
    explanation
}

fn pattern_of(slot: &Slot<'_>) -> String {
    escaped(&slot.pattern.source)
}

/// All lines are there, but some line stands before one that has to come first.
fn explain_order(assignment: &Assignment<'_>, lines: &[&Line]) -> Explanation {
    let Some((early, before)) = (0..lines.len())
        .map(|line| (line, assignment.belong_before(line)))
        .find(|(_, before)| !before.is_empty())
    else {
        // Every line has a slot and no pair is out of order, so the lines were right.
        return Explanation::new("The lines are all there, but not in an order that is allowed.");
    };
    let names: Vec<String> =
        before.iter().map(|line| format!("{} (line {})", quoted(&lines[*line].text), line + 1)).collect();
    let shown_names = if names.len() > 4 {
        format!("{} and {} more", names[..3].join(", "), names.len() - 3)
    } else {
        listed(&names)
    };
    let have = if names.len() == 1 { "has" } else { "have" };
    let order = assignment.nearest_order();
    let place = if order.len() <= SHORT_ORDER {
        let texts: Vec<String> = order.iter().map(|line| quoted(&lines[*line].text)).collect();
        format!("The nearest right order is {}.", texts.join(", "))
    } else {
        let last = before.last().copied().unwrap_or(early);
        format!("Its nearest right place is behind line {}.", last + 1)
    };
    let text = format!(
        "Line {}, {}, came too early: {shown_names} {have} to come before it. {place} {}",
        early + 1,
        quoted(&lines[early].text),
        advice_to_wait(lines[early], &before.iter().map(|line| lines[*line]).collect::<Vec<_>>()),
    );
    let mut explanation = Explanation::new(text).about_line(early);
    let end = before.last().copied().unwrap_or(early);
    let last = end.min(early + MOST_LISTED / 2);
    for (line, shown) in lines.iter().enumerate().take(last + 1).skip(early.saturating_sub(2)) {
        let (mark, note) = match () {
            () if line == early => (Mark::Wrong, TOO_EARLY.to_owned()),
            () if before.contains(&line) => (Mark::Right, format!("has to come before line {}", early + 1)),
            () => (Mark::Plain, String::new()),
        };
        explanation = explanation.with_line(number(line), clipped(&shown.text, 0).0, mark, &note);
    }
    if last < end { explanation.with_line("", "…", Mark::Plain, "") } else { explanation }
}

/// One thing to try where a line came too early.
fn advice_to_wait(early: &Line, before: &[&Line]) -> String {
    let by_main = early.writer == Some(0);
    let children: std::collections::BTreeSet<u32> =
        before.iter().filter_map(|line| line.writer).filter(|writer| *writer != 0).collect();
    match (by_main, children.len()) {
        (true, 1) => format!(
            "Main has to wait for child {} before it prints: try `join` on it.",
            children.first().copied().unwrap_or(1)
        ),
        (true, count) if count > 1 => {
            format!(
                "Main has to wait for those {count} children before it prints: try `join` on each of them."
            )
        }
        _ => "Whoever prints it has to wait for whoever prints what comes before: try `join`.".to_owned(),
    }
}

/// The line that a superfluous one repeats.
fn twin(assignment: &Assignment<'_>, lines: &[&Line], extra: usize) -> Option<usize> {
    (0..lines.len()).find(|other| {
        assignment.slot_of[*other].is_some()
            && lines[*other].text == lines[extra].text
            && !lines[extra].text.is_empty()
    })
}

/// How a child may have come to repeat a line of main's without a word about it in its own code.
fn why_repeated(line: &Line, lines: &[&Line], run: &RunRecord) -> String {
    let twins = || lines.iter().filter(|other| other.text == line.text).filter_map(|other| other.writer);
    let child = twins().filter(|writer| *writer != 0).find_map(|writer| run.process(writer));
    let Some(child) = child.filter(|_| twins().any(|writer| writer == 0)) else { return String::new() };
    let label = child.label();
    let why = if child.executed {
        "a child that is started anew runs the program from its beginning, so each does what stands before \
         `multiprocessing::init()`, or in Python outside of `if __name__ == \"__main__\":`"
    } else {
        "a fork copies what main has printed but not flushed, so flush before you start a child"
    };
    format!(" Main has printed it, and {label} too. If {label} is not meant to: {why}.")
}

/// Everything expected is there, and more.
fn explain_extra(
    assignment: &Assignment<'_>,
    lines: &[&Line],
    first: usize,
    count: usize,
    run: &RunRecord,
) -> Explanation {
    let line = lines[first];
    let what = if line.text.is_empty() {
        format!("Line {}, an empty one, ", first + 1)
    } else {
        format!("Line {}, {}, ", first + 1, quoted(&line.text))
    };
    let twin = twin(assignment, lines, first);
    let why = match twin {
        Some(twin) => format!("is printed once too often: line {} is the same", twin + 1),
        None if first + count == lines.len() => {
            format!("is too much: the output should end after line {first}")
        }
        None => "is not expected at all".to_owned(),
    };
    let others = match count {
        1 => String::new(),
        2 => " One more line is too much.".to_owned(),
        count => format!(" {} more lines are too much.", count - 1),
    };
    let cause = twin.map_or_else(String::new, |_| why_repeated(line, lines, run));
    around(Explanation::new(format!("{what}{why}.{others}{cause}")), lines, first, "not expected")
}

/// A line stands there twice, and another is missing.
fn explain_twin(
    assignment: &Assignment<'_>,
    lines: &[&Line],
    extra: usize,
    missing: &[usize],
    run: &RunRecord,
) -> Explanation {
    let first = twin(assignment, lines, extra).unwrap_or(extra);
    let text = format!(
        "Line {}, {}, is printed once too often (line {} is the same), and {}.{}",
        extra + 1,
        quoted(&lines[extra].text),
        first + 1,
        are_missing(assignment, missing),
        why_repeated(lines[extra], lines, run),
    );
    around(Explanation::new(text), lines, extra, "once too often")
}

/// "`a` is missing", "`a`, `b`, `c` and 2 more are missing".
fn are_missing(assignment: &Assignment<'_>, missing: &[usize]) -> String {
    let mut names: Vec<String> =
        missing.iter().take(3).map(|slot| quoted(&assignment.slots[*slot].pattern.source)).collect();
    if missing.len() > names.len() {
        names.push(format!("{} more", missing.len() - names.len()));
    }
    format!("{} {} missing", listed(&names), if missing.len() == 1 { "is" } else { "are" })
}

/// Every line is expected, and some are missing.
fn explain_missing(
    assignment: &Assignment<'_>,
    lines: &[&Line],
    missing: &[usize],
    run: &RunRecord,
) -> Explanation {
    let text = match missing {
        [one] => format!("The line {} is missing.", quoted(&assignment.slots[*one].pattern.source)),
        several => format!("{}.", are_missing(assignment, several)),
    };
    let mut explanation = Explanation::new(text + &cut_short(run));
    let from = lines.len().saturating_sub(MOST_LISTED);
    for (index, line) in lines.iter().enumerate().skip(from) {
        explanation = explanation.with_line(number(index), clipped(&line.text, 0).0, Mark::Plain, "");
    }
    for slot in missing.iter().take(MOST_LISTED) {
        explanation = explanation.with_line("missing", pattern_of(&assignment.slots[*slot]), Mark::Right, "");
    }
    explanation
}

/// The children that printed nothing and were ended by a signal: what a process has not flushed is lost then.
fn cut_short(run: &RunRecord) -> String {
    let is_silent = |process: &&Process| {
        process.status.is_some_and(ExitStatus::is_by_others)
            && !run.stream(Stream::Stdout).iter().any(|line| line.writer == Some(process.number))
    };
    let children = run.processes.iter().skip(1).filter(is_silent);
    let mut labels: Vec<String> = children.map(Process::label).collect();
    let were = if labels.len() == 1 { "was" } else { "were" };
    if labels.len() > 3 {
        let more = labels.split_off(2).len();
        labels.push(format!("{more} more"));
    }
    if labels.is_empty() {
        return String::new();
    }
    format!(
        " In this run {} {were} ended by a signal: what a process has printed and not flushed is lost then. Let it end by \
         itself and wait for it, as `close` and `join` of a pool do.",
        listed(&labels)
    )
}

/// A line that is like nothing that is missing.
fn explain_replaced(
    assignment: &Assignment<'_>,
    lines: &[&Line],
    first: usize,
    missing: &[usize],
) -> Explanation {
    let text = format!(
        "Line {}, {}, is not expected, and {}.",
        first + 1,
        quoted(&lines[first].text),
        are_missing(assignment, missing),
    );
    around(Explanation::new(text), lines, first, "not expected")
}

/// The lines around one that is wrong.
fn around(explanation: Explanation, lines: &[&Line], wrong: usize, note: &str) -> Explanation {
    let mut explanation = explanation.about_line(wrong);
    let from = wrong.saturating_sub(3);
    for (index, line) in lines.iter().enumerate().skip(from).take(6) {
        let (mark, note) = if index == wrong { (Mark::Wrong, note) } else { (Mark::Plain, "") };
        explanation = explanation.with_line(number(index), clipped(&line.text, 0).0, mark, note);
    }
    explanation
}

/// The missing slot that the first superfluous line was most likely meant for.
fn closest(
    assignment: &Assignment<'_>,
    missing: &[usize],
    extra: &[usize],
    lines: &[&Line],
    machine: &Machine,
) -> Option<usize> {
    if let ([slot], [_]) = (missing, extra) {
        return Some(*slot);
    }
    let line = lines[*extra.first()?];
    // Only the beginning is compared, so that a line of a megabyte costs no more than a short one.
    let text: String = line.text.chars().take(500).collect();
    let likeness = |slot: &usize| {
        let pattern = assignment.slots[*slot].pattern;
        let alike = strsim::normalized_levenshtein(&pattern.source, &text);
        let reached = text::progress(pattern, &text, machine).map_or(1.0, |progress| {
            progress.offset as f64 / text.len().max(pattern.source.len()).max(1) as f64
        });
        alike.max(reached)
    };
    missing
        .iter()
        .map(|slot| (likeness(slot), *slot))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, slot)| slot)
}

/// A line that is almost what was expected, with the first difference marked.
fn explain_difference(
    slot: &Slot<'_>,
    lines: &[&Line],
    wrong: usize,
    machine: &Machine,
    differences: usize,
) -> Explanation {
    let line = &lines[wrong].text;
    let difference = difference::first(slot.pattern, line, machine);
    let more = match differences {
        0 | 1 => String::new(),
        2 => " One more line differs.".to_owned(),
        count => format!(" {} more lines differ.", count - 1),
    };
    let (shown, width) = clipped(line, difference.place);
    let text = format!(
        "Line {} should read {}, not {}: {}.{more}",
        wrong + 1,
        quoted(&slot.pattern.source),
        if line.is_empty() { "be empty".to_owned() } else { quoted(line) },
        difference.why
    );
    Explanation::new(text)
        .about_line(wrong)
        .with_line("expected", pattern_of(slot), Mark::Right, "")
        .with_line(number(wrong), shown, Mark::Wrong, "")
        .with_line("", format!("{}^", " ".repeat(width)), Mark::Plain, "")
}

/// Every line reads right, but a name means two values.
fn explain_names(lines: &[&Line], right: usize) -> Explanation {
    let text = match lines.get(right) {
        Some(line) => format!(
            "Line {}, {}, does not agree with the rest: two values that have to be the same differ.",
            right + 1,
            quoted(&line.text)
        ),
        None => "Two values that have to be the same differ.".to_owned(),
    };
    around(Explanation::new(text), lines, right.min(lines.len().saturating_sub(1)), "does not agree")
}

fn explain_distinct(values: usize, count: Count) -> Explanation {
    let of = if values == 1 { "1 value was".to_owned() } else { format!("{values} different values were") };
    Explanation::new(format!(
        "{of} printed; {} expected. If they are drawn at random: processes that go on from copies of one generator draw \
         the same.",
        super::count::described(count)
    ))
}

/// Every line reads right and stands right, but somebody else wrote it.
fn explain_writer(expectation: &Expectation, lines: &[&Line], right: usize, run: &RunRecord) -> Explanation {
    let Some(line) = lines.get(right) else {
        return Explanation::new(
            "The lines are right, but not all come from the process that has to write them.",
        );
    };
    let label = |writer: Option<u32>| {
        writer
            .and_then(|writer| run.process(writer))
            .map_or_else(|| "an unknown process".to_owned(), crate::model::Process::label)
    };
    let wanted = writer_wanted(expectation, line, &run.machine);
    let before = lines[..right].iter().position(|other| other.writer == line.writer);
    let why = match (wanted, before) {
        (Some(By::Main), _) => "it has to come from main".to_owned(),
        (Some(By::OwnChild), Some(before)) if line.writer != Some(0) => {
            format!(
                "which has written line {} too: each of these lines has to come from a child of its own",
                before + 1
            )
        }
        (Some(By::OwnChild), _) => "it has to come from a child process of its own".to_owned(),
        (Some(By::Child) | None, _) => "it has to come from a child process".to_owned(),
    };
    let text =
        format!("Line {}, {}, was written by {}; {why}.", right + 1, quoted(&line.text), label(line.writer));
    let mut explanation = Explanation::new(text.replace("; which", ", which")).about_line(right);
    for (index, line) in lines.iter().enumerate().skip(right.saturating_sub(3)).take(6) {
        let mark = if index == right { Mark::Wrong } else { Mark::Plain };
        explanation =
            explanation.with_line(number(index), clipped(&line.text, 0).0, mark, &label(line.writer));
    }
    explanation
}

/// Who has to write a line of this text.
fn writer_wanted(expectation: &Expectation, line: &Line, machine: &Machine) -> Option<By> {
    match expectation {
        Expectation::Line { pattern, by } => {
            by.filter(|_| text::matches(pattern, &line.text, machine).is_ok_and(|ways| !ways.is_empty()))
        }
        Expectation::Sequence(parts) | Expectation::AnyOrder(parts) => {
            parts.iter().find_map(|part| writer_wanted(part, line, machine))
        }
        Expectation::Optional(part) => writer_wanted(part, line, machine),
        Expectation::Repeat { of, .. } => writer_wanted(of, line, machine),
    }
}
