//! Versions 1, 2 and 3 of a protocol understand themselves and each other, in every direction, as the evolution
//! table says. One protocol is written by hand, the others are generated at random.
//!
//! `DATAGRAMMAR_EVOLUTION=100000` sets the number of messages for each direction. `DATAGRAMMAR_PROTOCOLS`
//! generates other protocols: see `generator.rs`.

mod generated;
mod generator;
mod model;
mod versions;

use std::cell::Cell;

use datagrammar_tests::{Random, seed};

use model::{Reader, Refusal, Value, files};
use versions::{Modelled, received, v1, v2, v3};

/// The number of messages from each version that each version reads.
fn cases() -> u32 {
    std::env::var("DATAGRAMMAR_EVOLUTION").map_or(5000, |cases| cases.parse().unwrap())
}

/// How often each outcome occurred. The test requires each of them.
#[derive(Default)]
struct Met {
    understood: Cell<u32>,
    refused: Cell<u32>,
    unclear: Cell<u32>,
}

macro_rules! direction {
    ($test:ident: $from:ident to $to:ident, refuses $refuses:literal, unclear $unclear:literal) => {
        #[test]
        fn $test() {
            let (mut random, schema, met) = (Random(seed()), $to::schema(), Met::default());
            for _ in 0..cases() {
                let depth = 1 + random.below(6) as u32;
                let Value::Message(sent) = $from::Top::random(&mut random, depth).model() else {
                    panic!()
                };
                let mut beside = Vec::new();
                sent.fields.iter().for_each(|value| files(value, &mut beside));
                let expected = Reader::read(&schema, &sent).map(Value::Message);
                let read = received::<$to::Top>(&sent.frame, &beside).map_err(Refusal::of);
                assert_eq!(read, expected, "{sent:?}");
                let met = match read {
                    Ok(_) => &met.understood,
                    Err(Refusal::FdUnclear) => &met.unclear,
                    Err(_) => &met.refused,
                };
                met.set(met.get() + 1);
            }
            let Met { understood, refused, unclear } = met;
            assert!(understood.get() > cases() / 10);
            assert_eq!((refused.get() > 0, unclear.get() > 0), ($refuses, $unclear));
        }
    };
}

direction!(version_1_reads_itself: v1 to v1, refuses false, unclear false);
direction!(version_2_reads_version_1: v1 to v2, refuses false, unclear false);
direction!(version_3_reads_version_1: v1 to v3, refuses false, unclear false);
direction!(version_1_reads_version_2: v2 to v1, refuses true, unclear true);
direction!(version_2_reads_itself: v2 to v2, refuses false, unclear false);
direction!(version_3_reads_version_2: v2 to v3, refuses false, unclear false);
direction!(version_1_reads_version_3: v3 to v1, refuses true, unclear true);
direction!(version_2_reads_version_3: v3 to v2, refuses true, unclear true);
direction!(version_3_reads_itself: v3 to v3, refuses false, unclear false);

/// Tests all directions of a random protocol.
macro_rules! protocol {
    ($($protocol:ident)*) => { $(
        mod $protocol {
            use super::generated::$protocol::{v1, v2, v3};
            use super::*;

            #[test]
            fn h45_versions_read_each_other() {
                let mut random = Random(seed());
                for _ in 0..cases() / 5 {
                    protocol!(@reads random, v1 to v1 v2 v3);
                    protocol!(@reads random, v2 to v1 v2 v3);
                    protocol!(@reads random, v3 to v1 v2 v3);
                }
            }
        }
    )* };
    (@reads $random:ident, $from:ident to $($to:ident)*) => { $(
        let depth = $random.below(6) as u32;
        let Value::Message(sent) = $from::Top::random(&mut $random, depth).model() else { panic!() };
        let mut beside = Vec::new();
        sent.fields.iter().for_each(|value| files(value, &mut beside));
        let expected = Reader::read(&$to::schema(), &sent).map(Value::Message);
        let read = received::<$to::Top>(&sent.frame, &beside).map_err(Refusal::of);
        assert_eq!(read, expected, "{sent:?}");
    )* };
}

protocol!(protocol_0 protocol_1 protocol_2 protocol_3 protocol_4 protocol_5);

/// Random bytes are refused, or decode to a message that encodes and decodes to itself, or that cannot be sent.
#[test]
fn damaged_frames_are_messages_or_refused() {
    let mut random = Random(seed());
    for _ in 0..cases() {
        let Value::Message(sent) = v3::Top::random(&mut random, 5).model() else { panic!() };
        let mut frame = sent.frame;
        for _ in 0..1 + random.below(3) {
            let at = random.below(frame.len() as u64) as usize;
            frame[at] = random.below(256) as u8;
        }
        frame.truncate(random.below(frame.len() as u64 + 4) as usize);
        let files: Vec<u64> = versions::FILES.iter().map(|(file, _)| *file).collect();
        let beside = &files[..random.below(files.len() as u64) as usize];
        if let Ok(Value::Message(read)) = received::<v2::Top>(&frame, beside) {
            if read.frame.is_empty() {
                continue;
            }
            let mut taken = Vec::new();
            read.fields.iter().for_each(|value| model::files(value, &mut taken));
            let again = received::<v2::Top>(&read.frame, &taken).unwrap();
            assert_eq!(again, Value::Message(read));
        }
    }
}
