//! A grade rendered into a writer.
//!
//! Reports read grades and write bytes; they neither judge nor know a terminal.
//! Wire formats are types of their own, so that a change of the model cannot change them unnoticed.

pub mod difference;
pub mod error;
pub mod json;
mod layout;
pub mod markdown;
pub mod overview;
pub mod record;
pub mod soundness;
pub mod text;
