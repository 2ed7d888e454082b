//! The instructor's side: programs whose verdict is known, and proving questions sound.
//!
//! Nothing here touches the terminal.

mod check;
mod fixture;

pub use check::{Progress as CheckProgress, check};
pub use fixture::{Fixture, Found, python};
