//! The command line of the grader.

use std::process::ExitCode;

fn main() -> ExitCode {
    grader::cli::main()
}
