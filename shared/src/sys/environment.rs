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
    let pointers: &'static [*const c_char] = pointers(variables.leak()).leak();
    // SAFETY: to write a static asks that no other thread uses it, and there is none. What reads it expects
    // strings that last and end with a zero byte, in an array that ends with null: these were leaked, and
    // `pointers` sees to the rest.
    unsafe { environ = pointers.as_ptr() };
}

/// The array that C expects: where each string begins that ends with a zero byte, and null. It borrows from the
/// strings without saying so.
pub(super) fn pointers(strings: &[u8]) -> Vec<*const c_char> {
    let whole = strings.split_inclusive(|byte| *byte == 0).filter(|string| string.ends_with(&[0]));
    whole.map(|string| string.as_ptr().cast()).chain([ptr::null()]).collect()
}
