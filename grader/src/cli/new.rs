//! `grader new`: a new question from a template.

use std::io::Write;

use clap::Args;

use super::{CommandError, exit, workspace};
use crate::author::{self, Template};

const EXAMPLE: &str = "\
Example:
  cargo grader new q7-greeting --template one-process
  cargo grader check q7-greeting";

/// Make a new question: text, checks, starter, solution, and wrong programs that it refuses
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct NewArguments {
    /// The question's name, which becomes that of its folders: small letters, digits and hyphens
    #[arg(value_name = "ID")]
    id: String,

    /// What to begin with
    ///
    ///   one-process: one child prints a line.
    ///   several-processes: three children side by side, a line each, in any order.
    ///   ordered-join: two children side by side, and a last line by main after both.
    ///   pool: a pool of workers computes, and main prints the results in order.
    ///   custom: an answer that another process finds: little to take away.
    #[arg(long, verbatim_doc_comment, value_name = "TEMPLATE", default_value = "one-process", value_parser = template)]
    template: Template,
}

fn template(name: &str) -> Result<Template, String> {
    name.parse().map_err(|error: author::UnknownTemplate| format!("failed to {error}"))
}

pub(super) fn run(arguments: &NewArguments, out: &mut dyn Write) -> Result<u8, CommandError> {
    let NewArguments { id, template } = arguments;
    let files = author::new(&workspace()?, id, *template)?;
    writeln!(out, "Made the question `{id}` from the template `{template}`:")?;
    for file in files {
        writeln!(out, "  {}", file.display())?;
    }
    writeln!(out)?;
    writeln!(out, "It is sound as it stands. Make it yours, then prove it:")?;
    writeln!(out, "  cargo grader check {id}")?;
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        _arguments: NewArguments,
    }

    #[test]
    fn help_says_what_every_template_is_about() {
        let help = Alone::command().term_width(1000).render_long_help().to_string();
        for template in Template::ALL {
            assert!(help.contains(&format!("{template}: {}.", template.about)), "{help}");
        }
    }
}
