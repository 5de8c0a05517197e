//! The conversation: the messages of the two sides, and the assertions for every family.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use datagrammar::{Limits, Message, RecvError, SendError};

use crate::link::{Link, Promises};

/// The messages of both sides.
#[derive(Message, Debug)]
pub(crate) enum Talk<'a> {
    /// A frame of two bytes, which comes back.
    #[message(tag = 1)]
    Short { number: u8 },
    /// A frame of any length, whose body is made of its number. The frame comes back.
    #[message(tag = 2)]
    Long {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    /// The end, for families without an end of their own.
    #[message(tag = 3)]
    End,
    /// What the server has received.
    #[message(tag = 4)]
    Received { frames: u64, bytes: u64 },
}

/// How much was sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    fn add(&mut self, len: usize) {
        self.frames += 1;
        self.bytes += len as u64;
    }
}

/// The lengths of bodies in bytes, in a cycle as far as a family supports them; `None` is a short frame.
const BODIES: [Option<usize>; 12] = [
    None,
    Some(0),
    Some(100_000),
    Some(1),
    Some(200),
    None,
    Some(4096),
    Some(60_000),
    Some(1000),
    Some(65_000),
    Some(102_400),
    Some(31),
];

/// The number of frames. No more than a short frame's number has values.
const FRAMES: u64 = 240;

/// The most frames in flight: fewer than every queue holds, because UDP loses the rest.
const WINDOW_FRAMES: usize = 8;
const WINDOW_BYTES: usize = 64 * 1024;

/// More than any socket here can send in one datagram.
const LARGE: usize = 2 * 1024 * 1024;

/// So long that only a lost frame can take this time, even on the slowest machine.
fn patience() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// The side that sends everything back.
pub(crate) fn serve(link: &mut impl Link) {
    let mut tally = Tally::default();
    let mut copy = Vec::new();
    loop {
        let Some(frame) = link.recv(patience()).unwrap() else { break };
        let len = frame.len();
        let answer = match frame.decode().unwrap() {
            Talk::Short { number } => Talk::Short { number },
            Talk::Long { number, body } => {
                copy.clear();
                copy.extend_from_slice(body);
                Talk::Long { number, body: &copy }
            }
            Talk::End => break,
            other => panic!("{other:?}"),
        };
        tally.add(len);
        assert_eq!(link.send(&answer, patience()).unwrap(), len);
    }
    link.send(&Talk::Received { frames: tally.frames, bytes: tally.bytes }, patience()).unwrap();
}

/// The side that asks and checks. Returns how much was sent and received.
pub(crate) fn converse(link: &mut impl Link) -> Tally {
    let mut sent = Tally::default();
    let mut received = Tally::default();
    come_back(link, &mut sent, &mut received);
    over_the_limit(link, &mut sent, &mut received);
    in_time(link);
    large(link, &mut sent, &mut received);
    end(link, sent);
    Tally { frames: sent.frames + received.frames, bytes: sent.bytes + received.bytes }
}

/// Numbered frames of mixed sizes come back whole, once each, and in order if the family promises that.
fn come_back(link: &mut impl Link, sent: &mut Tally, received: &mut Tally) {
    let Promises { longest, ordered, .. } = link.promises();
    let mut bodies = BODIES.iter().filter(|len| len.is_none_or(|len| len <= longest)).cycle();
    let mut numbers = 0..FRAMES;
    let mut held = None;
    loop {
        let mut window = Vec::new();
        let mut bytes = 0;
        while window.len() < WINDOW_FRAMES {
            let next = held.take().or_else(|| Some((numbers.next()?, *bodies.next()?)));
            let Some((number, len)) = next else { break };
            bytes += len.unwrap_or(0);
            if bytes > WINDOW_BYTES && !window.is_empty() {
                held = Some((number, len));
                break;
            }
            sent.add(say(link, number, len));
            window.push(number);
        }
        if window.is_empty() {
            return;
        }
        let back: Vec<u64> = window.iter().map(|_| hear(link, received)).collect();
        match ordered {
            true => assert_eq!(back, window),
            false => assert_eq!(BTreeSet::from_iter(back), BTreeSet::from_iter(window)),
        }
    }
}

/// A frame over the limit is an error with its length, and does not affect the next frame.
fn over_the_limit(link: &mut impl Link, sent: &mut Tally, received: &mut Tally) {
    link.set_limits(Limits::default().frame_len(1000));
    let long = say(link, 7, Some(2000));
    sent.add(long);
    let error = link.recv(patience()).unwrap_err();
    assert!(
        matches!(error, RecvError::TooLarge { len, limit: 1000 } if len == long),
        "{error:?}, of {long} bytes"
    );
    sent.add(say(link, 8, None));
    assert_eq!(hear(link, received), 8);
    link.set_limits(Limits::default());
}

/// A wait ends at its deadline, and a non-blocking call does not wait.
fn in_time(link: &mut impl Link) {
    let deadline = Instant::now() + Duration::from_millis(30);
    let error = link.recv(deadline).unwrap_err();
    assert!(matches!(error, RecvError::TimedOut), "{error:?}");
    assert!(Instant::now() >= deadline);
    let error = link.try_recv().unwrap_err();
    assert!(matches!(error, RecvError::WouldBlock), "{error:?}");
}

/// A frame that is too long for a datagram travels in pieces over a connection, and in memory over UNIX datagrams; over
/// UDP it is refused.
fn large(link: &mut impl Link, sent: &mut Tally, received: &mut Tally) {
    if link.promises().large {
        sent.add(say(link, 9, Some(LARGE)));
        assert_eq!(hear(link, received), 9);
        return;
    }
    let error = link.send(&Talk::Long { number: 9, body: &[9; LARGE] }, patience()).unwrap_err();
    assert!(matches!(error, SendError::TooLarge { len, .. } if len > LARGE), "{error:?}");
}

/// After our end, the server's last frame still arrives, and then its end.
fn end(link: &mut impl Link, sent: Tally) {
    link.end();
    let frame = link.recv(patience()).unwrap().expect("the server's tally");
    let Talk::Received { frames, bytes } = frame.decode().unwrap() else { panic!("no tally") };
    assert_eq!(Tally { frames, bytes }, sent);
    if link.promises().connected {
        assert!(link.recv(patience()).unwrap().is_none());
    }
}

/// Sends a frame, and returns its length in bytes.
fn say(link: &mut impl Link, number: u64, len: Option<usize>) -> usize {
    let Some(len) = len else {
        let sent = link.send(&Talk::Short { number: number as u8 }, patience()).unwrap();
        assert_eq!(sent, 2);
        return sent;
    };
    link.send(&Talk::Long { number, body: &vec![number as u8; len] }, patience()).unwrap()
}

/// Receives a frame, and returns its number.
fn hear(link: &mut impl Link, received: &mut Tally) -> u64 {
    let frame = link.recv(patience()).unwrap().expect("a frame");
    received.add(frame.len());
    match frame.decode().unwrap() {
        Talk::Short { number } => u64::from(number),
        Talk::Long { number, body } => {
            assert!(body.iter().all(|&byte| byte == number as u8), "frame {number} is mixed");
            number
        }
        other => panic!("{other:?}"),
    }
}
