//! Memory that goes along with a value by its descriptor, and not among its bytes.
//!
//! serde has no word for that. So a value that has such memory shows itself to this library's codec by a name
//! ([`NAME`]); the codec [`ask`]s for the memory and writes a number in its place, and the descriptors go with
//! the frame that brings the bytes. On the other side [`with`] says what has come, and the codec asks again.
//! Nobody else's serializer asks, and the value can say so.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::sys::sealed::Sealed;

/// The name by which a value says that it has memory to go along.
pub(crate) const NAME: &str = "multiprocessing::SharedBytes";

/// As many as can go with a frame (SCM_MAX_FD, unix(7), and some to spare).
pub(crate) const MOST: usize = 250;

/// Memory that goes along.
pub(crate) type Attachment = Arc<Sealed>;

thread_local! {
    /// Whether the codec asks.
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
    /// What was given to it.
    static GIVEN: Cell<Option<Attachment>> = const { Cell::new(None) };
    /// What came with what is being decoded.
    static CAME: RefCell<Vec<Attachment>> = const { RefCell::new(Vec::new()) };
}

/// For the codec: has a value written or read that may [`give`] or [`take`] an attachment meanwhile. Gives what
/// was given.
pub(crate) fn ask<T>(during: impl FnOnce() -> T) -> (T, Option<Attachment>) {
    struct Asked(bool);
    impl Drop for Asked {
        fn drop(&mut self) {
            IS_ASKED.set(self.0);
        }
    }
    let asked = Asked(IS_ASKED.replace(true));
    let value = during();
    drop(asked);
    (value, GIVEN.take())
}

/// For the value, when it is written: gives its memory, if it is asked for.
#[must_use = "if nobody has asked, the memory does not go along"]
pub(crate) fn give(attachment: &Attachment) -> bool {
    let is_asked = IS_ASKED.get();
    if is_asked {
        GIVEN.set(Some(Arc::clone(attachment)));
    }
    is_asked
}

/// Whether the codec asks.
pub(crate) fn is_asked() -> bool {
    IS_ASKED.get()
}

/// For the value, when it is read: the memory of this number that came along.
pub(crate) fn take(number: u32) -> Option<Attachment> {
    CAME.with_borrow(|came| came.get(number as usize).cloned())
}

/// Has values decoded with which these came.
pub(crate) fn with<T>(came: &[Attachment], decode: impl FnOnce() -> T) -> T {
    struct Came(Vec<Attachment>);
    impl Drop for Came {
        fn drop(&mut self) {
            CAME.set(std::mem::take(&mut self.0));
        }
    }
    if came.is_empty() {
        return decode();
    }
    let _before = Came(CAME.replace(came.to_vec()));
    decode()
}
