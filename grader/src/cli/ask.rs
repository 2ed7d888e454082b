//! Asking on the terminal whether to go on.

use std::io::{self, IsTerminal, Write};

use super::CommandError;

/// Asks, and takes anything but a yes for a no; `what` goes on after "to ask on whether to".
///
/// # Errors
/// There is nobody to ask.
pub(super) fn confirmed(question: &str, what: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let text = format!("there is no terminal to ask on whether to {what}");
        return Err(CommandError::Usage(text));
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
