//! Values to bytes.

use serde::ser::{self, Serialize};

use super::{ATTACHED, ATTACHED_FROM, Error, LONG, numbers};
use crate::ipc::attachments::{self, Attachment, Outgoing};

/// Appends the value's bytes. What was appended before an error stays: the caller knows where it began.
#[inline]
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), Error> {
    Encoder { buffer, outgoing: None }.write(value)
}

/// The same for a value that may have memory to go along, which is added to `outgoing`.
#[inline]
pub(crate) fn encode_with<T: Serialize + ?Sized>(
    value: &T,
    buffer: &mut Vec<u8>,
    outgoing: &mut Outgoing,
) -> Result<(), Error> {
    Encoder { buffer, outgoing: Some(outgoing) }.write(value)
}

struct Encoder<'a> {
    buffer: &'a mut Vec<u8>,
    /// What goes along; `None` where nothing can.
    outgoing: Option<&'a mut Outgoing>,
}

impl Encoder<'_> {
    #[inline(always)]
    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match numbers::bytes_of(value) {
            Some((_, bytes)) if bytes.len() >= ATTACHED_FROM && self.attach_bytes(bytes) => Ok(()),
            Some((length, bytes)) => {
                self.put_length(length)?;
                self.put(bytes)
            }
            None => value.serialize(self),
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            make_room(self.buffer, bytes.len())?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what may be an attachment: then a number stands for it.
    #[cold]
    fn attach<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (written, given) = attachments::ask(|| value.serialize(&mut *self));
        written?;
        let Some(memory) = given else { return Ok(()) };
        let outgoing = self.outgoing.as_mut().ok_or(Error::NotAttached)?;
        if outgoing.len() == attachments::MOST {
            return Err(Error::TooManyAttached);
        }
        let number = outgoing.add(Attachment::Sealed(memory));
        self.put(&number.to_le_bytes())
    }

    /// Attaches long bytes; `false` if they have to go among the others.
    #[cold]
    fn attach_bytes(&mut self, value: &[u8]) -> bool {
        let outgoing = self.outgoing.as_mut().filter(|outgoing| outgoing.len() < attachments::MOST / 2);
        let Some(number) = outgoing.and_then(|outgoing| outgoing.add_copy(value)) else { return false };
        self.put(&[ATTACHED]).and_then(|()| self.put(&number.to_le_bytes())).is_ok()
    }

    #[inline]
    fn put_length(&mut self, length: usize) -> Result<(), Error> {
        match u8::try_from(length) {
            Ok(short) if short < ATTACHED => self.put(&[short]),
            _ => {
                self.put(&[LONG])?;
                self.put(&(length as u64).to_le_bytes())
            }
        }
    }
}

/// A value too large for the memory there is must not end the process.
#[cold]
#[inline(never)]
fn make_room(buffer: &mut Vec<u8>, bytes: usize) -> Result<(), Error> {
    buffer.try_reserve(bytes).map_err(|_| Error::NoMemory)
}

/// The methods for numbers, which go as they are.
macro_rules! numbers {
    ($($method:ident: $number:ty),* $(,)?) => {
        $(
            #[inline]
            fn $method(self, value: $number) -> Result<(), Error> {
                self.put(&value.to_le_bytes())
            }
        )*
    };
}

impl ser::Serializer for &mut Encoder<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64,
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.put(&[u8::from(value)])
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.put(&u32::from(value).to_le_bytes())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        if value.len() >= ATTACHED_FROM && self.attach_bytes(value) {
            return Ok(());
        }
        self.put_length(value.len())?;
        self.put(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_bool(false)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.put(&[1])?;
        self.write(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        number: u32,
        _variant: &'static str,
    ) -> Result<(), Error> {
        self.put_length(number as usize)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == attachments::NAME { self.attach(value) } else { self.write(value) }
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        number: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.put_length(number as usize)?;
        self.write(value)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Error> {
        self.put_length(length.ok_or(Error::NoLength)?)?;
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        number: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, Error> {
        self.put_length(number as usize)?;
        Ok(self)
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self, Error> {
        self.serialize_seq(length)
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, Error> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self, Error> {
        self.serialize_tuple_variant(name, number, variant, length)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What stands in something goes one after the other, whatever it stands in.
macro_rules! parts {
    ($($part:ident: $method:ident),* $(,)?) => {
        $(
            impl ser::$part for &mut Encoder<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                    self.write(value)
                }

                #[inline]
                fn end(self) -> Result<(), Error> {
                    Ok(())
                }
            }
        )*
    };
}

parts! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// The same where the parts have names, which both sides know.
macro_rules! fields {
    ($($part:ident),* $(,)?) => {
        $(
            impl ser::$part for &mut Encoder<'_> {
                type Ok = ();
                type Error = Error;

                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(
                    &mut self,
                    _name: &'static str,
                    value: &T,
                ) -> Result<(), Error> {
                    self.write(value)
                }

                /// Derived code asks for this where `skip_serializing_if` has a field left out.
                #[cold]
                fn skip_field(&mut self, name: &'static str) -> Result<(), Error> {
                    Err(Error::LeftOut(name.into()))
                }

                #[inline]
                fn end(self) -> Result<(), Error> {
                    Ok(())
                }
            }
        )*
    };
}

fields! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for &mut Encoder<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.write(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.write(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}
