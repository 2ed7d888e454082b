//! Memory that goes along with a value by its descriptor, and not among its bytes.
//!
//! serde has no word for that. So a value that has such memory shows itself to this library's codec by a name
//! ([`NAME`]); the codec [`ask`]s for the memory and writes a number in its place, and the descriptors go with
//! the frame that brings the bytes. On the other side [`with`] says what has come, and the codec asks again.
//! Nobody else's serializer asks, and the value can say so.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use bytemuck::Pod;

use super::lent::{Kept, Lent};
use crate::sys::huge;
use crate::sys::sealed::Sealed;

/// The name by which a value says that it has memory to go along.
pub(crate) const NAME: &str = "multiprocessing::SharedBytes";

/// As many as can go with a value: with a letter, they are beside all else that a new process is given (SCM_MAX_FD is
/// 253, unix(7)).
pub(crate) const MOST: usize = 240;

/// As many as can go with a frame: those of its values, and the memory of its payload.
pub(crate) const MOST_OF_FRAME: usize = MOST + 1;

/// Memory that goes along.
#[derive(Clone, Debug)]
pub(crate) enum Attachment {
    /// Nobody can change it, so it can be read in place.
    Sealed(Arc<Sealed>),
    /// It has to be copied.
    Lent(Arc<Lent>),
}

impl Attachment {
    /// What another process has sent.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Attachment> {
        if Sealed::is_sealed(file.as_fd()) {
            Sealed::open(file).map(Arc::new).map(Attachment::Sealed)
        } else {
            Lent::open(file).map(Arc::new).map(Attachment::Lent)
        }
    }

    /// What another process has sent, up to the first that is no memory: to it and what is behind it no value has a claim.
    pub(crate) fn open_all(files: impl IntoIterator<Item = OwnedFd>) -> Vec<Attachment> {
        files.into_iter().map_while(|file| Attachment::open(file).ok()).collect()
    }

    /// The memory, if it can be read in place.
    pub(crate) fn sealed(self) -> Option<Arc<Sealed>> {
        match self {
            Attachment::Sealed(memory) => Some(memory),
            Attachment::Lent(_) => None,
        }
    }

    /// A copy of the numbers in it; an error of kind `OutOfMemory` if there is no memory for it, and `InvalidData` if it
    /// is no row of such numbers.
    pub(crate) fn to_vec<N: Pod>(&self) -> io::Result<Vec<N>> {
        let length = match self {
            Attachment::Sealed(memory) => memory.len(),
            Attachment::Lent(memory) => memory.len(),
        };
        if !length.is_multiple_of(size_of::<N>()) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        huge::read(self.as_fd(), length / size_of::<N>())
    }
}

impl AsFd for Attachment {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Attachment::Sealed(memory) => memory.as_fd(),
            Attachment::Lent(memory) => memory.as_fd(),
        }
    }
}

/// What goes along with values that are being written.
#[derive(Default)]
pub(crate) struct Outgoing {
    attached: Vec<Attachment>,
    pub(crate) kept: Kept,
}

impl Outgoing {
    /// Whether nothing goes along so far.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.attached.is_empty()
    }

    /// How much goes along.
    pub(crate) fn len(&self) -> usize {
        self.attached.len()
    }

    /// Has memory go along; gives its number.
    pub(crate) fn add(&mut self, attachment: Attachment) -> u32 {
        self.attached.push(attachment);
        (self.attached.len() - 1) as u32
    }

    /// Has a copy of long bytes go along, if there is memory for it; gives its number.
    pub(crate) fn add_copy(&mut self, bytes: &[u8]) -> Option<u32> {
        let lent = self.kept.lend(bytes).map(Arc::new).map(Attachment::Lent);
        let copy = lent.or_else(|| Sealed::copy(&[bytes]).ok().map(Arc::new).map(Attachment::Sealed))?;
        Some(self.add(copy))
    }

    /// What goes along; nothing does any more.
    pub(crate) fn take(&mut self) -> Vec<Attachment> {
        std::mem::take(&mut self.attached)
    }
}

thread_local! {
    /// Whether the codec asks.
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
    /// What was given to it.
    static GIVEN: Cell<Option<Arc<Sealed>>> = const { Cell::new(None) };
    /// What came with what is being decoded.
    static CAME: RefCell<Vec<Attachment>> = const { RefCell::new(Vec::new()) };
}

/// For the codec: has a value written or read that may [`give`] or [`take`] an attachment meanwhile. Gives what
/// was given.
pub(crate) fn ask<T>(during: impl FnOnce() -> T) -> (T, Option<Arc<Sealed>>) {
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
pub(crate) fn give(memory: &Arc<Sealed>) -> bool {
    let is_asked = IS_ASKED.get();
    if is_asked {
        GIVEN.set(Some(Arc::clone(memory)));
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
    // What came with others, in the midst of which these are decoded, is none of theirs.
    if came.is_empty() && CAME.with_borrow(Vec::is_empty) {
        return decode();
    }
    let _before = Came(CAME.replace(came.to_vec()));
    decode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_what_came_with_them_and_nothing_of_those_around_them() {
        let memory = |bytes: &[u8]| Attachment::Sealed(Arc::new(Sealed::copy(&[bytes]).unwrap()));
        let length = |number| take(number).map(|memory| memory.sealed().unwrap().len());
        with(&[memory(b"a"), memory(b"bc")], || {
            with(&[], || assert_eq!([0, 1].map(length), [None, None]));
            with(&[memory(b"def")], || assert_eq!([0, 1].map(length), [Some(3), None]));
            assert_eq!([0, 1].map(length), [Some(1), Some(2)]);
        });
        assert_eq!(length(0), None);
    }
}
