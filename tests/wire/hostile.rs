//! Hostile bytes: allocation, recursion and work bombs, and frames that are almost right.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::thread;

use datagrammar::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use datagrammar::{DecodeError, Fault, Message, Unknown};
use serde::{Deserialize, Serialize};

/// Every way for a length prefix to ask for memory, in one protocol per codec.
macro_rules! bombs {
    ($name:ident, $codec:path) => {
        #[derive(Message, Debug)]
        #[message(codec = $codec)]
        enum $name<'a> {
            #[message(tag = 1)]
            Text(String),
            #[message(tag = 2)]
            Numbers(Vec<u64>),
            #[message(tag = 3)]
            Bytes(Vec<u8>),
            #[message(tag = 4)]
            Nested(Vec<Vec<String>>),
            #[message(tag = 5)]
            Units(Vec<()>),
            #[message(tag = 6)]
            Map(HashMap<u64, String>),
            #[message(tag = 7)]
            Tree(BTreeMap<String, Vec<u8>>),
            #[message(tag = 8)]
            Boxed(Box<[u64]>),
            #[message(tag = 9)]
            Lent(&'a str),
            #[message(tag = 10)]
            LentBytes(&'a [u8]),
            #[message(tag = 11)]
            Set(HashSet<()>),
            #[message(tag = 12)]
            Maybe(Option<Vec<u8>>),
            #[message(tag = 13)]
            Big(Vec<[u64; 32]>),
            #[message(tag = 14)]
            UnitStructs(Vec<Nothing>),
            #[message(tag = 15)]
            UnitPairs(Vec<((), Nothing)>),
            #[message(tag = 16)]
            Chain(Chain),
            #[message(tag = 17)]
            Lists(Lists),
            #[message(tag = 18)]
            Wrapped(Wrapped),
            #[message(tag = 19)]
            Enums(Enums),
            #[message(tag = 20)]
            Maps(Maps),
        }
    };
}

bombs!(Bincoded, datagrammar::codec::Bincode);
bombs!(Postcarded, datagrammar::codec::Postcard);

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, Hash)]
struct Nothing;

/// Recursion through an option in a box.
#[derive(Debug, Serialize, Deserialize, Default)]
struct Chain {
    next: Option<Box<Self>>,
}

/// Recursion through a sequence.
#[derive(Debug, Serialize, Deserialize)]
struct Lists(Vec<Self>);

/// Recursion only through newtypes and options.
#[derive(Debug, Serialize, Deserialize)]
struct Wrapped(Option<Box<Self>>);

/// Recursion through enums: a byte for each level.
#[derive(Debug, Serialize, Deserialize)]
enum Enums {
    End,
    More(Box<Self>),
}

/// Recursion through maps.
#[derive(Debug, Serialize, Deserialize)]
struct Maps(BTreeMap<u8, Self>);

/// Length prefixes that claim `len`, as bincode and as postcard write them.
fn prefixes(len: u64) -> [Vec<u8>; 2] {
    let mut bincode = vec![253];
    bincode.extend_from_slice(&len.to_le_bytes());
    let mut postcard = Vec::new();
    let mut left = len;
    while left >= 0x80 {
        postcard.push(left as u8 | 0x80);
        left >>= 7;
    }
    postcard.push(left as u8);
    [bincode, postcard]
}

/// Decodes a frame of either codec, and checks the cost.
fn decode_within_means(codec: usize, frame: &[u8]) -> Result<(), DecodeError> {
    let mut decoded = None;
    let counted = allocation_counter::measure(|| {
        decoded = Some(match codec {
            0 => Bincoded::decode(frame).map(drop),
            _ => Postcarded::decode(frame).map(drop),
        });
    });
    // The largest element of the protocol takes 256 bytes of memory for its 32 bytes in the frame, a hash map doubles
    // its room, and an error may hold a text.
    let allowed = 64 * frame.len() as u64 + 1024;
    assert!(counted.bytes_max <= allowed, "{frame:?}: {counted:?} is over {allowed} bytes");
    decoded.unwrap()
}

#[test]
fn h33_a_length_prefix_alone_allocates_nothing_to_speak_of() {
    for len in [1 << 12, 1 << 20, 1 << 31, 1 << 40, u64::MAX / 8, u64::MAX - 1, u64::MAX] {
        for (codec, prefix) in prefixes(len).into_iter().enumerate() {
            for tag in 1..=20 {
                for tail in [0, 1, 7, 100] {
                    let mut frame = vec![tag];
                    if tag == 12 {
                        frame.push(1);
                    }
                    frame.extend_from_slice(&prefix);
                    frame.resize(frame.len() + tail, 0);
                    assert!(decode_within_means(codec, &frame).is_err(), "tag {tag}: {frame:?}");
                }
            }
        }
    }
}

#[test]
fn h33_prefixes_within_prefixes_allocate_in_proportion() {
    for (codec, prefix) in prefixes(1 << 30).into_iter().enumerate() {
        // Every element claims as much again.
        for tag in [2, 4, 6, 7, 13, 17, 20] {
            let mut frame = vec![tag];
            for _ in 0..40 {
                frame.extend_from_slice(&prefix);
            }
            assert!(decode_within_means(codec, &frame).is_err());
        }
    }
}

