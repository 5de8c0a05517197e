//! Frames in pieces, against a model that keeps everything and is too simple to be wrong.

use datagrammar::{Connection, FragmentFault, RecvError};
use datagrammar_tests::{InMode as _, Numbered, limits, raw};
use proptest::prelude::*;
use rustix::net::SocketType;

const LIMIT: usize = 60;

/// What a peer sends.
#[derive(Debug, Clone)]
enum Datagram {
    /// A frame by itself, of this length.
    Frame(usize),
    First {
        total: u64,
        len: usize,
    },
    /// Where it begins is told relative to where it should.
    Next {
        shift: i64,
        len: usize,
    },
    Unknown {
        kind: u8,
    },
    Cut {
        len: usize,
    },
}

/// What a receive comes to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Frame(Vec<u8>),
    TooLarge(usize),
    Incomplete(usize, usize),
    Bad(FragmentFault),
    End,
}

fn datagrams() -> impl Strategy<Value = Vec<Datagram>> {
    let next = (prop_oneof![9 => Just(0), 1 => -2..=2_i64], 1..25_usize);
    let datagram = prop_oneof![
        2 => (1..=LIMIT + 3).prop_map(Datagram::Frame),
        3 => (prop_oneof![9 => 0..70_u64, 1 => any::<u64>()], 1..25_usize)
            .prop_map(|(total, len)| Datagram::First { total, len }),
        8 => next.prop_map(|(shift, len)| Datagram::Next { shift, len }),
        1 => (3..=255_u8).prop_map(|kind| Datagram::Unknown { kind }),
        1 => (1..=14_usize).prop_map(|len| Datagram::Cut { len }),
    ];
    prop::collection::vec(datagram, 0..30)
}

/// The bytes of what a peer sends, and what it leads to, one after the other.
fn model(datagrams: &[Datagram]) -> (Vec<Vec<u8>>, Vec<Outcome>) {
    enum State {
        Idle,
        Refused,
        Gathering { total: usize, bytes: Vec<u8> },
    }
    let (mut sent, mut outcomes) = (Vec::new(), Vec::new());
    let mut state = State::Idle;
    let mut filler = 0_u8;
    let mut fill = |len: usize| -> Vec<u8> {
        (0..len)
            .map(|_| {
                filler = filler.wrapping_add(1);
                filler
            })
            .collect()
    };
    let envelope = |kind: u8, place: u64, bytes: &[u8]| {
        [&[0, kind, 7, 7, 7, 7][..], &place.to_le_bytes(), bytes].concat()
    };
    for datagram in datagrams {
        // What comes in the way of a frame under way ends it, and is looked at afterwards.
        let interrupts = matches!(datagram, Datagram::Frame(_) | Datagram::First { .. });
        if let State::Gathering { total, bytes } = &state
            && interrupts
        {
            outcomes.push(Outcome::Incomplete(bytes.len(), *total));
            state = State::Idle;
        }
        match *datagram {
            Datagram::Frame(len) => {
                let bytes = [vec![1], fill(len - 1)].concat();
                outcomes.push(match len {
                    ..=LIMIT => Outcome::Frame(bytes.clone()),
                    _ => Outcome::TooLarge(len),
                });
                sent.push(bytes);
                // Pieces that come after it are none of the frame before it.
                state = State::Idle;
            }
            Datagram::First { total, len } => {
                let bytes = fill(len);
                sent.push(envelope(1, total, &bytes));
                let total = total as usize;
                state = if total > LIMIT {
                    outcomes.push(Outcome::TooLarge(total));
                    State::Refused
                } else if len > total {
                    let fault = FragmentFault::Overrun { offset: 0, len, total };
                    outcomes.push(Outcome::Bad(fault));
                    State::Refused
                } else if len == total {
                    outcomes.push(Outcome::Frame(bytes));
                    State::Idle
                } else {
                    State::Gathering { total, bytes }
                };
            }
            Datagram::Next { shift, len } => {
                let more = fill(len);
                let expected = match &state {
                    State::Gathering { bytes, .. } => bytes.len(),
                    _ => 0,
                };
                let offset = (expected as u64).wrapping_add_signed(shift);
                sent.push(envelope(2, offset, &more));
                state = match state {
                    State::Idle => {
                        outcomes.push(Outcome::Bad(FragmentFault::Orphan { offset }));
                        State::Refused
                    }
                    State::Refused => State::Refused,
                    State::Gathering { .. } if shift != 0 => {
                        let fault = FragmentFault::Offset { expected, found: offset };
                        outcomes.push(Outcome::Bad(fault));
                        State::Refused
                    }
                    State::Gathering { total, .. } if expected + len > total => {
                        let fault = FragmentFault::Overrun { offset: expected, len, total };
                        outcomes.push(Outcome::Bad(fault));
                        State::Refused
                    }
                    State::Gathering { total, bytes } => {
                        let bytes = [bytes, more].concat();
                        match bytes.len() == total {
                            true => {
                                outcomes.push(Outcome::Frame(bytes));
                                State::Idle
                            }
                            false => State::Gathering { total, bytes },
                        }
                    }
                };
            }
            Datagram::Unknown { kind } => {
                sent.push(envelope(kind, 7, &[7]));
                outcomes.push(Outcome::Bad(FragmentFault::Kind(kind)));
                state = State::Refused;
            }
            Datagram::Cut { len } => {
                let mut bytes = envelope(1, 100, &[]);
                bytes.truncate(len);
                sent.push(bytes);
                outcomes.push(Outcome::Bad(FragmentFault::Short { len }));
                state = State::Refused;
            }
        }
    }
    if let State::Gathering { total, bytes } = state {
        outcomes.push(Outcome::Incomplete(bytes.len(), total));
    }
    outcomes.push(Outcome::End);
    (sent, outcomes)
}

proptest! {
    #[test]
    fn whatever_pieces_come_the_receiver_does_as_the_model(datagrams in datagrams()) {
        let (sent, expected) = model(&datagrams);
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours =
            Connection::<Numbered<'static>, Numbered<'static>>::adopt(ours).unwrap().in_mode();
        ours.set_limits(limits().frame_len(LIMIT));
        for datagram in &sent {
            raw::send(&theirs, datagram).unwrap();
        }
        drop(theirs);
        let mut outcomes = Vec::new();
        while outcomes.last() != Some(&Outcome::End) {
            outcomes.push(match ours.recv() {
                Ok(Some(frame)) => Outcome::Frame(frame.bytes().to_vec()),
                Ok(None) => Outcome::End,
                Err(RecvError::TooLarge { len, limit: LIMIT }) => Outcome::TooLarge(len),
                Err(RecvError::Incomplete { received, total }) => {
                    Outcome::Incomplete(received, total)
                }
                Err(RecvError::BadFragment(fault)) => Outcome::Bad(fault),
                Err(other) => panic!("{other:?}"),
            });
        }
        prop_assert_eq!(outcomes, expected);
    }
}
