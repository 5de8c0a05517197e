//! Receiving in every form, with limits that change, against a model that is too simple to be wrong.

use std::collections::VecDeque;
use std::mem;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use datagrammar::{BundleFault, Connection, FragmentFault, Limits, RecvError, Wait};
use datagrammar_tests::{InMode as _, Numbered, Random, raw, seed};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A datagram with tag 0 that is not valid.
const GARBAGE: [u8; 3] = [0, 1, 2];

/// The expected result of a receive.
#[derive(Debug, Clone, PartialEq)]
enum Next {
    Frame(Vec<u8>),
    Garbage,
    /// The end of a bundle that announces one frame more than it has.
    Missing,
}

/// The results of a datagram, or of a series of pieces.
#[derive(Debug, Default)]
struct Sent {
    nexts: VecDeque<Next>,
    is_bundle: bool,
    /// Whether the datagram was read: a part of the bundle was received, or it was handed over.
    is_begun: bool,
    /// The number of pieces after the first.
    further: usize,
}

struct Model {
    random: Random,
    theirs: OwnedFd,
    ours: Ours,
    sent: VecDeque<Sent>,
    limit: usize,
    number: u32,
    /// The number of queued pieces of a refused frame before everything else.
    refused: usize,
    /// Whether the receiver does not know that they belong to a refused frame.
    orphaned: bool,
}

