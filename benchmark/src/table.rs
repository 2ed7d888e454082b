//! What was measured, as text for a terminal and as a table in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use crate::rows::{Aim, ROWS, Row, Target, Unit};

/// A row with its numbers.
pub struct Line {
    row: &'static Row,
    medians: Vec<Option<f64>>,
}

impl Line {
    pub fn new(row: &'static Row, medians: &[Option<f64>]) -> Line {
        Line { row, medians: medians.to_vec() }
    }

    fn number(&self, contender: &str) -> Option<f64> {
        let index = self.row.contenders.iter().position(|candidate| candidate.name == contender);
        index.and_then(|index| self.medians[index])
    }

    /// Each contender with its number and, but for the first, with ours as a multiple of it.
    fn contenders(&self) -> Vec<String> {
        let ours = self.medians[0];
        let describe = |(index, contender): (usize, &crate::rows::Contender)| {
            let Some(number) = self.medians[index] else { return format!("{}: not here", contender.name) };
            let mut text = format!("{}: {}", contender.name, show(number, self.row.unit));
            if let Some(ours) = ours.filter(|_| index > 0 && number > 0.0) {
                let _ = write!(text, " (ours {})", factor(ours / number));
            }
            text
        };
        self.row.contenders.iter().enumerate().map(describe).collect()
    }

    /// Each target, and whether it was met.
    fn targets(&self) -> Vec<(String, &'static str)> {
        let judge = |target: &Target| {
            let verdict = match self.is_met(target) {
                Some(true) => "met",
                Some(false) => "not met",
                None => "not measured",
            };
            (self.describe(target), verdict)
        };
        self.row.targets.iter().map(judge).collect()
    }

    fn describe(&self, target: &Target) -> String {
        match target.aim {
            Aim::AtMost(times, other) => format!("at most {times} × {other}"),
            Aim::Better(times, other) if self.row.unit.more_is_better() => {
                format!("at least {times} × {other}")
            }
            Aim::Better(times, other) => format!("{times} times faster than {other}"),
            Aim::Limit(limit) => format!("at most {}", show(limit, self.row.unit)),
        }
    }

    fn is_met(&self, target: &Target) -> Option<bool> {
        let ours = self.number(target.who)?;
        Some(match target.aim {
            Aim::AtMost(times, other) => ours <= times * self.number(other)?,
            Aim::Better(times, other) if self.row.unit.more_is_better() => {
                ours >= times * self.number(other)?
            }
            Aim::Better(times, other) => ours * times <= self.number(other)?,
            Aim::Limit(limit) => ours <= limit,
        })
    }

    pub fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.row.what, self.row.name);
        for contender in self.contenders() {
            let _ = writeln!(text, "    {contender}");
        }
        for (target, verdict) in self.targets() {
            let _ = writeln!(text, "    target: {target}: {verdict}");
        }
        text
    }

    fn markdown(&self, date: &str) -> String {
        let contenders = self.contenders();
        let ours = contenders[0].strip_prefix("ours: ").unwrap_or(&contenders[0]);
        let targets: Vec<String> =
            self.targets().into_iter().map(|(target, verdict)| format!("{target}: **{verdict}**")).collect();
        let (name, what) = (self.row.name, self.row.what);
        let (others, targets) = (contenders[1..].join("<br>"), targets.join("<br>"));
        format!("| `{name}` | {what} | {ours} | {others} | {targets} | {date} |")
    }
}

/// Writes the table. Rows that stand in the file already and were not measured now are kept.
pub fn write_markdown(file: &Path, measured: &[Line]) -> io::Result<()> {
    let before = fs::read_to_string(file).unwrap_or_default();
    let name = |line: &str| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned());
    let mut lines: BTreeMap<String, String> =
        before.lines().filter_map(|line| Some((name(line)?, line.to_owned()))).collect();
    let today = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let date = today.split('T').next().unwrap_or_default();
    lines.extend(measured.iter().map(|line| (line.row.name.to_owned(), line.markdown(date))));

    let mut table = format!("{}\n\n", machine());
    table.push_str("| row | what | ours | beside it | target | measured |\n");
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for line in ROWS.iter().filter_map(|row| lines.get(row.name)) {
        let _ = writeln!(table, "{line}");
    }
    fs::write(file, table)
}

/// What all this was measured on.
fn machine() -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unnamed processor", |(_, model)| model);
    format!("{} CPUs ({model}), Linux {}. Medians.", num_cpus::get(), kernel.trim())
}

fn show(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Micros => format!("{} µs", digits(number)),
        Unit::Millis => format!("{} ms", digits(number)),
        Unit::PerSecond => format!("{}/s", digits(number)),
        Unit::MegabytesPerSecond => format!("{} MB/s", digits(number)),
        Unit::Kibibytes => format!("{} KiB", digits(number)),
        Unit::Count => digits(number),
        Unit::SpeedUp => format!("{number:.2} ×"),
    }
}

/// A ratio, with as many digits as it is worth.
fn factor(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.3} ×")
    } else if ratio < 10.0 {
        format!("{ratio:.2} ×")
    } else {
        format!("{ratio:.0} ×")
    }
}

/// Three significant digits, and commas between thousands.
fn digits(number: f64) -> String {
    if number.abs() < 100.0 {
        let text = if number.abs() < 10.0 { format!("{number:.2}") } else { format!("{number:.1}") };
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let whole = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
