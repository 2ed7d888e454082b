//! Typed functions in other processes, and pools of worker processes.

mod child;
mod entry;
mod error;
mod init;
mod ipc;
mod panics;
mod pool;
mod process;
mod spawner;
mod status;
mod sys;

pub use error::{Error, Value};
pub use init::init;
pub use pool::{Chunked, Imap, MapHandle, Pool, PoolBuilder, StarFn, TaskHandle};
pub use process::{Builder, OnDrop, Process, spawn};
pub use status::ExitStatus;
