//! `grader schema`: the JSON Schema of question.toml.

use std::io::Write;

use super::{CommandError, exit};
use crate::question;

pub(super) fn run(out: &mut dyn Write) -> Result<u8, CommandError> {
    serde_json::to_writer_pretty(&mut *out, &question::schema()).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(exit::OK)
}
