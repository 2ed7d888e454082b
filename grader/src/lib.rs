//! Grades programs that consist of several processes.
//!
//! A submission is run, what it did becomes a record, and the record is judged by a question's checks.
//! The stages, each of which imports only those above it in this list:
//!
//! | module | responsible for |
//! | --- | --- |
//! | [`model`] | the vocabulary, plain data |
//! | `sys` | the system calls, and the only unsafe code |
//! | [`question`], [`schedule`] | question.toml to a question; which runs to make |
//! | [`submission`], [`observe`] | building what is graded; running it and recording what it did |
//! | [`runner`], [`validator`] | a submission and a question give run records |
//! | [`judge`] | records and a question give verdicts, points and explanations; pure |
//! | [`grading`] | a submission's whole way to its grade |
//! | [`author`] | new questions, programs whose verdict is known, proving questions sound |
//! | [`learner`] | what a learner has done so far |
//! | [`doctor`] | trying what works on this machine |
//! | [`report`] | a grade rendered into a writer |
//! | `watch` | the learner's loop |
//! | [`cli`] | arguments and commands; the only place that touches the terminal |

#[cfg(not(target_os = "linux"))]
compile_error!("the grader needs Linux: it uses the kernel's own means of following and steering processes");
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the grader needs x86-64 or 64-bit Arm: it reads and sets a process's registers");

pub mod author;
pub mod cli;
pub mod doctor;
pub mod grading;
pub mod judge;
pub mod learner;
pub mod model;
pub mod observe;
pub mod question;
pub mod report;
pub mod runner;
pub mod schedule;
pub mod submission;
mod sys;
pub mod validator;
mod watch;
