//! Values to bytes and back, by serde in postcard's form.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the value's bytes. What was appended before an error stays: the caller knows where it began.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> postcard::Result<()> {
    postcard::serialize_with_flavor(value, Append(buffer))
}

/// Reads a value that takes up all the bytes.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> postcard::Result<T> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(postcard::Error::DeserializeBadEncoding) }
}

/// Lets postcard write at the end of a vector that holds something already.
struct Append<'a>(&'a mut Vec<u8>);

impl Append<'_> {
    /// A value too large for the memory there is must not end the process.
    fn make_room(&mut self, bytes: usize) -> postcard::Result<()> {
        self.0.try_reserve(bytes).map_err(|_| NO_MEMORY)
    }
}

/// What stands for a lack of memory among the errors of the codec.
pub(crate) const NO_MEMORY: postcard::Error = postcard::Error::SerializeBufferFull;

impl Flavor for Append<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.0.len() == self.0.capacity() {
            self.make_room(1)?;
        }
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.make_room(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
