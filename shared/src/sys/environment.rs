//! Taking a variable out of this process's environment.

use std::ffi::OsString;

/// Reads the variable and removes it, so that no later child inherits it.
///
/// To be called while the process has one thread: from the first line of `main`, or before it.
pub(crate) fn take(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    #[expect(clippy::disallowed_methods, reason = "the one place where a variable is removed")]
    // SAFETY: `remove_var` asks that no other thread reads or writes the environment meanwhile. The variable
    // is set only in a process that this library has just started, and the library's manual asks for `init`
    // to be the first line of `main`, before which a Rust program has one thread.
    unsafe {
        std::env::remove_var(name);
    }
    Some(value)
}
