//! Values to bytes and back, by serde, in a form made for two processes of one program.
//!
//! | value | bytes |
//! | --- | --- |
//! | integers, floats, `char` | as many as the type has, least significant first |
//! | `bool`, and whether an `Option` has something | one, 0 or 1 |
//! | the length of a text, of bytes, a sequence, a map | one up to 253; beyond, 255 and eight more |
//! | long text, bytes, and vectors of numbers, where memory can go along | 254 and four: which of the attachments they are ([`super::attachments`]) |
//! | the number of an enum's variant | as a length |
//! | structs, tuples, and all that is in something | one after the other |
//!
//! Nothing says what it is: both sides have the same types. Numbers are of fixed width, since a machine copies
//! eight bytes sooner than it finds out that three would do, and since values of one type then mostly have one
//! length, of which whole rows make use ([`super::records`]).

/// The methods that read numbers, which stand as they are, one `take` after the other.
macro_rules! visit_numbers {
    () => {
        visit_numbers! {
            deserialize_i8: visit_i8: i8, deserialize_i16: visit_i16: i16, deserialize_i32: visit_i32: i32,
            deserialize_i64: visit_i64: i64, deserialize_i128: visit_i128: i128,
            deserialize_u8: visit_u8: u8, deserialize_u16: visit_u16: u16, deserialize_u32: visit_u32: u32,
            deserialize_u64: visit_u64: u64, deserialize_u128: visit_u128: u128,
            deserialize_f32: visit_f32: f32, deserialize_f64: visit_f64: f64,
        }
    };
    ($($method:ident: $visit:ident: $number:ty),* $(,)?) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                visitor.$visit(<$number>::from_le_bytes(self.take()?))
            }
        )*
    };
}

mod decode;
mod encode;
mod numbers;

use serde::{Deserialize, Serialize};

pub(crate) use decode::{decode, take_first};
pub(crate) use encode::{encode, encode_with};

/// Stands before a length in eight bytes.
const LONG: u8 = u8::MAX;

/// Stands before the number of an attachment that has the bytes. Lengths from here on are [`LONG`].
const ATTACHED: u8 = LONG - 1;

/// Bytes from this length on are attached, where that is possible: so they are copied once here and once there,
/// where bytes among others are copied into these and with these, at both ends.
const ATTACHED_FROM: usize = 1 << 20;

/// Why a value did not become bytes, or bytes no value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is not enough memory")]
    NoMemory,
    #[error("a sequence or map does not say beforehand how long it is")]
    NoLength,
    #[error(
        "`skip_serializing_if` leaves out its field `{0}`, and the bytes do not say so; let that field be written always"
    )]
    LeftOut(Box<str>),
    #[error("its type asks what comes next, and the bytes do not say")]
    NotDescribed,
    #[error("the bytes end too early")]
    TooShort,
    #[error("bytes are left over")]
    TooLong,
    #[error("`SharedBytes` cross only in the arguments and results of calls")]
    NotAttached,
    #[error("long bytes did not come along: there was no memory or no descriptor for them")]
    NotThere,
    #[error("more than 240 `SharedBytes` are in it")]
    TooManyAttached,
    #[error("a byte is none that can stand there")]
    Wrong,
    /// What the type's own `Serialize` or `Deserialize` says.
    #[error("{0}")]
    Custom(Box<str>),
}

impl Error {
    fn custom(message: impl std::fmt::Display) -> Error {
        Error::Custom(message.to_string().into_boxed_str())
    }
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Error {
        Error::custom(message)
    }
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Error {
        Error::custom(message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::ipc::attachments;

    fn bytes_of<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).unwrap();
        bytes
    }

