//! The instructor's side: programs whose verdict is known.
//!
//! Nothing here touches the terminal.

mod fixture;

pub use fixture::{Fixture, Found, python};
