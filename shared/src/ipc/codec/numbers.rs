//! Vectors of numbers, copied as a whole.
//!
//! serde hands out a vector element by element, which takes many times as long as to copy it. So wherever the type
//! of a value is known before serde is asked, it is looked whether that is a vector of numbers. The bytes are the
//! same either way, so each side may come by the short way or by the long one: serde itself sees to a vector in a
//! `Box`, say.

use std::any::type_name;
use std::marker::PhantomData;

use bytemuck::{Pod, cast_slice, pod_read_unaligned};
use castaway::cast;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::Error;
use super::decode::Decoder;

/// Whether the bytes of numbers are as they are sent: least significant first, and pointers of eight.
const ARE_ALIKE: bool = cfg!(all(target_endian = "little", target_pointer_width = "64"));

/// Does something for each type of number.
macro_rules! for_each_number {
    ($number:ident => $what:block) => {
        for_each_number!(@ $number $what u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64)
    };
    (@ $number:ident $what:block $($each:ty)*) => {
        $({
            type $number = $each;
            $what
        })*
    };
}

/// Whether a value of this size may be a vector. It spares builds that are not optimised most of the looks.
#[inline(always)]
const fn may_be_vector(size: usize) -> bool {
    ARE_ALIKE && size == size_of::<Vec<u8>>()
}

/// The bytes of a vector of numbers, and how many numbers they are; `None` if the value is none.
#[inline(always)]
pub(super) fn bytes_of<T: ?Sized>(value: &T) -> Option<(usize, &[u8])> {
    if may_be_vector(size_of_val(value)) {
        for_each_number!(Number => {
            if let Ok(numbers) = cast!(value, &Vec<Number>) {
                return Some((numbers.len(), cast_slice(numbers)));
            }
        });
    }
    None
}

/// Takes a vector of numbers off the front; `None`, and nothing taken, if `T` is none.
#[inline(always)]
pub(super) fn take<T>(decoder: &mut Decoder<'_>) -> Result<Option<T>, Error> {
    let mut value: Option<T> = None;
    if may_be_vector(size_of::<T>()) {
        for_each_number!(Number => {
            if let Ok(value) = cast!(&mut value, &mut Option<Vec<Number>>) {
                *value = Some(numbers(decoder)?);
            }
        });
    }
    Ok(value)
}

/// The same for what this seed makes, if it makes it as the type itself says.
#[inline(always)]
pub(super) fn take_for<'de, S: DeserializeSeed<'de>>(
    _seed: &S,
    decoder: &mut Decoder<'de>,
) -> Result<Option<S::Value>, Error> {
    if may_be_vector(size_of::<S::Value>()) && type_name::<S>() == type_name::<PhantomData<S::Value>>() {
        take(decoder)
    } else {
        Ok(None)
    }
}

#[inline(never)]
fn numbers<N: Pod>(decoder: &mut Decoder<'_>) -> Result<Vec<N>, Error> {
    if let Some(numbers) = decoder.take_attached()? {
        return Ok(numbers);
    }
    let length = decoder.take_length()?;
    let bytes = length.checked_mul(size_of::<N>()).ok_or(Error::TooShort)?;
    let bytes = decoder.take_slice(bytes)?;
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(length).map_err(|_| Error::NoMemory)?;
    numbers.extend(bytes.chunks_exact(size_of::<N>()).map(pod_read_unaligned::<N>));
    Ok(numbers)
}

/// Has a visitor see numbers one by one which the other side has attached as a whole.
pub(super) fn visit<'de, V: Visitor<'de>>(mut bytes: &[u8], visitor: V) -> Result<V::Value, Error> {
    let value = visitor.visit_seq(Row(&mut bytes))?;
    if bytes.is_empty() { Ok(value) } else { Err(Error::Wrong) }
}

/// Numbers of one type, which whoever reads them knows.
struct Row<'a, 'b>(&'a mut &'b [u8]);

impl<'de> SeqAccess<'de> for Row<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let left = self.0.len();
        if left == 0 {
            return Ok(None);
        }
        let element = seed.deserialize(First(self.0))?;
        // Of elements that are no numbers, and take none, there would be no end.
        if self.0.len() == left { Err(Error::Wrong) } else { Ok(Some(element)) }
    }
}

/// The first number of a row.
struct First<'a, 'b>(&'a mut &'b [u8]);

impl First<'_, '_> {
    fn take<const N: usize>(self) -> Result<[u8; N], Error> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Error::Wrong)?;
        *self.0 = rest;
        Ok(*first)
    }
}

impl<'de> Deserializer<'de> for First<'_, '_> {
    type Error = Error;

