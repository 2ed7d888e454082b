//! How the library behaves, process by process.
#![expect(clippy::unwrap_used, reason = "in a test, and in what runs in its children, an error is a failure")]

mod bytes;
mod copies;
mod endings;
mod family;
mod faults;
mod helpers;
mod lent;
mod panics;
mod pool;
mod process;
mod promptness;
mod readiness;
mod shortage;
mod starting;
mod support;
mod sys;
mod terms;

multiprocessing::init_tests!();