#[test]
fn h33_elements_of_no_bytes_are_bounded_in_a_frame() {
    let max = u64::from(MAX_EMPTY_ELEMENTS);
    for tag in [5, 14, 15] {
        for (codec, prefix) in prefixes(max).into_iter().enumerate() {
            let frame = [vec![tag], prefix].concat();
            decode_within_means(codec, &frame).unwrap();
        }
        for claimed in [max + 1, u64::from(u32::MAX), u64::MAX] {
            for (codec, prefix) in prefixes(claimed).into_iter().enumerate() {
                let frame = [vec![tag], prefix].concat();
                let fault = match decode_within_means(codec, &frame) {
                    Err(DecodeError::Field { fault, .. }) => fault,
                    other => panic!("{other:?}"),
                };
                assert!(
                    matches!(fault, Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS }),
                    "tag {tag} of {claimed}: {fault:?}",
                );
            }
        }
    }
}

#[test]
fn h33_long_sequences_of_small_elements_are_none_of_these_bombs() {
    #[derive(Message, Debug, PartialEq)]
    enum Long {
        #[message(tag = 1)]
        Enums(Vec<Option<Small>>),
        #[message(tag = 2)]
        Flags(Vec<(bool,)>),
        #[message(tag = 3)]
        Texts(Vec<String>),
        #[message(tag = 4)]
        Map(BTreeMap<u32, ()>),
        #[message(tag = 5)]
        Nested(Vec<Vec<Vec<u32>>>),
    }
    #[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
    enum Small {
        One,
        Two,
    }
    for long in [
        Long::Enums([Some(Small::One), None, Some(Small::Two)].repeat(5_000)),
        Long::Flags(vec![(true,); 10_000]),
        Long::Texts(vec![String::new(); 10_000]),
        Long::Map((0..10_000).map(|key| (key, ())).collect()),
        Long::Nested(vec![vec![vec![], vec![1; 100]]; 500]),
    ] {
        let frame = datagrammar::to_vec(&long).unwrap();
        assert!(Long::decode(&frame).unwrap() == long);
    }
}

#[test]
fn h33_random_frames_cost_in_proportion() {
    let mut random = datagrammar_tests::Random(datagrammar_tests::seed());
    for _ in 0..200_000 {
        let mut frame = vec![1 + random.below(20) as u8];
        for _ in 0..random.below(24) {
            // Bytes with a meaning for a codec are more frequent than others.
            frame.push(match random.below(4) {
                0 => 250 + random.below(6) as u8,
                1 => random.below(4) as u8,
                2 => 0x80 | random.below(128) as u8,
                _ => random.below(256) as u8,
            });
        }
        for codec in [0, 1] {
            _ = decode_within_means(codec, &frame);
        }
    }
}

/// Runs `task` on a stack of 1 MiB.
fn on_a_small_stack<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(1024 * 1024).spawn(task).unwrap().join().unwrap()
}

/// The bytes of one more level, for each tag that recurses.
const LEVELS: [(u8, &[u8]); 5] = [(16, &[1]), (17, &[1]), (18, &[1]), (19, &[1]), (20, &[1, 0])];

#[test]
fn h34_recursion_ends_at_the_depth_limit_on_a_small_stack() {
    on_a_small_stack(|| {
        for (tag, level) in LEVELS {
            for levels in [2_000, 200_000] {
                let mut frame = vec![tag];
                frame.extend(level.iter().cycle().take(level.len() * levels));
                frame.push(0);
                for codec in [0, 1] {
                    match decode_within_means(codec, &frame) {
                        Err(DecodeError::Field {
                            fault: Fault::TooDeep { limit: MAX_DEPTH },
                            ..
                        }) => {}
                        other => panic!("tag {tag}, codec {codec}: {other:?}"),
                    }
                }
            }
        }
    });
}

#[test]
fn h34_nesting_within_the_limit_is_decoded_on_a_small_stack() {
    on_a_small_stack(|| {
        for (tag, level) in LEVELS {
            // The deepest value that is decoded. An option is a level, and so is its content.
            let deepest = (1..=MAX_DEPTH as usize)
                .rev()
                .find(|&levels| {
                    let mut frame = vec![tag];
                    frame.extend(level.iter().cycle().take(level.len() * levels));
                    frame.push(0);
                    Bincoded::decode(&frame).is_ok() && Postcarded::decode(&frame).is_ok()
                })
                .unwrap_or(0);
            assert!(deepest >= MAX_DEPTH as usize / 4, "tag {tag}: only {deepest} levels");
        }
    });
}

