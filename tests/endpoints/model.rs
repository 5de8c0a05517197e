//! Receiving in every form, with limits that change, against a model that is too simple to be wrong.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use datagrammar::{Connection, FragmentFault, Frame, Frames, Receiver, RecvError};
use datagrammar_tests::{Numbered, Random, is_one_frame, limits, raw, seed};
use rustix::net::{RecvFlags, SocketType};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A datagram with tag 0, and nothing that belongs there.
const GARBAGE: [u8; 3] = [0, 1, 2];

/// What has been sent and not been received.
#[derive(Debug)]
enum Sent {
    Frame(Vec<u8>),
    /// With what the first one begins with.
    Pieces(Vec<u8>, [u8; 6]),
    Garbage,
}

/// Who receives: a connection can change hands, and its half can receive in all forms.
enum End {
    Whole(Ours),
    Half(Receiver<Numbered<'static>>),
}

/// What a receive comes to.
#[derive(Debug)]
enum Outcome {
    Frame(Vec<u8>),
    TooLarge { len: usize, limit: usize },
    Garbage,
}

struct Model {
    random: Random,
    theirs: OwnedFd,
    ours: End,
    /// With the number of limits that there had been.
    sent: VecDeque<(Sent, usize)>,
    /// All limits that there have been.
    limits: Vec<usize>,
    number: u32,
    /// Whether pieces of a frame that was refused may still come.
    drops: bool,
    /// Whether pieces may come of which the first was dropped.
    orphans: bool,
}

impl Model {
    fn new(random: u64) -> Self {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap();
        ours.set_limits(limits().frame_len(1000));
        let ours = match random % 2 {
            0 => End::Whole(ours),
            _ => End::Half(ours.split().1),
        };
        Self {
            random: Random(random),
            theirs,
            ours,
            sent: VecDeque::new(),
            limits: vec![1000],
            number: 0,
            drops: false,
            orphans: false,
        }
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..9 => self.send(),
            9 => self.set_limits(),
            10 if self.random.below(10) == 0 => self.change_hands(),
            10..13 => self.peek(),
            _ => self.receive(),
        }
    }

    fn send(&mut self) {
        // What finds room, as nobody receives meanwhile.
        if self.sent.len() >= 50 {
            return;
        }
        self.number += 1;
        let longest = if self.random.below(5) == 0 { 1500 } else { 200 };
        let len = 1 + self.random.below(longest) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|at| (at as u32 * self.number) as u8).collect();
        bytes[0] = 1;
        let sent = match self.random.below(12) {
            0 => {
                raw::send(&self.theirs, &GARBAGE).unwrap();
                Sent::Garbage
            }
            1 => {
                let piece_len = (len / 4).max(1 + self.random.below(len as u64) as usize);
                let [one, two, three, four] = self.number.to_le_bytes();
                let head = |kind| [0, kind, one, two, three, four];
                for (piece, at) in bytes.chunks(piece_len).zip(0..) {
                    let (head, place) = match at {
                        0 => (head(1), len),
                        at => (head(2), at * piece_len),
                    };
                    let datagram = [&head, &(place as u64).to_le_bytes()[..], piece].concat();
                    raw::send(&self.theirs, &datagram).unwrap();
                }
                Sent::Pieces(bytes, head(1))
            }
            _ => {
                raw::send(&self.theirs, &bytes).unwrap();
                Sent::Frame(bytes)
            }
        };
        self.sent.push_back((sent, self.limits.len()));
    }

    fn set_limits(&mut self) {
        let limit = 50 * self.random.below(40) as usize;
        let limits = match is_one_frame() {
            true => limits().frame_len(limit),
            false => limits().frame_len(limit).batch(1 + self.random.below(32) as usize),
        };
        match &mut self.ours {
            End::Whole(ours) => ours.set_limits(limits),
            End::Half(ours) => ours.set_limits(limits),
        }
        self.limits.push(limit);
    }

    /// Another goes on with the descriptor, after what has been taken from it.
    fn change_hands(&mut self) {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let End::Whole(whole) = &mut self.ours else { return };
        let (fd, untaken) = mem::replace(whole, Ours::adopt(ours).unwrap()).into_fd().unwrap();
        self.theirs = theirs;
        let mut datagrams = VecDeque::from(untaken);
        let mut buffer = [0; 2000];
        while let Ok((len @ 1.., _)) = rustix::net::recv(&fd, &mut buffer[..], RecvFlags::DONTWAIT)
        {
            datagrams.push_back(buffer[..len].to_vec());
        }
        for datagram in &datagrams {
            raw::send(&self.theirs, datagram).unwrap();
        }
        self.sent.retain(|(sent, since)| {
            let at = datagrams.iter().position(|datagram| match sent {
                Sent::Frame(bytes) => datagram == bytes,
                Sent::Pieces(bytes, head) => datagram == bytes || datagram.starts_with(head),
                Sent::Garbage => *datagram == GARBAGE,
            });
            if let Some(at) = at {
                datagrams.drain(..=at);
                return true;
            }
            // Those over a limit by then may have been dropped, and no others.
            let is_over = |len| self.limits[since - 1..].iter().any(|&limit| len > limit);
            assert!(sent.len().is_some_and(is_over), "a frame is lost: {sent:?}");
            self.orphans |= matches!(sent, Sent::Pieces(..));
            false
        });
        self.drops = true;
        self.set_limits();
    }

    /// The next length is told, whatever is next: unless it is a piece that will be dropped.
    fn peek(&mut self) {
        let Some((sent, _)) = self.sent.front() else { return };
        let expected = sent.len().unwrap_or(GARBAGE.len());
        let len = match &mut self.ours {
            End::Whole(ours) => ours.peek_len().unwrap(),
            End::Half(ours) => ours.peek_len().unwrap(),
        };
        let other = self.drops || self.orphans;
        assert!(len == Some(expected) || other, "{len:?} is not {expected}");
    }

    fn receive(&mut self) {
        // Waiting forms are for when there is something.
        let waits = !self.sent.is_empty();
        let form = self.random.below(9);
        let form = if waits { form } else { form - form % 3 };
        let take = self.random.below(33) as usize;
        let outcomes = match &mut self.ours {
            End::Whole(ours) => receive_whole(ours, form, take, waits),
            End::Half(ours) => receive_half(ours, form, take),
        };
        for outcome in outcomes {
            self.check(outcome);
        }
    }

    fn check(&mut self, received: Result<Outcome, RecvError>) {
        let limit = *self.limits.last().unwrap();
        let outcome = match received {
            Ok(outcome) => outcome,
            Err(RecvError::WouldBlock) => return assert!(self.sent.is_empty(), "frames are lost"),
            Err(RecvError::BadFragment(FragmentFault::Orphan { .. })) => {
                return assert!(self.drops || self.orphans, "pieces that were dropped");
            }
            Err(other) => panic!("{other:?}"),
        };
        let (sent, since) = self.sent.pop_front().expect("what was sent");
        let limits = &self.limits[since - 1..];
        match (&sent, outcome) {
            (Sent::Garbage, Outcome::Garbage) => {}
            (Sent::Frame(bytes), Outcome::Frame(received)) => {
                assert!(*bytes == received && received.len() <= limit);
            }
            // Where it was complete before the limit was set, that comes too late.
            (Sent::Pieces(bytes, _), Outcome::Frame(received)) => {
                assert!(*bytes == received && limits.iter().any(|&limit| received.len() <= limit));
            }
            (sent, Outcome::TooLarge { len, limit: exceeded }) => {
                assert!(Some(len) == sent.len() && len > exceeded && exceeded <= limit);
                // Or the limit when it was taken, if that was less.
                assert!(exceeded == limit || !is_one_frame() && limits.contains(&exceeded));
            }
            (sent, outcome) => panic!("{sent:?} came as {outcome:?}"),
        }
        self.drops = !matches!(sent, Sent::Frame(_));
    }
}

