//! Frames in pieces, against a model that keeps everything and is too simple to be wrong.

use std::iter;
use std::os::fd::AsFd as _;
use std::time::Instant;

use datagrammar::{Connection, FragmentFault, Frame, Message, RecvError};
use datagrammar_tests::leaks::Parcel;
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
            outcomes.push(outcome(ours.recv().map(|frame| Some(frame?.bytes().to_vec()))));
        }
        prop_assert_eq!(outcomes, expected);
    }

    #[test]
    fn however_it_is_received_the_same_comes(
        datagrams in datagrams(),
        forms in prop::collection::vec((0..12_u8, 1..=32_usize), 1..20),
    ) {
        by_all_forms::<Numbered<'static>>(&datagrams, &forms);
        by_all_forms::<Parcel>(&datagrams, &forms);
    }
}

/// What the result of a receive is to the model.
fn outcome(received: Result<Option<Vec<u8>>, RecvError>) -> Outcome {
    match received {
        Ok(Some(bytes)) => Outcome::Frame(bytes),
        Ok(None) => Outcome::End,
        Err(RecvError::TooLarge { len, limit: LIMIT }) => Outcome::TooLarge(len),
        Err(RecvError::Incomplete { received, total }) => Outcome::Incomplete(received, total),
        Err(RecvError::BadFragment(fault)) => Outcome::Bad(fault),
        Err(other) => panic!("{other:?}"),
    }
}

/// Receives by one form after the other, of batches more or less, with other limits each time. Where
/// descriptors may come, one comes with each datagram that ends with an odd byte, and with its frame.
fn by_all_forms<M: Message>(datagrams: &[Datagram], forms: &[(u8, usize)]) {
    const FLOOD: usize = 4;
    let flood = iter::repeat_n(Datagram::Frame(LIMIT), FLOOD);
    let (sent, expected) = model(&flood.chain(datagrams.iter().cloned()).collect::<Vec<_>>());
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let ours = Connection::<M, M>::adopt(ours).unwrap().in_mode();
    let (_sender, mut ours) = ours.split();
    ours.set_limits(limits().frame_len(LIMIT));
    let (beside, _) = std::io::pipe().unwrap();
    for datagram in &sent {
        match count(datagram) {
            1 if M::DESCRIPTORS => {
                raw::send_with(&theirs, datagram, &[&[beside.as_fd()]]).unwrap();
            }
            _ => raw::send(&theirs, datagram).unwrap(),
        }
    }
    drop(theirs);
    let bytes = |frame: Frame<'_, M>| {
        let expected = if M::DESCRIPTORS { count(frame.bytes()) } else { 0 };
        assert_eq!(frame.descriptor_count(), expected);
        frame.bytes().to_vec()
    };
    let (mut outcomes, mut buffer) = (Vec::new(), Vec::new());
    for &(form, many) in forms.iter().cycle().take(1000) {
        if outcomes.last() == Some(&Outcome::End) {
            break;
        }
        let past = Instant::now();
        let received = match form {
            0 => ours.recv().map(|frame| frame.map(bytes)),
            1 => ours.try_recv().map(|frame| frame.map(bytes)),
            2 => ours.recv_deadline(past).map(|frame| frame.map(bytes)),
            3 => ours.recv_into(&mut buffer).map(|frame| frame.map(bytes)),
            4 => ours.try_recv_into(&mut buffer).map(|frame| frame.map(bytes)),
            5 => ours.recv_into_deadline(&mut buffer, past).map(|frame| frame.map(bytes)),
            6 => {
                ours.set_limits(limits().frame_len(LIMIT).batch(many));
                continue;
            }
            7 => {
                _ = ours.peek_len(datagrammar::Wait::Block);
                continue;
            }
            8 => {
                // Looked at, and left.
                let Err(error) = ours
                    .try_recv_batch()
                    .map(|frames| assert!(frames.is_none_or(|frames| frames.len() > 0)))
                else {
                    continue;
                };
                Err(error)
            }
            _ => {
                let frames = match form {
                    9 => ours.recv_batch(),
                    10 => ours.try_recv_batch(),
                    _ => ours.recv_batch_deadline(past),
                };
                match frames {
                    Ok(Some(frames)) => {
                        outcomes
                            .extend(frames.take(many).map(|frame| Outcome::Frame(bytes(frame))));
                        continue;
                    }
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        };
        match received {
            // After a piece, where more of them are in the socket.
            Err(RecvError::TimedOut) => {
                // Not for ever: the next form may be the same.
                let next = ours.try_recv().map(|frame| frame.map(bytes));
                outcomes.push(outcome(next));
            }
            received => outcomes.push(outcome(received)),
        }
    }
    while outcomes.last() != Some(&Outcome::End) {
        outcomes.push(outcome(ours.recv().map(|frame| frame.map(bytes))));
    }
    assert_eq!(outcomes, expected);
}

/// How many descriptors come with a datagram, or with the frame that it is the end of.
fn count(bytes: &[u8]) -> usize {
    bytes.last().map_or(0, |&last| usize::from(last & 1))
}
