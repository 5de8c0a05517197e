//! For any datagrams, a receiver behaves like a model that keeps everything and is too simple to be wrong.

use std::os::fd::AsFd as _;
use std::time::Instant;

use datagrammar::{
    BundleFault, Connection, FragmentFault, Frame, Limits, Message, RecvError, Wait,
};
use datagrammar_tests::datagrams::{bundle, head};
use datagrammar_tests::leaks::Parcel;
use datagrammar_tests::{InMode as _, Numbered, raw};
use proptest::prelude::*;
use proptest::sample::Index;
use rustix::net::SocketType;

const LIMIT: usize = 60;
/// The most bytes of a bundle.
const MAX_BUNDLE: usize = 65_536;
const NUMBER: u32 = 0x0707_0707;

/// The result of a receive.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// A frame, and how many descriptors came with it.
    Frame(Vec<u8>, usize),
    TooLarge(usize),
    Incomplete(usize, usize),
    BadFragment(FragmentFault),
    BadBundle(BundleFault),
    End,
}

fn plain(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<u8>> {
    len.prop_flat_map(|len| prop::collection::vec(1..=250_u8, len))
}

/// Bundles, some of which are damaged: a byte is changed, or bytes are missing or added.
fn bundles() -> impl Strategy<Value = Vec<u8>> {
    let frames =
        prop::collection::vec(plain(prop_oneof![9 => 1..9_usize, 1 => 0..LIMIT + 3]), 0..6);
    let damage = prop_oneof![
        2 => Just(None),
        1 => (0..3, any::<Index>(), any::<u8>()).prop_map(Some),
    ];
    (frames, damage).prop_map(|(frames, damage)| {
        let mut bytes = bundle(&frames);
        match damage {
            Some((0, at, byte)) => *at.get_mut(&mut bytes[2..]) = byte,
            Some((1, at, _)) => bytes.truncate(14 + at.index(bytes.len() - 13)),
            Some((_, _, byte)) => bytes.push(byte),
            None => {}
        }
        bytes
    })
}

/// A frame or a bundle in pieces, some of which are at the wrong position.
fn in_pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let whole = prop_oneof![2 => plain(1..LIMIT + 5), 1 => bundles(), 1 => any_head()];
    (whole, 1..25_usize, prop_oneof![9 => Just(None), 1 => any::<(Index, i8)>().prop_map(Some)])
        .prop_map(|(whole, len, shift)| {
            let mut pieces = datagrammar_tests::datagrams::pieces(NUMBER, &whole, len);
            if let Some((at, shift)) = shift {
                let piece = at.get_mut(&mut pieces);
                piece[6] = piece[6].wrapping_add_signed(shift);
            }
            pieces
        })
}

/// A datagram with tag 0, of any kind, and perhaps too short.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let place = prop_oneof![9 => 0..70_u64, 1 => any::<u64>()];
    (0..=11_u8, prop_oneof![9 => Just(NUMBER), 1 => Just(8)], place, 0..30_usize, 1..=40_usize)
        .prop_map(|(kind, number, place, len, cut)| {
            let mut bytes = [head(kind, number, place), vec![9; len]].concat();
            bytes.truncate(cut);
            bytes
        })
}

fn datagrams() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = |datagram: BoxedStrategy<Vec<u8>>| datagram.prop_map(|datagram| vec![datagram]);
    let datagram = prop_oneof![
        4 => one(plain(1..LIMIT + 3).boxed()),
        1 => one((65_530..70_000_usize).prop_map(|len| vec![2; len]).boxed()),
        4 => one(bundles().boxed()),
        3 => one(any_head().boxed()),
        6 => in_pieces(),
    ];
    prop::collection::vec(datagram, 0..14).prop_map(|datagrams| datagrams.concat())
}

/// The pieces of a frame that have arrived.
enum State {
    Idle,
    Refused,
    Gathering { number: u32, total: usize, bytes: Vec<u8> },
}

/// The model: everything that a receiver has seen so far, and the results.
struct Model {
    state: State,
    outcomes: Vec<Outcome>,
}

impl Model {
    fn of(datagrams: &[Vec<u8>], carries: bool) -> Vec<Outcome> {
        let mut model = Self { state: State::Idle, outcomes: Vec::new() };
        for datagram in datagrams {
            model.take(datagram, if carries { count(datagram) } else { 0 });
        }
        if let State::Gathering { total, bytes, .. } = &model.state {
            model.outcomes.push(Outcome::Incomplete(bytes.len(), *total));
        }
        model.outcomes.push(Outcome::End);
        model.outcomes
    }

