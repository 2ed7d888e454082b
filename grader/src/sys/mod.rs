//! The system calls, and the only unsafe code of the grader.
//!
//! Everything that a stage above needs of the kernel and that neither `std` nor `rustix` offers safely is a small
//! type here: a [`Program`] and the [`Environment`] that it gets, a [`Keeper`] that runs it and ends all that it
//! started, a few facts of the machine.
//! This module decides nothing: it knows no question, no verdict and no line.

pub(crate) mod calls;
mod children;
mod cpus;
mod descriptors;
mod filter;
mod fork;
mod image;
mod keeper;
mod robust;
mod signals;
mod timer_signal;
mod trace;
mod wait;

pub(crate) use cpus::online_cpus;
pub(crate) use filter::{Filter, Watched};
pub(crate) use image::Environment;
pub use image::Program;
pub use keeper::Step;
pub(crate) use keeper::{Ended, Keeper, Report, Start};
pub(crate) use robust::robust_list;
pub(crate) use signals::{Signals, let_all_through};
pub(crate) use timer_signal::TimerSignal;
pub(crate) use trace::{Event, Stop, Stopped, SystemCall, Tracer};
pub(crate) use wait::own_cpu_time;
