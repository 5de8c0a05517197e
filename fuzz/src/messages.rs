//! Messages with all kinds of fields, and a protocol.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use datagrammar::{Message, Protocol, Unknown};
use serde::{Deserialize, Serialize};

/// Travels through serde.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) x: i32,
    pub(crate) label: Option<String>,
    pub(crate) corners: Vec<(u8, u64)>,
}

/// Travels through serde, and contains itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Shape {
    Empty,
    Circle(Point),
    Group(Vec<Self>),
    Named { name: String, shape: Box<Self> },
}

/// Every kind of field.
#[derive(Debug, Message)]
#[message(extensible)]
pub(crate) enum Fields<'a> {
    #[message(tag = 1)]
    Nothing,
    #[message(tag = 2)]
    Numbers(u8, i8, u16, i16, u32, i32, u64, i64),
    #[message(tag = 3)]
    Scalars { wide: u128, float: f64, flag: bool, letter: char, port: NonZeroU16 },
    #[message(tag = 4)]
    Borrows {
        text: &'a str,
        bytes: &'a [u8],
        optional: Option<&'a str>,
        cow: Cow<'a, [u8]>,
        #[message(rest)]
        rest: &'a [u8],
    },
    #[message(tag = 5)]
    Owned { text: String, bytes: Vec<u8>, numbers: Vec<u32>, pairs: BTreeMap<String, Vec<u16>> },
    #[message(tag = 6)]
    Standard { time: SystemTime, span: Duration, ip: IpAddr, path: PathBuf, range: Range<u64> },
    #[message(tag = 7)]
    Serde { shape: Shape, points: [Point; 2], names: BTreeSet<String>, units: Vec<()> },
    #[message(tag = 8)]
    Nested {
        #[message(nested)]
        first: Box<Self>,
        #[message(nested)]
        others: Vec<Self>,
        #[message(default)]
        later: Option<u32>,
    },
    #[message(tag = 0x1_0000)]
    Behind {
        count: u32,
        #[message(nested, rest)]
        inner: Strict,
    },
    #[message(other)]
    Newer(Unknown<'a>),
}

/// The other codec, no evolution, and an unknown variant that is dropped.
#[derive(Debug, Message)]
#[message(codec = datagrammar::codec::Postcard)]
pub(crate) enum Strict {
    #[message(tag = 1)]
    Text(String, Vec<Option<i64>>),
    #[message(tag = 300)]
    Tree(u8, #[message(nested)] Vec<Self>),
    #[message(tag = 4)]
    Shape(Shape, [u8; 3]),
    #[message(other)]
    Other,
}

/// Calls of every kind.
#[derive(Debug, Message, Protocol)]
pub(crate) enum Calls<'a> {
    #[message(tag = 1, reply = Result<Text<'_>, Refused>)]
    Echo { text: &'a str },
    #[message(tag = 2, items = Text<'_>)]
    Repeat { text: &'a str, times: u16 },
    #[message(tag = 3)]
    Note { text: &'a str },
}

#[derive(Debug, Message)]
#[message(tag = 1, extensible)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

#[derive(Debug, Message)]
pub(crate) enum Refused {
    #[message(tag = 1)]
    Empty,
}

/// Values of all variants, as frames.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let point = || Point { x: -7, label: Some("p".into()), corners: vec![(1, 300), (2, 70_000)] };
    let shape = || {
        let named = Shape::Named { name: "n".into(), shape: Box::new(Shape::Circle(point())) };
        Shape::Group(vec![Shape::Empty, named])
    };
    let owned = || Fields::Owned {
        text: "text".into(),
        bytes: vec![0, 250, 251, 255],
        numbers: vec![0, 250, 251, 65_536],
        pairs: BTreeMap::from([("a".into(), vec![1, 2]), ("b".into(), vec![])]),
    };
    let fields = [
        Fields::Nothing,
        Fields::Numbers(1, -1, 300, -300, 70_000, -70_000, u64::MAX, i64::MIN),
        Fields::Scalars {
            wide: u128::MAX,
            float: -0.5,
            flag: true,
            letter: 'ß',
            port: NonZeroU16::MAX,
        },
        Fields::Borrows {
            text: "text",
            bytes: &[1, 2, 3],
            optional: Some("there"),
            cow: Cow::Borrowed(&[4, 5]),
            rest: b"the rest",
        },
        owned(),
        Fields::Standard {
            time: SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 7),
            span: Duration::from_millis(1_500),
            ip: IpAddr::from([127, 0, 0, 1]),
            path: "/run/x.sock".into(),
            range: 3..900,
        },
        Fields::Serde {
            shape: shape(),
            points: [point(), Point::default()],
            names: BTreeSet::from(["a".into(), "b".into()]),
            units: vec![(); 3],
        },
        Fields::Nested {
            first: Box::new(owned()),
            others: vec![Fields::Nothing, owned()],
            later: Some(9),
        },
        Fields::Behind { count: 1, inner: Strict::Text("t".into(), vec![None, Some(-9)]) },
    ];
    let strict = [
        Strict::Text("text".into(), vec![Some(1), None]),
        Strict::Tree(1, vec![Strict::Tree(2, vec![]), Strict::Text(String::new(), vec![])]),
        Strict::Shape(shape(), [1, 2, 3]),
    ];
    let calls = [
        Calls::Echo { text: "echo" },
        Calls::Repeat { text: "again", times: 40 },
        Calls::Note { text: "" },
    ];
    let fields = fields.iter().map(datagrammar::to_vec);
    let strict = strict.iter().map(datagrammar::to_vec);
    let calls = calls.iter().map(datagrammar::to_vec);
    fields.chain(strict).chain(calls).map(|frame| frame.expect("a value of ours")).collect()
}
