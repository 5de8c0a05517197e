//! Messages that travel in every way: small ones, those with borrowed bytes, in pieces, and with descriptors.

use std::fs::File;
use std::os::fd::OwnedFd;

use datagrammar::{Connection, Message, RecvError};
use datagrammar_tests::Random;
use serde::ser::{Error as _, Serialize, Serializer};

pub(super) type Ours = Connection<Any<'static>, Any<'static>>;

/// Messages that travel in every way.
#[derive(Message, Debug)]
pub(super) enum Any<'a> {
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 2)]
    File {
        number: u64,
        #[message(fd)]
        file: OwnedFd,
    },
    #[message(tag = 3)]
    Refused { number: u64, refused: Refused },
}

/// A value that cannot be encoded.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Refused;

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

static BODY: [u8; 2_000_000] = [7; 2_000_000];

pub(super) fn plain(number: u64, len: usize) -> Any<'static> {
    Any::Plain { number, body: &BODY[..len] }
}

pub(super) fn file(number: u64) -> Any<'static> {
    Any::File { number, file: File::open("/proc/version").unwrap().into() }
}

pub(super) fn refused(number: u64) -> Any<'static> {
    Any::Refused { number, refused: Refused }
}

/// `count` small messages, with their own numbers.
pub(super) fn small(count: u64) -> Vec<Any<'static>> {
    (0..count).map(|number| plain(number, number as usize % 100)).collect()
}

/// Small messages, some that are sent without a copy, some as long as a bundle, some with descriptors, and some too
/// large for a datagram.
pub(super) fn mixed(random: &mut Random, count: u64) -> Vec<Any<'static>> {
    let one = |number| match random.below(20) {
        0 => plain(number, 400_000),
        1 | 2 => plain(number, 4090 + random.below(20) as usize),
        3 => plain(number, random.below(20_000) as usize),
        4 => file(number),
        5 => plain(number, 16_370 + random.below(30) as usize),
        _ => plain(number, random.below(300) as usize),
    };
    (0..count).map(one).collect()
}

/// Returns the checked number of the next message, `None` at the end or if none is queued.
pub(super) fn next(ours: &mut Ours) -> Option<u64> {
    let frame = match ours.try_recv() {
        Err(RecvError::WouldBlock) => return None,
        frame => frame.unwrap()?,
    };
    Some(number(frame.decode().unwrap()))
}

pub(super) fn number(message: Any<'_>) -> u64 {
    match message {
        Any::Plain { number, body } => {
            assert!(body.iter().all(|&byte| byte == 7), "message {number} is damaged");
            number
        }
        Any::File { number, file } => {
            assert!(File::from(file).metadata().is_ok());
            number
        }
        Any::Refused { number, .. } => panic!("message {number} could be encoded"),
    }
}

/// Expects these messages, waits for them, and expects no more after them.
pub(super) fn expect(ours: &mut Ours, numbers: impl IntoIterator<Item = u64>) {
    for expected in numbers {
        let frame = ours.recv().unwrap().expect("a frame");
        assert_eq!(number(frame.decode().unwrap()), expected);
    }
    assert_eq!(next(ours), None);
}
