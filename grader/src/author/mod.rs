//! The instructor's side: new questions, programs whose verdict is known, and proving questions sound.
//!
//! Nothing here touches the terminal.

mod check;
mod fixture;
mod name;
mod new;
mod template;

pub use check::{Progress as CheckProgress, check};
pub use fixture::{Fixture, Found, python};
pub use name::NameError;
pub use new::{NewError, new};
pub use template::{Template, UnknownTemplate};