    fn crosses<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
        assert_eq!(decode::<T>(&bytes_of(value)).as_ref(), Ok(value));
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Nothing,
        One(i128),
        Two(char, f32),
        Named { text: String, deeper: Option<Box<Shape>> },
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let leaf = prop_oneof![
            Just(Shape::Nothing),
            any::<i128>().prop_map(Shape::One),
            (any::<char>(), -1e30_f32..1e30).prop_map(|(first, second)| Shape::Two(first, second)),
        ];
        leaf.prop_recursive(4, 8, 1, |inner| {
            (any::<String>(), prop::option::of(inner))
                .prop_map(|(text, deeper)| Shape::Named { text, deeper: deeper.map(Box::new) })
        })
    }

    type Numbers = ((u8, u16, u32, u64, u128), (i8, i16, i32, i64), (f64, bool, ()));

    proptest! {
        #[test]
        fn values_cross(
            shapes in prop::collection::vec(shape(), 0..10),
            numbers in prop::collection::vec(any::<Numbers>(), 0..3),
            map: BTreeMap<String, Option<u8>>,
        ) {
            crosses(&shapes);
            crosses(&map);
            for number in numbers {
                let number: Numbers = number;
                prop_assert_eq!(decode::<Numbers>(&bytes_of(&number)), Ok(number));
            }
        }

        /// Nor do they take more memory than there are bytes, or nearly so: a wrong length promises nothing.
        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes: Vec<u8>) {
            let _ = decode::<Vec<Shape>>(&bytes);
            let _ = decode::<BTreeMap<String, Option<Vec<u16>>>>(&bytes);
            let _ = decode::<(bool, char, Result<String, ()>)>(&bytes);
        }

        #[test]
        fn a_value_that_is_cut_off_or_followed_is_an_error(shape in shape(), more: u8) {
            let mut bytes = bytes_of(&shape);
            prop_assert!(decode::<Shape>(&bytes[..bytes.len() - 1]).is_err());
            bytes.push(more);
            prop_assert_eq!(decode::<Shape>(&bytes), Err(Error::TooLong));
            let (value, rest) = take_first::<Shape>(&bytes).unwrap();
            prop_assert_eq!((value, rest), (shape, std::slice::from_ref(&more)));
        }
    }

    #[test]
    fn numbers_take_their_width_and_lengths_a_byte_as_long_as_that_does() {
        assert_eq!(bytes_of(&(1_u64, -2_i16)), [1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff]);
        for length in [0, 1, 253, 254, 255, 256, 70_000, 2 << 20] {
            let text = "x".repeat(length);
            let head = if length < 254 { 1 } else { 9 };
            assert_eq!(bytes_of(&text).len(), head + length);
            crosses(&text);
        }
    }

    #[test]
    fn a_length_that_no_value_has_is_refused_though_its_elements_may_take_no_bytes() {
        for length in [1 << 32, u64::MAX] {
            let bytes = [&[LONG], length.to_le_bytes().as_slice()].concat();
            assert_eq!(decode::<Vec<()>>(&bytes), Err(Error::TooShort));
        }
        crosses(&vec![(); 1000]);
    }

    #[test]
    fn long_bytes_are_attached_where_that_is_possible() {
        let texts = ["x".repeat(ATTACHED_FROM), "y".repeat(3), "zü".repeat(ATTACHED_FROM)];
        let (mut bytes, mut outgoing) = (Vec::new(), attachments::Outgoing::default());
        encode_with(&texts, &mut bytes, &mut outgoing).unwrap();
        let attached = outgoing.take();
        assert_eq!((bytes.len(), attached.len()), (5 + 4 + 5, 2));
        attachments::with(&attached, || assert!(decode::<[String; 3]>(&bytes) == Ok(texts)));
        assert!(matches!(decode::<[String; 3]>(&bytes), Err(Error::NotThere)));
        let others = attachments::with(&attached, || decode::<(Vec<char>, String, String)>(&bytes));
        assert!(others.is_err());
    }

    #[test]
    fn a_field_that_is_left_out_is_an_error() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Sometimes {
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<u8>,
            chunks: Vec<Vec<u8>>,
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        enum Either {
            Named {
                #[serde(skip_serializing_if = "Option::is_none")]
                status: Option<u8>,
            },
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct OtherName {
            #[serde(alias = "before")]
            name: u8,
            other: u8,
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct BothWays {
            #[serde(skip)]
            here: u8,
            other: u8,
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        enum LastSkipped {
            #[serde(alias = "Before")]
            First,
            Second(u8),
            #[serde(skip)]
            #[expect(dead_code, reason = "it stands for what is never written")]
            Here,
        }
        let refused = Err(Error::LeftOut("status".into()));
        let chunks = vec![vec![1, 3, 7, 8, 9]];
        assert_eq!(encode(&Sometimes { status: None, chunks: chunks.clone() }, &mut Vec::new()), refused);
        assert_eq!(encode(&Either::Named { status: None }, &mut Vec::new()), refused);
        crosses(&Sometimes { status: Some(1), chunks });
        crosses(&Either::Named { status: Some(1) });
        crosses(&OtherName { name: 1, other: 2 });
        crosses(&[LastSkipped::First, LastSkipped::Second(3)]);
        crosses(&[BothWays { here: 0, other: 2 }, BothWays { here: 0, other: 3 }]);
    }

    #[test]
    fn what_has_no_length_or_no_type_is_refused() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq([1, 2, 3].iter().filter(|number| **number > 1))
            }
        }
        assert_eq!(encode(&Endless, &mut Vec::new()), Err(Error::NoLength));
        assert_eq!(decode::<serde_json::Value>(&[1]), Err(Error::NotDescribed));
    }
}