impl Model {
    fn new(random: u64) -> Self {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        ours.rx.set_limits(Limits::default().frame_len(1000));
        Self {
            random: Random(random),
            theirs,
            ours,
            sent: VecDeque::new(),
            limit: 1000,
            number: 0,
            refused: 0,
            orphaned: false,
        }
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..9 => self.send(),
            9 => self.set_limits(),
            10 if self.random.below(3) == 0 => self.change_hands(),
            10..13 => self.peek(),
            _ => self.receive(),
        }
    }

    fn frame(&mut self) -> Vec<u8> {
        self.number += 1;
        let longest = if self.random.below(5) == 0 { 1500 } else { 200 };
        let len = 1 + self.random.below(longest) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|at| (at as u32 * self.number) as u8).collect();
        bytes[0] = 1;
        bytes
    }

    fn send(&mut self) {
        // As many as fit, because no one receives meanwhile.
        if self.sent.len() >= 50 {
            return;
        }
        let sent = match self.random.below(12) {
            0 => {
                raw::send(&self.theirs, &GARBAGE).unwrap();
                Sent { nexts: [Next::Garbage].into(), ..Sent::default() }
            }
            1 | 2 => self.send_pieces(),
            3..6 => self.send_bundle(),
            _ => {
                let frame = self.frame();
                raw::send(&self.theirs, &frame).unwrap();
                Sent { nexts: [Next::Frame(frame)].into(), ..Sent::default() }
            }
        };
        self.sent.push_back(sent);
    }

    fn send_pieces(&mut self) -> Sent {
        let frame = self.frame();
        let len = frame.len();
        let piece_len = (len / 4).max(1 + self.random.below(len as u64) as usize);
        for (at, piece) in frame.chunks(piece_len).enumerate() {
            let (kind, place) = if at == 0 { (1, len) } else { (2, at * piece_len) };
            raw::send(&self.theirs, &head(kind, self.number, place, &[piece])).unwrap();
        }
        let further = len.div_ceil(piece_len) - 1;
        Sent { nexts: [Next::Frame(frame)].into(), further, ..Sent::default() }
    }

    fn send_bundle(&mut self) -> Sent {
        let frames: Vec<_> = (0..1 + self.random.below(6)).map(|_| self.frame()).collect();
        let missing = usize::from(self.random.below(4) == 0);
        let lens: Vec<_> = frames.iter().map(|frame| varint(frame.len())).collect();
        let parts: Vec<&[u8]> =
            lens.iter().zip(&frames).flat_map(|(len, frame)| [&len[..], frame]).collect();
        raw::send(&self.theirs, &head(4, 0, frames.len() + missing, &parts)).unwrap();
        let nexts = frames.into_iter().map(Next::Frame);
        let nexts = nexts.chain((missing > 0).then_some(Next::Missing)).collect();
        Sent { nexts, is_bundle: true, ..Sent::default() }
    }

    fn set_limits(&mut self) {
        self.limit = 50 * self.random.below(40) as usize;
        self.ours.rx.set_limits(Limits::default().frame_len(self.limit));
    }

    /// Another owner continues with the descriptor, after a part was read from it.
    fn change_hands(&mut self) {
        let (_theirs, other) = Ours::pair().unwrap();
        let (fd, unread) = mem::replace(&mut self.ours, other).into_fd().unwrap();
        // Each frame is handed over as a datagram, but not the fault of the rest of a bundle.
        let mut expected = Vec::new();
        while let Some(begun) = self.sent.pop_front_if(|sent| sent.is_begun) {
            let frames = begun.nexts.into_iter().filter_map(|next| match next {
                Next::Frame(frame) => Some(frame),
                Next::Garbage | Next::Missing => None,
            });
            expected.extend(frames);
        }
        for frame in expected.iter().rev() {
            let nexts = [Next::Frame(frame.clone())].into();
            self.sent.push_front(Sent { nexts, is_begun: true, ..Sent::default() });
        }
        assert_eq!(unread, expected);
        self.ours = Ours::adopt(fd).unwrap().in_mode();
        self.ours.rx.restore(unread);
        self.orphaned = self.refused > 0;
        self.set_limits();
    }

    /// The length of the next frame is reported, whatever comes next.
    fn peek(&mut self) {
        let peeked = match self.sent.is_empty() {
            true => self.ours.rx.peek_len(Wait::Try),
            false => self.ours.rx.peek_len(Wait::Block),
        };
        // A receiver that does not know that a piece belongs to a refused frame reports it.
        if self.orphaned {
            return;
        }
        self.refused = 0;
        match (self.sent.front().map(|sent| &sent.nexts[0]), peeked) {
            (None, Err(RecvError::WouldBlock)) => {}
            (Some(Next::Frame(frame)), Ok(Some(len))) => assert_eq!(len, frame.len()),
            (Some(Next::Garbage), Ok(Some(len))) => assert_eq!(len, GARBAGE.len()),
            (Some(Next::Missing), Err(RecvError::BadBundle(_))) => {}
            (next, peeked) => panic!("{peeked:?} before {next:?}"),
        }
    }

    fn receive(&mut self) {
        // Waiting forms only run if a result is queued.
        let form = if self.sent.is_empty() { 0 } else { self.random.below(3) };
        let soon = Instant::now() + Duration::from_secs(30);
        let wait = [Wait::Try, Wait::Block, Wait::Until(soon)][form as usize];
        let ours = &mut self.ours;
        let received = if self.random.below(3) == 0 {
            ours.rx.recv_owned(wait).map(|frame| frame.expect("no end").bytes().to_vec())
        } else {
            let received = match wait {
                Wait::Try => ours.try_recv(),
                Wait::Block => ours.recv(),
                Wait::Until(deadline) => ours.recv_deadline(deadline),
            };
            received.map(|frame| frame.expect("no end").bytes().to_vec())
        };
        self.check(received);
    }

    fn check(&mut self, received: Result<Vec<u8>, RecvError>) {
        if mem::take(&mut self.orphaned) {
            self.refused -= 1;
            let orphan = RecvError::BadFragment(FragmentFault::Orphan { offset: 0 });
            let is_orphan =
                |found: &RecvError| mem::discriminant(found) == mem::discriminant(&orphan);
            return assert!(received.as_ref().is_err_and(is_orphan), "{received:?}");
        }
        // The rest of a refused frame has been dropped by now.
        self.refused = 0;
        let Some(sent) = self.sent.front_mut() else {
            return assert!(matches!(received, Err(RecvError::WouldBlock)), "{received:?}");
        };
        let next = sent.nexts.pop_front().expect("what was sent");
        match (&next, received) {
            (Next::Frame(frame), Ok(bytes)) => {
                assert!(*frame == bytes && bytes.len() <= self.limit);
            }
            (Next::Frame(frame), Err(RecvError::TooLarge { len, limit })) => {
                assert!(len == frame.len() && len > limit && limit == self.limit);
                self.refused = sent.further;
            }
            (Next::Garbage, Err(RecvError::BadFragment(FragmentFault::Short { len: 3 }))) => {}
            (Next::Missing, Err(RecvError::BadBundle(fault))) => {
                assert_eq!(fault, BundleFault::Missing { missing: 1 });
            }
            (next, received) => panic!("{next:?} came as {received:?}"),
        }
        sent.is_begun = sent.is_bundle;
        self.sent.pop_front_if(|sent| sent.nexts.is_empty());
    }
}

/// A datagram of the runtime.
fn head(kind: u8, number: u32, place: usize, parts: &[&[u8]]) -> Vec<u8> {
    let place = (place as u64).to_le_bytes();
    [&[0, kind][..], &number.to_le_bytes(), &place, &parts.concat()].concat()
}

/// The length before a frame of a bundle.
fn varint(len: usize) -> Vec<u8> {
    match len {
        0..=250 => vec![len as u8],
        _ => [&[251][..], &(len as u16).to_le_bytes()].concat(),
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
