//! Everything that the compiler cannot check: the only module with `unsafe` code.
//!
//! Each file wraps one thing of the operating system, or of the program's own image, behind a safe face.
//! Nothing here knows what a process, a pool or a message is, and nothing here imports from the rest of the
//! crate.
#![expect(unsafe_code, reason = "this is the one place for it; everywhere else it is denied")]

pub(crate) mod clone;
pub(crate) mod constructor;
pub(crate) mod descriptor;
pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod function;
pub(crate) mod huge;
pub(crate) mod image;
pub(crate) mod kept;
pub(crate) mod lease;
pub(crate) mod mapping;
pub(crate) mod nameless;
mod note;
pub(crate) mod origin;
pub(crate) mod per_process;
pub(crate) mod sealed;
pub(crate) mod signals;
pub(crate) mod spawn;
pub(crate) mod standing;
pub(crate) mod text;
pub(crate) mod timer;