#[test]
fn h35_a_byte_too_many_is_an_error() {
    let frames = [
        (0, datagrammar::to_vec(&Bincoded::Text("text".into())).unwrap()),
        (0, datagrammar::to_vec(&Bincoded::LentBytes(&[1; 300])).unwrap()),
        (0, datagrammar::to_vec(&Bincoded::Numbers(vec![1, 300, 70_000])).unwrap()),
        (1, datagrammar::to_vec(&Postcarded::Text("text".into())).unwrap()),
        (1, datagrammar::to_vec(&Postcarded::Tree([("a".into(), vec![1])].into())).unwrap()),
    ];
    for (codec, mut frame) in frames {
        decode_within_means(codec, &frame).unwrap();
        let whole = frame.len();
        for byte in [0, 1, 255] {
            frame.push(byte);
            match decode_within_means(codec, &frame) {
                Err(DecodeError::TrailingBytes { consumed, len }) => {
                    assert_eq!((consumed, len), (whole, frame.len()));
                }
                other => panic!("{other:?}"),
            }
        }
        // Every missing byte is an error, too.
        for len in 0..whole {
            assert!(decode_within_means(codec, &frame[..len]).is_err());
        }
    }
}

#[derive(Message, Debug)]
enum Closed {
    #[message(tag = 1)]
    One,
    #[message(tag = 65_536)]
    Far,
}

#[derive(Message, Debug)]
enum Open<'a> {
    #[message(tag = 1)]
    One,
    #[message(other)]
    Other(Unknown<'a>),
}

/// A tag as bincode writes it.
fn tag_bytes(tag: u32) -> Vec<u8> {
    match tag {
        0..=250 => vec![tag as u8],
        251..=0xffff => [&[251][..], &(tag as u16).to_le_bytes()].concat(),
        _ => [&[252][..], &tag.to_le_bytes()].concat(),
    }
}

#[test]
fn h36_every_unknown_tag_is_an_error_or_data() {
    for tag in (0..=0xffff).chain([0x1_0000, 0x1_0001, u32::MAX - 1, u32::MAX]) {
        let frame = tag_bytes(tag);
        match (tag, Closed::decode(&frame)) {
            (1, Ok(Closed::One)) | (0x1_0000, Ok(Closed::Far)) => {}
            (tag, Err(DecodeError::UnknownTag(told))) => assert_eq!(told, tag),
            (tag, other) => panic!("{tag}: {other:?}"),
        }
        let frame = [frame, vec![1, 2, 3]].concat();
        match (tag, Open::decode(&frame)) {
            // The reserved tag is no message, not even for `other`.
            (0, Err(DecodeError::UnknownTag(0))) => {}
            (1, Err(DecodeError::TrailingBytes { .. })) => {}
            (_, Ok(message @ Open::Other(_))) => {
                let Open::Other(unknown) = &message else { unreachable!() };
                assert_eq!((unknown.tag(), unknown.payload()), (tag, &[1, 2, 3][..]));
                assert_eq!(datagrammar::to_vec(&message).unwrap(), frame, "forwarded as it came");
            }
            (tag, other) => panic!("{tag}: {other:?}"),
        }
    }
    // A number of more than 32 bits is not a tag.
    for frame in [&[253, 1, 0, 0, 0, 1, 0, 0, 0][..], &[254], &[255], &[251], &[252, 1]] {
        assert!(matches!(Open::decode(frame), Err(DecodeError::Tag { .. })), "{frame:?}");
    }
}

#[test]
fn bad_values_are_typed_errors() {
    #[derive(Message, Debug)]
    enum Values {
        #[message(tag = 1)]
        Flag(bool),
        #[message(tag = 2)]
        Letter(char),
        #[message(tag = 3)]
        Text(String),
        #[message(tag = 4)]
        Choice(Enums),
        #[message(tag = 5)]
        Option(Option<u8>),
        #[message(tag = 6)]
        Bytes(Option<Vec<u8>>),
        #[message(tag = 7)]
        Array([u8; 4]),
        #[message(tag = 8)]
        NonZero(std::num::NonZeroU8),
    }
    let fault = |frame: &[u8]| match Values::decode(frame) {
        Err(DecodeError::Field { fault, offset: 1, len, .. }) if len == frame.len() => fault,
        other => panic!("{frame:?}: {other:?}"),
    };
    assert!(matches!(fault(&[1, 2]), Fault::Invalid(_)));
    assert!(matches!(fault(&[2, 0xff]), Fault::Invalid(_) | Fault::Utf8 { .. }));
    assert!(matches!(fault(&[2, 0xed, 0xa0, 0x80]), Fault::Invalid(_) | Fault::Utf8 { .. }));
    assert!(matches!(fault(&[3, 3, b'a', b'b', 0xff]), Fault::Utf8 { valid_up_to: 2 }));
    assert!(matches!(fault(&[4, 2]), Fault::Invalid(_)));
    assert!(matches!(fault(&[5, 2, 0]), Fault::Invalid(_)));
    assert!(matches!(fault(&[6, 2, 0]), Fault::Invalid(_)));
    assert!(matches!(fault(&[6, 1, 200]), Fault::Short { missing: 200 }));
    assert!(matches!(fault(&[7, 1, 2, 3]), Fault::Short { missing: 1 }));
    assert!(matches!(fault(&[8, 0]), Fault::Invalid(_)));
}
