//! Changing this process's environment.

use std::ffi::{OsString, c_char};
use std::ptr;

unsafe extern "C" {
    /// The environment, as every function of the C library and of Rust's `std::env` finds it: environ(7).
    static mut environ: *const *const c_char;
}

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

/// Puts these variables in place of all that there are. Each is `NAME=value` and a zero byte.
///
/// To be called while the process has one thread. The bytes stay for the rest of its life.
pub(crate) fn replace(variables: Vec<u8>) {
    let variables: &'static [u8] = variables.leak();
    let strings = variables.split_inclusive(|byte| *byte == 0).filter(|string| string.ends_with(&[0]));
    let pointers = strings.map(|string| string.as_ptr().cast::<c_char>()).chain([ptr::null()]);
    let pointers: &'static [*const c_char] = pointers.collect::<Vec<_>>().leak();
    // SAFETY: to write a static asks that no other thread uses it, and there is none. What reads it expects
    // strings that last and end with a zero byte, in an array that ends with null: these were leaked, and
    // those without a zero byte left out.
    unsafe { environ = pointers.as_ptr() };
}
