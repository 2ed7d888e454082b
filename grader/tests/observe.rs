//! What is recorded of a run, under every schedule and whatever a submission does.
//!
//! Most submissions are a few lines of Python, since those can do everything to processes that a program can.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "observe/support.rs"]
mod support;

#[path = "observe/deadlocks.rs"]
mod deadlocks;
#[path = "observe/hostile.rs"]
mod hostile;
#[path = "observe/lines.rs"]
mod lines;
#[path = "observe/memory.rs"]
mod memory;
#[path = "observe/messages.rs"]
mod messages;
#[path = "observe/model.rs"]
mod model;
#[path = "observe/processes.rs"]
mod processes;
#[path = "observe/schedules.rs"]
mod schedules;
#[path = "observe/terminal.rs"]
mod terminal;
#[path = "observe/timeouts.rs"]
mod timeouts;
