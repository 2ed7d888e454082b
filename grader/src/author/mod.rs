//! The instructor's side: new questions, programs whose verdict is known, proving questions sound, and the learner's
//! copy of the course.
//!
//! Nothing here touches the terminal.

mod check;
mod fixture;
mod name;
mod new;
mod package;
mod record;
mod release;
mod template;

pub use check::{CheckError, Progress as CheckProgress, check};
pub use fixture::{Fixture, Found, python};
pub use name::NameError;
pub use new::{NewError, new};
pub use record::{RecordError, Recording, record};
pub use release::{GIVEN, OF_AUTHORS, Release, ReleaseError, release};
pub use template::{Template, UnknownTemplate};
