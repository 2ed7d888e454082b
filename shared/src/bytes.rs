//! Bytes that cross between processes without being copied.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::ipc::attachments::{self, Attachment};
use crate::sys::sealed::{Sealed, Unsealed};

/// Bytes that several processes read in place. The counterpart of Python's `SharedMemory`, for reading.
///
/// What crosses is a descriptor, however many bytes there are: the worker reads the caller's memory, and the
/// caller the worker's. So it takes the time to write the bytes once, and to read what is read. Copies of the
/// value share the memory, which is given back when the last process has dropped the last one, or has ended.
///
/// The bytes are written beforehand, by [`SharedBytesMut`], and by nobody as long as anybody has them: the kernel lets
/// no process get hold of them for writing, nor cut them off
/// ([`fcntl(2)`](https://man7.org/linux/man-pages/man2/F_ADD_SEALS.2const.html)), and the one that has made them can only
/// read them from then on.
///
/// A mebibyte or more takes the kernel longer to find than the program to write. While there is a pool, a process
/// therefore keeps such memory for a second after its last use, up to 512 MiB in 32 pieces, and writes the next bytes
/// of the same length there once nobody else has the former ones.
///
/// They begin where a page does, so numbers of any type can stand in them: with
/// [`bytemuck::cast_slice`](https://docs.rs/bytemuck/latest/bytemuck/fn.cast_slice.html), `&bytes[..]` is a `&[f64]`, as
/// Python's `Array('d')` is.
///
/// They cross as an argument or a result, or as part of one, up to 240 of them in each. Each takes a descriptor, two
/// where it was made from a mebibyte on, and a whole number of pages, so for less than some ten thousand bytes a
/// `Vec<u8>` is quicker. To any other serializer they are an error.
///
/// ```
/// # multiprocessing::init();
/// use multiprocessing::{Pool, SharedBytes, SharedBytesMut};
///
/// let double = |bytes: SharedBytes| {
///     let mut doubled = SharedBytesMut::zeroed(bytes.len()).unwrap();
///     doubled.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = 2 * from);
///     doubled.freeze().unwrap()
/// };
/// let mut bytes = SharedBytesMut::zeroed(1 << 20).unwrap();
/// bytes.fill(21);
/// let doubled = Pool::new(1)?.apply(double, bytes.freeze().unwrap())?;
/// assert!(doubled.iter().all(|byte| *byte == 42));
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct SharedBytes(Option<Wire>);

impl SharedBytes {
    /// Copies these bytes into memory that can be shared.
    ///
    /// # Errors
    ///
    /// What the system says if it has no memory or no descriptor for them.
    pub fn copy_from_slice(bytes: &[u8]) -> io::Result<SharedBytes> {
        SharedBytesMut(if bytes.is_empty() { None } else { Some(Unsealed::copy(bytes)?) }).freeze()
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_ref().map_or_else(|| &*nothing(), |Wire(memory)| memory)
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &SharedBytes) -> bool {
        **self == **other
    }
}

impl Eq for SharedBytes {}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBytes").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Bytes that are written in place, to be [`SharedBytes`] afterwards.
///
/// [`freeze`](SharedBytesMut::freeze) ends the writing and copies nothing. See [`SharedBytes`] for an example.
///
/// They belong to the process that has made them. In a copy of it by fork, and so in what the fork server starts if they
/// were made before [`init`](crate::init), do not use them: from a mebibyte on, to do so panics.
pub struct SharedBytesMut(Option<Unsealed>);

impl SharedBytesMut {
    /// So many bytes, all of them zero.
    ///
    /// # Errors
    ///
    /// What the system says if it has no room for them, or no descriptor. Memory is taken only as bytes are
    /// written: where there is too little then, the process is killed.
    pub fn zeroed(length: usize) -> io::Result<SharedBytesMut> {
        Ok(SharedBytesMut(if length == 0 { None } else { Some(Unsealed::zeroed(length)?) }))
    }

    /// The same bytes, to be shared and written no more.
    ///
    /// # Errors
    ///
    /// What the system says if it has no room to map them anew.
    pub fn freeze(self) -> io::Result<SharedBytes> {
        let sealed = self.0.map(Unsealed::seal).transpose()?;
        Ok(SharedBytes(sealed.map(|sealed| Wire(Arc::new(sealed)))))
    }
}

impl Deref for SharedBytesMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_else(|| nothing())
    }
}

impl DerefMut for SharedBytesMut {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.0.as_deref_mut().unwrap_or_else(|| nothing())
    }
}

impl fmt::Debug for SharedBytesMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBytesMut").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Serialize for SharedBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SharedBytes, D::Error> {
        Option::deserialize(deserializer).map(SharedBytes)
    }
}

/// No bytes, where a page could begin.
fn nothing() -> &'static mut [u8] {
    #[repr(align(4096))]
    struct Page([u8; 0]);
    // What takes no memory leaks none.
    &mut Box::leak(Box::new(Page([]))).0
}

/// Why nobody else can write or read them.
const NOT_HERE: &str = "`SharedBytes` cross only in the arguments and results of this library's calls";

/// The memory, as it shows itself to the library's codec.
#[derive(Clone)]
struct Wire(Arc<Sealed>);

impl Serialize for Wire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Inside<'a>(&'a Arc<Sealed>);
        impl Serialize for Inside<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if attachments::give(self.0) {
                    serializer.serialize_unit()
                } else {
                    Err(S::Error::custom(NOT_HERE))
                }
            }
        }
        serializer.serialize_newtype_struct(attachments::NAME, &Inside(&self.0))
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wire, D::Error> {
        struct Number;
        impl<'de> Visitor<'de> for Number {
            type Value = Wire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("shared memory")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Wire, D::Error> {
                if !attachments::is_asked() {
                    return Err(D::Error::custom(NOT_HERE));
                }
                let memory = attachments::take(u32::deserialize(deserializer)?).and_then(Attachment::sealed);
                let lost =
                    "the memory of `SharedBytes` did not come along: there was no room for its descriptor";
                memory.map(Wire).ok_or_else(|| D::Error::custom(lost))
            }
        }
        deserializer.deserialize_newtype_struct(attachments::NAME, Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_type_can_stand_in_them() {
        for length in [0, 16, 1 << 20] {
            let mut bytes = SharedBytesMut::zeroed(length).unwrap();
            assert_eq!(bytemuck::cast_slice_mut::<u8, u128>(&mut bytes).len(), length / 16);
            assert_eq!(bytemuck::cast_slice::<u8, u128>(&bytes).len(), length / 16);
            assert_eq!(bytemuck::cast_slice::<u8, u128>(&bytes.freeze().unwrap()).len(), length / 16);
        }
        assert!(bytemuck::cast_slice::<u8, u128>(&SharedBytes::default()).is_empty());
    }

    #[test]
    fn another_serializer_is_told_that_it_cannot() {
        let bytes = SharedBytes::copy_from_slice(b"here").unwrap();
        assert_eq!(serde_json::to_string(&bytes).unwrap_err().to_string(), NOT_HERE);
        let error = serde_json::from_str::<SharedBytes>("0").unwrap_err().to_string();
        assert!(error.starts_with(NOT_HERE), "{error}");
    }
}