impl Sent {
    /// The length of a frame.
    fn len(&self) -> Option<usize> {
        match self {
            Self::Frame(bytes) | Self::Pieces(bytes, _) => Some(bytes.len()),
            Self::Garbage => None,
        }
    }
}

/// Receives in one form, or up to `take` frames of a batch.
fn receive_half(
    ours: &mut Receiver<Numbered<'static>>,
    form: u64,
    take: usize,
) -> Vec<Result<Outcome, RecvError>> {
    let mut buffer = Vec::new();
    let soon = Instant::now() + Duration::from_secs(30);
    match form {
        0 => one(ours.try_recv()),
        1 => one(ours.recv()),
        2 => one(ours.recv_deadline(soon)),
        3 => one(ours.try_recv_into(&mut buffer)),
        4 => one(ours.recv_into(&mut buffer)),
        5 => one(ours.recv_into_deadline(&mut buffer, soon)),
        6 => several(ours.try_recv_batch(), take),
        7 => several(ours.recv_batch(), take),
        _ => several(ours.recv_batch_deadline(soon), take),
    }
}

fn receive_whole(
    ours: &mut Ours,
    form: u64,
    take: usize,
    waits: bool,
) -> Vec<Result<Outcome, RecvError>> {
    let soon = Instant::now() + Duration::from_secs(30);
    match form {
        1 => one(ours.recv()),
        2 => one(ours.recv_deadline(soon)),
        3..=8 if waits => several(ours.recv_batch(), take),
        _ => one(ours.try_recv()),
    }
}

fn one(
    received: Result<Option<Frame<'_, Numbered<'_>>>, RecvError>,
) -> Vec<Result<Outcome, RecvError>> {
    let frame = received.map(|frame| Outcome::Frame(frame.expect("no end").bytes().to_vec()));
    vec![frame.or_else(outcome)]
}

fn several(
    received: Result<Option<Frames<'_, Numbered<'static>>>, RecvError>,
    take: usize,
) -> Vec<Result<Outcome, RecvError>> {
    match received {
        Ok(frames) => {
            let frames = frames.expect("no end").take(take);
            frames.map(|frame| Ok(Outcome::Frame(frame.bytes().to_vec()))).collect()
        }
        Err(error) => vec![outcome(error)],
    }
}

fn outcome(error: RecvError) -> Result<Outcome, RecvError> {
    match error {
        RecvError::TooLarge { len, limit } => Ok(Outcome::TooLarge { len, limit }),
        RecvError::BadFragment(FragmentFault::Short { len: 3 }) => Ok(Outcome::Garbage),
        other => Err(other),
    }
}

#[test]
fn whatever_comes_and_however_it_is_received_it_comes_in_order_and_within_the_limits() {
    let mut random = Random(seed());
    for _ in 0..200 {
        let mut model = Model::new(random.below(u64::MAX));
        for _ in 0..300 {
            model.step();
        }
        while !model.sent.is_empty() {
            model.receive();
        }
    }
}
