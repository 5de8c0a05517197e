//! Enums of many shapes, with generated values.

use std::collections::BTreeMap;

use datagrammar::Message;
use proptest_derive::Arbitrary;
use serde::{Deserialize, Serialize};
use wincode::{SchemaRead, SchemaWrite};

/// Declares an enum three times: for each codec of this crate, and for wincode.
macro_rules! enums {
    ($( $plain:ident / $postcard:ident { $($variants:tt)+ } )+) => { $(
        enums! { @one $plain (datagrammar::codec::Bincode) [] $($variants)+ }
        enums! { @one $postcard (datagrammar::codec::Postcard) [] $($variants)+ }
    )+ };
    (@one $name:ident ($codec:path) [$($done:tt)*]) => {
        #[derive(Message, Arbitrary, SchemaRead, SchemaWrite, Debug, Clone, PartialEq)]
        #[message(codec = $codec)]
        pub(crate) enum $name { $($done)* }
    };
    (@one $name:ident $codec:tt [$($done:tt)*]
        $tag:literal $variant:ident $(($($tuple:tt)*))? $({$($named:tt)*})?, $($rest:tt)*
    ) => {
        enums! {
            @one $name $codec
            [
                $($done)*
                #[message(tag = $tag)]
                #[wincode(tag = $tag)]
                $variant $(($($tuple)*))? $({$($named)*})?,
            ]
            $($rest)*
        }
    };
}

#[derive(Serialize, Deserialize, Arbitrary, SchemaRead, SchemaWrite, Debug, Clone, PartialEq)]
pub(crate) struct Point {
    x: i32,
    y: i64,
}

#[derive(Serialize, Deserialize, Arbitrary, SchemaRead, SchemaWrite, Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Empty,
    Circle(u8, Point),
    Named { name: String, at: Option<Point>, more: Vec<Point> },
}

enums! {
    Scalars / PostcardScalars {
        1 Nothing,
        2 Unsigned(u8, u16, u32, u64, u128),
        3 Signed { a: i8, b: i16, c: i32, d: i64, e: i128 },
        250 Sizes(usize, isize),
        251 Floats { single: f32, double: f64 },
        70_000 Text(bool, char, String),
    }
    Containers / PostcardContainers {
        4_294_967_295 Last(Vec<u64>),
        7 Bytes(Vec<u8>),
        9 OptionalBytes(Option<Vec<u8>>, u8),
        11 Array { key: [u8; 16], words: [u16; 3] },
        13 Nested(Vec<Vec<Option<String>>>),
        300 Map(BTreeMap<String, Vec<i16>>),
        65_535 BoxedBytes(Box<[u8]>, Box<u32>),
    }
    Compounds / PostcardCompounds {
        5 Shape(Shape),
        6 Shapes { of: Vec<Shape>, first: Option<Shape> },
        8 Tuple((u8, (bool, String), Point)),
        10 Many {
            a: u8, b: u64, c: i32, d: bool, e: char, f: String, g: Vec<u8>, h: Option<u8>, i: [u8; 2],
            j: Point,
        },
    }
}
