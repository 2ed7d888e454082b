//! Panics as data: what a function that panicked said, and where.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Where the last panic of this thread happened, told by the hook.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Whether that was told. Looked at before each call, which is to cost next to nothing.
    static IS_LOCATED: Cell<bool> = const { Cell::new(false) };
    /// Whether a panic of this thread is caught and reported, so that nobody needs to see it on standard
    /// error.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// A panic that was caught.
pub(crate) struct Caught {
    pub(crate) message: String,
    /// File, line and column, if the hook of [`install_hook`] was still the program's hook.
    pub(crate) location: Option<String>,
}

/// Makes panics of this process leave their place where [`catch`] finds it.
///
/// Panics are still printed as usual, except in a quiet process those that [`catch`] catches.
pub(crate) fn install_hook(quiet: bool) {
    static INSTALLED: Once = Once::new();
    // Where a panic ends the process at once there is nobody to catch it, and nobody else who could tell.
    QUIET.set(quiet && cfg!(panic = "unwind"));
    INSTALLED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            LOCATION.set(info.location().map(ToString::to_string));
            IS_LOCATED.set(true);
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
}

/// Calls the function; a panic comes back as a value.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, Caught> {
    if IS_LOCATED.take() {
        LOCATION.set(None);
    }
    // What the function leaves half done is not looked at again: its outcome is taken back, its data dropped.
    panic::catch_unwind(AssertUnwindSafe(function)).map_err(|payload| {
        let location = LOCATION.take();
        Caught { message: message(payload), location }
    })
}

/// What the panic said. Dropping a payload may panic once more, and that payload is then left alone.
fn message(payload: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is not text".to_owned()
    };
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    message
}