    fn take(&mut self, datagram: &[u8], beside: usize) {
        let len = datagram.len();
        let gathering = matches!(self.state, State::Gathering { .. });
        if datagram[0] != 0 {
            self.give_up();
            return self.outcomes.push(match len {
                ..=LIMIT => Outcome::Frame(datagram.to_vec(), beside),
                _ => Outcome::TooLarge(len),
            });
        }
        if len < 14 || gathering && len == 14 {
            return self.refuse(FragmentFault::Short { len });
        }
        let (kind, number, payload) = (datagram[1], &datagram[2..6], &datagram[14..]);
        let number = u32::from_le_bytes(number.try_into().unwrap());
        let place = u64::from_le_bytes(datagram[6..14].try_into().unwrap());
        match kind {
            1 => {
                self.give_up();
                self.begin(number, place, payload, beside);
            }
            2 => self.go_on(number, place, payload, beside),
            4 => {
                self.give_up();
                self.unpack(place, payload, beside);
            }
            kind => {
                if (5..=10).contains(&kind) {
                    // Parts of calls, which are not valid here, and are not pieces.
                    self.give_up();
                }
                self.refuse(FragmentFault::Kind(kind));
            }
        }
    }

    /// A datagram that interrupts a frame in pieces ends it.
    fn give_up(&mut self) {
        if let State::Gathering { total, bytes, .. } = &self.state {
            self.outcomes.push(Outcome::Incomplete(bytes.len(), *total));
        }
        self.state = State::Idle;
    }

    fn refuse(&mut self, fault: FragmentFault) {
        self.outcomes.push(Outcome::BadFragment(fault));
        self.state = State::Refused;
    }

    fn begin(&mut self, number: u32, total: u64, payload: &[u8], beside: usize) {
        let total = total as usize;
        // The limit is that of the frames of a bundle, which has one of its own.
        let limit = if payload.starts_with(&[0, 4]) { MAX_BUNDLE } else { LIMIT };
        if total > limit {
            self.outcomes.push(Outcome::TooLarge(total));
            self.state = State::Refused;
        } else if payload.is_empty() {
            self.refuse(FragmentFault::Short { len: 14 });
        } else if payload.len() > total {
            self.refuse(FragmentFault::Overrun { offset: 0, len: payload.len(), total });
        } else {
            self.grow(number, total, payload.to_vec(), beside);
        }
    }

    fn go_on(&mut self, number: u32, place: u64, payload: &[u8], beside: usize) {
        match std::mem::replace(&mut self.state, State::Refused) {
            State::Idle => self.refuse(FragmentFault::Orphan { offset: place }),
            State::Refused => {}
            State::Gathering { number: expected, .. } if number != expected => {
                self.refuse(FragmentFault::OtherFrame { expected, found: number });
            }
            State::Gathering { bytes, .. } if place != bytes.len() as u64 => {
                self.refuse(FragmentFault::Offset { expected: bytes.len(), found: place });
            }
            State::Gathering { total, bytes, .. } if bytes.len() + payload.len() > total => {
                let (offset, len) = (bytes.len(), payload.len());
                self.refuse(FragmentFault::Overrun { offset, len, total });
            }
            State::Gathering { total, bytes, .. } => {
                self.grow(number, total, [&bytes, payload].concat(), beside);
            }
        }
    }

    /// A complete frame is read like one that came in one datagram.
    fn grow(&mut self, number: u32, total: usize, bytes: Vec<u8>, beside: usize) {
        self.state = State::Idle;
        match *bytes {
            _ if bytes.len() < total => self.state = State::Gathering { number, total, bytes },
            [0, kind @ 1..=3, ..] => self.refuse(FragmentFault::Kind(kind)),
            _ => self.take(&bytes, beside),
        }
    }

    fn unpack(&mut self, count: u64, body: &[u8], beside: usize) {
        if beside > 0 {
            return self.spoil(BundleFault::Descriptors { count: beside });
        }
        let mut at = 0;
        for left in (1..=count).rev() {
            let Some(&first) = body.get(at) else {
                return self.spoil(BundleFault::Missing { missing: left });
            };
            let (more, len) = match first {
                ..=250 => (0, Some(u64::from(first))),
                251..=253 => {
                    let more = 1 << (first - 250);
                    let bytes = body.get(at + 1..at + 1 + more);
                    (
                        more,
                        bytes
                            .map(|bytes| bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))),
                    )
                }
                _ => (0, None),
            };
            let Some(len) = len else {
                return self.spoil(BundleFault::Length { at: 14 + at });
            };
            at += 1 + more;
            let (place, rest) = (14 + at, body.len() - at);
            if len > rest as u64 {
                return self.spoil(BundleFault::Overrun { at: place, len, left: rest });
            }
            let frame = &body[at..at + len as usize];
            if frame.first().is_none_or(|&first| first == 0) {
                return self.spoil(BundleFault::NotAFrame { at: place });
            }
            at += frame.len();
            self.outcomes.push(match frame.len() {
                ..=LIMIT => Outcome::Frame(frame.to_vec(), 0),
                len => Outcome::TooLarge(len),
            });
            if left == 1 && at < body.len() {
                return self.spoil(BundleFault::Trailing { left: body.len() - at });
            }
        }
        match (count, body) {
            (0, []) => self.spoil(BundleFault::Missing { missing: 1 }),
            (0, _) => self.spoil(BundleFault::Trailing { left: body.len() }),
            _ => {}
        }
    }

    fn spoil(&mut self, fault: BundleFault) {
        self.outcomes.push(Outcome::BadBundle(fault));
    }
}

