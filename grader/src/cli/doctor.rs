//! `grader doctor`: what this machine lets the grader see and do.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use super::{CommandError, exit};
use crate::doctor::{State, examine};

pub(super) fn run(out: &mut dyn Write) -> Result<u8, CommandError> {
    const GOOD: Style = AnsiColor::Green.on_default();
    const BAD: Style = AnsiColor::Red.on_default();
    const OPEN: Style = AnsiColor::Yellow.on_default();
    let mut code = exit::OK;
    for finding in examine() {
        match finding.state {
            State::Works => writeln!(out, "{GOOD}✓{GOOD:#} {}", finding.what)?,
            State::Missing { why, needed } => {
                let (style, sign) = if needed { (BAD, "✗") } else { (OPEN, "–") };
                writeln!(out, "{style}{sign}{style:#} {}", finding.what)?;
                writeln!(out, "    {why}")?;
                if needed {
                    code = exit::NOT_OBSERVED;
                }
            }
        }
    }
    Ok(code)
}
