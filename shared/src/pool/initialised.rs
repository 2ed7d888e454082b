//! What an initializer says of its work.

use std::fmt::Display;

/// What an initializer may return: nothing, or a [`Result`], whose error counts as a failure, as an exception does in
/// Python.
///
/// See [`PoolBuilder::initializer`](super::PoolBuilder::initializer).
#[diagnostic::on_unimplemented(
    message = "an initializer returns nothing or a `Result`, and not `{Self}`",
    note = "a `;` behind its last expression has it return nothing; one that never returns is written with `-> ()`"
)]
pub trait Initialised {
    /// The error's text, if it is one.
    fn failure(self) -> Option<String>;
}

impl Initialised for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T, E: Display> Initialised for Result<T, E> {
    /// With `{:#}`, by which some errors tell their causes as well.
    fn failure(self) -> Option<String> {
        self.err().map(|error| format!("{error:#}"))
    }
}
