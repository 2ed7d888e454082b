//! Bytes to values. Whatever the bytes are, they give a value or an error.

use std::io;

use bytemuck::Pod;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use super::{ATTACHED, Error, LONG, numbers};
use crate::ipc::attachments;

/// Reads a value that takes up all the bytes.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut decoder = Decoder { rest: bytes };
    let value = decoder.read()?;
    if decoder.rest.is_empty() { Ok(value) } else { Err(Error::TooLong) }
}

/// Reads a value off the front; gives what is behind it as well.
pub(crate) fn take_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), Error> {
    let mut decoder = Decoder { rest: bytes };
    let value = decoder.read()?;
    Ok((value, decoder.rest))
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::Wrong)
}

pub(super) struct Decoder<'de> {
    rest: &'de [u8],
}

impl<'de> Decoder<'de> {
    #[inline(always)]
    fn read<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        match numbers::take(self)? {
            Some(numbers) => Ok(numbers),
            None => T::deserialize(self),
        }
    }

    #[inline(always)]
    fn read_by<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        match numbers::take_for(&seed, self)? {
            Some(numbers) => Ok(numbers),
            None => seed.deserialize(self),
        }
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Error::TooShort)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    fn take_flag(&mut self) -> Result<bool, Error> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Error::Wrong),
        }
    }

    #[inline]
    pub(super) fn take_length(&mut self) -> Result<usize, Error> {
        match self.take()? {
            [ATTACHED] => Err(Error::Wrong),
            // No value takes more bytes than that, and of elements without bytes nobody is to count more.
            [LONG] => match u32::try_from(u64::from_le_bytes(self.take()?)) {
                Ok(length) => Ok(length as usize),
                Err(_) => Err(Error::TooShort),
            },
            [short] => Ok(usize::from(short)),
        }
    }

    #[inline]
    fn take_bytes(&mut self) -> Result<&'de [u8], Error> {
        let length = self.take_length()?;
        self.take_slice(length)
    }

    #[inline]
    pub(super) fn take_slice(&mut self, length: usize) -> Result<&'de [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Error::TooShort)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The bytes, or numbers, that stand here if they are attached.
    #[inline]
    pub(super) fn take_attached<N: Pod>(&mut self) -> Result<Option<Vec<N>>, Error> {
        if self.rest.first() == Some(&ATTACHED) { self.find_attached().map(Some) } else { Ok(None) }
    }

    #[cold]
    fn find_attached<N: Pod>(&mut self) -> Result<Vec<N>, Error> {
        let [_, number @ ..] = self.take::<5>()?;
        let memory = attachments::take(u32::from_le_bytes(number)).ok_or(Error::NotThere)?;
        memory.to_vec().map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => Error::NoMemory,
            io::ErrorKind::InvalidData => Error::Wrong,
            // Somebody has closed the descriptor meanwhile.
            _ => Error::NotThere,
        })
    }

    fn parts(&mut self, left: usize) -> Parts<'_, 'de> {
        Parts { decoder: self, left }
    }
}

impl<'de> de::Deserializer<'de> for &mut Decoder<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::NotDescribed)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::NotDescribed)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::NotDescribed)
    }

    visit_numbers!();

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.take_flag()?)
    }

    #[inline]
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = u32::from_le_bytes(self.take()?);
        visitor.visit_char(char::from_u32(number).ok_or(Error::Wrong)?)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.take_attached()? {
            Some(bytes) => visitor.visit_string(String::from_utf8(bytes).map_err(|_| Error::Wrong)?),
            None => visitor.visit_borrowed_str(text(self.take_bytes()?)?),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.take_attached()? {
            Some(bytes) => visitor.visit_byte_buf(bytes),
            None => visitor.visit_borrowed_bytes(self.take_bytes()?),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.take_flag()? { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == attachments::NAME {
            return attachments::ask(|| visitor.visit_newtype_struct(self)).0;
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Some(bytes) = self.take_attached()? {
            return numbers::visit(&bytes, visitor);
        }
        let length = self.take_length()?;
        visitor.visit_seq(self.parts(length))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.parts(length))
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(self.parts(length))
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let length = self.take_length()?;
        visitor.visit_map(self.parts(length))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(self.parts(fields.len()))
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What stands in something, one after the other.
struct Parts<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.decoder.read_by(seed).map(Some)
    }

    /// A length is nothing but a claim: whoever makes room for it makes none for more than there are bytes.
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.rest.len()))
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        de::SeqAccess::next_element_seed(self, seed)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.decoder.read_by(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        de::SeqAccess::size_hint(self)
    }
}

impl<'de> de::EnumAccess<'de> for &mut Decoder<'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let number = u32::try_from(self.take_length()?).map_err(|_| Error::Wrong)?;
        let variant = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(number))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Decoder<'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.read_by(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.parts(length))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(self.parts(fields.len()))
    }
}