/// The number of descriptors that a peer sends with a datagram.
fn count(bytes: &[u8]) -> usize {
    bytes.last().map_or(0, |&last| usize::from(last & 1))
}

proptest! {
    #[test]
    fn whatever_comes_and_however_it_is_received_the_receiver_does_as_the_model(
        datagrams in datagrams(),
        forms in prop::collection::vec(0..7_u8, 1..20),
    ) {
        by_all_forms::<Numbered<'static>>(&datagrams, &forms);
        by_all_forms::<Parcel>(&datagrams, &forms);
    }
}

/// Receives in one form after the other. If descriptors are allowed, one comes with each datagram that ends with an odd
/// byte.
fn by_all_forms<M: Message>(datagrams: &[Vec<u8>], forms: &[u8]) {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 1 << 22).unwrap();
    let mut ours = Connection::<M, M>::adopt(ours).unwrap().in_mode().rx;
    ours.set_limits(Limits::default().frame_len(LIMIT));
    let (beside, _) = std::io::pipe().unwrap();
    // As many as fit while no one receives.
    let datagrams = &datagrams[..datagrams.len().min(60)];
    for datagram in datagrams {
        match count(datagram) {
            1 if M::DESCRIPTORS => {
                raw::send_with(&theirs, datagram, &[&[beside.as_fd()]]).unwrap();
            }
            _ => raw::send(&theirs, datagram).unwrap(),
        }
    }
    drop(theirs);
    let lent = |frame: Frame<'_, M>| (frame.bytes().to_vec(), frame.descriptor_count());
    // The frames of a bundle in pieces are not reported before it is complete, but its length is.
    let is_total = |told: usize| {
        let total = head(1, NUMBER, told as u64);
        datagrams.iter().any(|datagram| datagram.get(6..14) == total.get(6..14))
    };
    let is_told = |told, len| assert!(told == len || is_total(told), "{told} is told of {len}");
    let (mut outcomes, mut peeked) = (Vec::new(), None);
    for &form in forms.iter().cycle() {
        let past = Instant::now();
        let received = match form {
            0 => ours.recv().map(|frame| frame.map(lent)),
            1 => ours.try_recv().map(|frame| frame.map(lent)),
            2 => ours.recv_deadline(past).map(|frame| frame.map(lent)),
            3..=5 => {
                let wait = [Wait::Block, Wait::Try, Wait::Until(past)][usize::from(form - 3)];
                let frame = ours.recv_owned(wait);
                frame.map(|frame| {
                    frame.map(|frame| (frame.bytes().to_vec(), frame.descriptor_count()))
                })
            }
            _ => {
                // This form takes no frame, so it must not be the only one.
                peeked = Some(ours.peek_len(Wait::Block));
                ours.recv().map(|frame| frame.map(lent))
            }
        };
        let outcome = outcome(received);
        match (peeked.take(), &outcome) {
            (Some(Ok(Some(told))), Outcome::Frame(bytes, _)) => is_told(told, bytes.len()),
            (Some(Ok(Some(told))), Outcome::TooLarge(len)) => is_told(told, *len),
            (Some(Ok(None)), other) => {
                assert!(matches!(other, Outcome::End | Outcome::Incomplete(..)), "{other:?}");
            }
            _ => {}
        }
        outcomes.push(outcome);
        if outcomes.last() == Some(&Outcome::End) {
            break;
        }
    }
    assert_eq!(outcomes, Model::of(datagrams, M::DESCRIPTORS));
}

/// Returns the result of a receive in terms of the model.
fn outcome(received: Result<Option<(Vec<u8>, usize)>, RecvError>) -> Outcome {
    match received {
        Ok(Some((bytes, count))) => Outcome::Frame(bytes, count),
        Ok(None) => Outcome::End,
        Err(RecvError::TooLarge { len, limit: LIMIT | MAX_BUNDLE }) => Outcome::TooLarge(len),
        Err(RecvError::Incomplete { received, total }) => Outcome::Incomplete(received, total),
        Err(RecvError::BadFragment(fault)) => Outcome::BadFragment(fault),
        Err(RecvError::BadBundle(fault)) => Outcome::BadBundle(fault),
        Err(other) => panic!("{other:?}"),
    }
}