    visit_numbers!();

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::Wrong)
    }

    serde::forward_to_deserialize_any! {
        bool char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};

    use super::super::{ATTACHED_FROM, LONG, decode, encode, encode_with};
    use super::*;
    use crate::ipc::attachments::{self, Outgoing};

    /// The bytes of a value, and how many attachments go with it; and what these bytes are for another type.
    fn read_as<T: Serialize, U: DeserializeOwned>(value: &T) -> (usize, Result<U, Error>) {
        let (mut bytes, mut outgoing) = (Vec::new(), Outgoing::default());
        encode_with(value, &mut bytes, &mut outgoing).unwrap();
        let attached = outgoing.take();
        (attached.len(), attachments::with(&attached, || decode(&bytes)))
    }

    fn crosses<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, attached: usize) {
        let read = read_as(&value);
        // Long vectors are nothing to be printed.
        assert!(read == (attached, Ok(value)), "{}, {attached} attached", type_name::<T>());
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Metres(f64);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Track {
        name: String,
        places: Vec<f64>,
        counts: Option<Vec<u8>>,
    }

    /// Takes nothing of what it is read from.
    #[derive(Debug, PartialEq)]
    struct Nothing;

    impl<'de> Deserialize<'de> for Nothing {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Nothing, D::Error> {
            Ok(Nothing)
        }
    }

    #[test]
    fn vectors_of_each_type_cross_whatever_their_length() {
        for length in [0, 1, 253, 254, 1_000, ATTACHED_FROM] {
            for_each_number!(Number => {
                let numbers: Vec<Number> = (0..length).map(|number| number as u8 as Number).collect();
                crosses(numbers, usize::from(length * size_of::<Number>() >= ATTACHED_FROM));
            });
        }
        let extremes = vec![f64::MIN, f64::INFINITY, -0.0, f64::MIN_POSITIVE];
        crosses((extremes, vec![i128::MIN, i128::MAX], vec![usize::MAX]), 0);
    }

    #[test]
    fn each_side_may_come_by_the_short_way_or_by_the_long_one() {
        for length in [3, ATTACHED_FROM] {
            let vector = vec![1.5; length];
            let boxed: Box<[f64]> = vector.clone().into();
            let wrapped = || (0..length).map(|_| Metres(1.5)).collect::<Vec<_>>();
            assert!(read_as(&boxed) == (0, Ok(vector.clone())));
            let attached = usize::from(length == ATTACHED_FROM);
            assert!(read_as(&vector) == (attached, Ok(boxed.clone())));
            assert!(read_as(&vector) == (attached, Ok(wrapped())));
            assert!(read_as(&wrapped()) == (0, Ok(vector.clone())));
            let track = |places| Track { name: "x".into(), places, counts: Some(vec![7; length]) };
            crosses(vec![track(vector.clone()), track(Vec::new())], 3 * attached);
        }
    }

    #[test]
    fn numbers_of_another_width_are_an_error() {
        let odd = vec![1_u8; ATTACHED_FROM + 1];
        assert!(read_as::<_, Vec<u64>>(&odd) == (1, Err(Error::Wrong)));
        assert!(read_as::<_, Box<[u64]>>(&odd) == (1, Err(Error::Wrong)));
        assert!(read_as::<_, Vec<(u8, char)>>(&odd) == (1, Err(Error::Wrong)));
        assert!(read_as::<_, Vec<Nothing>>(&odd) == (1, Err(Error::Wrong)));
        assert!(read_as::<_, Vec<u64>>(&vec![1_u8; 9]) == (0, Err(Error::TooShort)));
    }

    #[test]
    fn a_length_that_nothing_stands_behind_takes_no_memory() {
        let claim = [&[LONG][..], &u64::MAX.to_le_bytes(), &[0; 8]].concat();
        assert_eq!(decode::<Vec<u64>>(&claim), Err(Error::TooShort));
        assert_eq!(decode::<Vec<u8>>(&claim), Err(Error::TooShort));
    }

    proptest! {
        #[test]
        fn vectors_in_vectors_are_as_serde_would_write_them(numbers: Vec<Vec<i32>>, more: Vec<u8>) {
            let boxed: Vec<Box<[i32]>> = numbers.iter().cloned().map(Vec::into_boxed_slice).collect();
            let (mut short, mut long) = (Vec::new(), Vec::new());
            encode(&(&numbers, &more), &mut short).unwrap();
            encode(&(&boxed, more.as_slice()), &mut long).unwrap();
            prop_assert_eq!(short, long);
            crosses((numbers, more), 0);
        }
    }
}
