//! Malformed bundles: a typed error, the rest of the datagram is dropped, and the next one is received. On connections,
//! UNIX sockets and UDP alike.

use std::net::UdpSocket;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use datagrammar::{BundleFault, Connection, FragmentFault, Limits, Message, RecvError, Socket};
use datagrammar_tests::datagrams::{bundle, bundle_of, head, piece, pieces, wide_varint};
use datagrammar_tests::leaks::Parcel;
use datagrammar_tests::{Directory, InMode as _, Numbered, options, raw};
use rustix::net::SocketType;

/// The frame numbered 7, with a body of one byte.
const SEVEN: [u8; 4] = [1, 7, 1, 7];

/// A raw sender, and the receiver of its datagrams.
struct Link<M> {
    theirs: OwnedFd,
    ours: Receiving<M>,
    _directory: Directory,
}

enum Receiving<M> {
    Connection(Connection<M, M>),
    Socket(Socket<M, M>),
}

impl<M: Message> Link<M> {
    /// One of each kind.
    fn all() -> [Self; 3] {
        let directory = Directory::new();
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let ours = Receiving::Connection(Connection::adopt(ours).unwrap().in_mode());
        let connection = Self { theirs, ours, _directory: Directory::new() };

        let address = directory.address("socket");
        let ours = Receiving::Socket(Socket::bind_with(&address, &options()).unwrap());
        let theirs = UnixDatagram::unbound().unwrap();
        theirs.connect(directory.path().join("socket")).unwrap();
        let unix = Self { theirs: theirs.into(), ours, _directory: directory };

        let address = "udp:127.0.0.1:0".parse().unwrap();
        let ours = Socket::<M, M>::bind_with(&address, &options()).unwrap();
        let theirs = UdpSocket::bind("127.0.0.1:0").unwrap();
        theirs.connect(ours.local_addr().unwrap().as_udp().unwrap()).unwrap();
        let ours = Receiving::Socket(ours);
        [connection, unix, Self { theirs: theirs.into(), ours, _directory: Directory::new() }]
    }

    fn is_udp(&self) -> bool {
        matches!(&self.ours, Receiving::Socket(socket)
            if socket.local_addr().unwrap().as_udp().is_some())
    }

    fn send(&self, datagram: &[u8]) {
        raw::send(&self.theirs, datagram).unwrap();
    }

    /// Returns the bytes of the next frame, and how many descriptors came with it.
    fn recv(&mut self) -> Result<(Vec<u8>, usize), RecvError> {
        let frame = match &mut self.ours {
            Receiving::Connection(ours) => ours.recv()?.expect("a frame"),
            Receiving::Socket(ours) => ours.recv_from()?.0,
        };
        Ok((frame.bytes().to_vec(), frame.descriptor_count()))
    }

    fn set_limit(&mut self, limit: usize) {
        let limits = Limits::default().frame_len(limit);
        match &mut self.ours {
            Receiving::Connection(ours) => ours.rx.set_limits(limits),
            Receiving::Socket(ours) => ours.rx.set_limits(limits),
        }
    }

    /// Checks that this many frames numbered 7 arrive, then `fault`, and then the next datagram.
    fn expect(&mut self, frames: usize, fault: &BundleFault) {
        for _ in 0..frames {
            assert_eq!(self.recv().unwrap().0, SEVEN, "before {fault:?}");
        }
        match self.recv() {
            Err(RecvError::BadBundle(found)) => assert_eq!(found, *fault),
            other => panic!("{fault:?}: {other:?}"),
        }
        self.expect_in_step();
    }

    fn expect_in_step(&mut self) {
        self.send(&[1, 5, 0]);
        assert_eq!(self.recv().unwrap().0, [1, 5, 0]);
        self.send(&bundle(&[SEVEN, SEVEN]));
        for _ in 0..2 {
            assert_eq!(self.recv().unwrap().0, SEVEN);
        }
    }
}

/// Two good frames and then `more`, in a bundle that announces `count` frames.
fn after_two(count: u64, more: &[u8]) -> Vec<u8> {
    let two = bundle(&[SEVEN, SEVEN]);
    bundle_of(count, &[&two[14..], more].concat())
}

#[test]
fn every_fault_of_a_bundle_costs_the_rest_of_that_datagram() {
    use BundleFault::{Length, Missing, NotAFrame, Overrun, Trailing};
    // The number of frames before the fault. Two good frames take 10 bytes, after a head of 14.
    let cases: Vec<(Vec<u8>, usize, BundleFault)> = vec![
        (head(4, 0, 0), 0, Missing { missing: 1 }),
        (head(4, 0, 9), 0, Missing { missing: 9 }),
        (head(4, 0, u64::MAX), 0, Missing { missing: u64::MAX }),
        (after_two(3, &[]), 2, Missing { missing: 1 }),
        (after_two(u64::MAX, &[]), 2, Missing { missing: u64::MAX - 2 }),
        (bundle_of(0, &[1, 1]), 0, Trailing { left: 2 }),
        (after_two(1, &[]), 1, Trailing { left: 5 }),
        (after_two(2, &[9]), 2, Trailing { left: 1 }),
        (after_two(3, &[254, 1, 1]), 2, Length { at: 24 }),
        (after_two(3, &[255]), 2, Length { at: 24 }),
        (after_two(3, &[251, 1]), 2, Length { at: 24 }),
        (after_two(3, &[252, 1, 0, 0]), 2, Length { at: 24 }),
        (after_two(3, &[253, 1, 0, 0, 0, 0, 0, 0]), 2, Length { at: 24 }),
        (after_two(3, &[4, 1, 7, 1]), 2, Overrun { at: 25, len: 4, left: 3 }),
        (after_two(3, &[5]), 2, Overrun { at: 25, len: 5, left: 0 }),
        (after_two(3, &wide_varint(1 << 40, 253)), 2, Overrun { at: 33, len: 1 << 40, left: 0 }),
        (after_two(3, &wide_varint(u64::MAX, 253)), 2, Overrun { at: 33, len: u64::MAX, left: 0 }),
        (after_two(3, &[0]), 2, NotAFrame { at: 25 }),
        (after_two(4, &[0, 1, 1]), 2, NotAFrame { at: 25 }),
        (after_two(3, &[1, 0]), 2, NotAFrame { at: 25 }),
    ];
    for mut link in Link::<Numbered<'static>>::all() {
        for (datagram, frames, fault) in &cases {
            link.send(datagram);
            link.expect(*frames, fault);
        }
    }
}

#[test]
fn no_datagram_with_tag_0_is_a_frame_of_a_bundle() {
    let inner = [
        bundle(&[SEVEN, SEVEN]),
        piece(1, 4, &SEVEN),
        piece(2, 0, &SEVEN),
        head(3, 0, 4),
        vec![0; 3],
    ];
    for mut link in Link::<Numbered<'static>>::all() {
        for inner in &inner {
            link.send(&bundle(&[&SEVEN[..], inner, &SEVEN]));
            link.expect(1, &BundleFault::NotAFrame { at: 20 });
        }
    }
    // Tag 0 in another encoding is not a head, and not a message either.
    for mut link in Link::<Numbered<'static>>::all() {
        link.send(&bundle(&[&[251, 0, 0][..], &SEVEN]));
        assert_eq!(link.recv().unwrap().0, [251, 0, 0]);
        assert_eq!(link.recv().unwrap().0, SEVEN);
    }
}

#[test]
fn any_varint_of_a_length_is_read() {
    for mut link in Link::<Numbered<'static>>::all() {
        for first in 251..=253 {
            let length = wide_varint(SEVEN.len() as u64, first);
            let body = [&length[..], &SEVEN, &[4], &SEVEN, &length, &SEVEN].concat();
            link.send(&bundle_of(3, &body));
            for _ in 0..3 {
                assert_eq!(link.recv().unwrap().0, SEVEN);
            }
            // A frame whose announced length exceeds the remaining bytes.
            let length = wide_varint(SEVEN.len() as u64 + 1, first);
            link.send(&bundle_of(2, &[&[4][..], &SEVEN, &length, &SEVEN].concat()));
            let at = 14 + 5 + length.len();
            link.expect(1, &BundleFault::Overrun { at, len: 5, left: 4 });
        }
    }
}

#[test]
fn a_frame_over_the_limit_costs_the_others_of_its_bundle_nothing() {
    for mut link in Link::<Numbered<'static>>::all() {
        link.set_limit(10);
        let frames = [&SEVEN[..], &[1; 11], &SEVEN, &[1; 300], &[1; 10], &[1; 11]];
        link.send(&bundle(&frames));
        for frame in frames {
            match link.recv() {
                Ok((bytes, 0)) if frame.len() <= 10 => assert_eq!(bytes, frame),
                Err(RecvError::TooLarge { len, limit: 10 }) => assert_eq!(len, frame.len()),
                other => panic!("{other:?}"),
            }
        }
        link.expect_in_step();
    }
}

#[test]
fn a_bundle_is_at_most_65_536_bytes_long() {
    const MAX: usize = 65_536;
    for mut link in Link::<Numbered<'static>>::all() {
        // Two frames after lengths of 3 bytes fill a bundle to the last byte. UDP carries 65,507.
        let max = if link.is_udp() { 65_507 } else { MAX };
        let halves = [vec![1; 32_000], vec![2; max - 14 - 3 - 3 - 32_000]];
        let longest = bundle(&halves);
        assert_eq!(longest.len(), max);
        link.send(&longest);
        for half in &halves {
            assert!(link.recv().unwrap().0 == *half);
        }
        if link.is_udp() {
            continue;
        }
        // Also with a limit below that length, because a bundle of small frames is read whole.
        for limit in [10, usize::MAX] {
            link.set_limit(limit);
            for more in [MAX - 14 - 6 - 32_000 + 1, 100_000] {
                let long = bundle(&[vec![1; 32_000], vec![2; more]]);
                link.send(&long);
                link.expect(0, &BundleFault::Long { len: long.len(), max: MAX });
            }
        }
    }
}

#[test]
fn descriptors_beside_a_bundle_are_closed_and_the_bundle_is_dropped() {
    for mut link in Link::<Parcel>::all() {
        if link.is_udp() {
            continue;
        }
        for (count, whole) in [(1, true), (3, true), (2, false)] {
            // The other end of the pipe shows when its copies are closed.
            let (mut left, right) = std::io::pipe().unwrap();
            let list: Vec<BorrowedFd<'_>> = std::iter::repeat_n(right.as_fd(), count).collect();
            let datagram = if whole { bundle(&[[2, 0, 1], [2, 0, 0]]) } else { head(4, 0, 2) };
            raw::send_with(&link.theirs, &datagram, &[&list]).unwrap();
            drop(right);
            match link.recv() {
                Err(RecvError::BadBundle(BundleFault::Descriptors { count: told })) => {
                    assert_eq!(told, count);
                }
                other => panic!("{other:?}"),
            }
            rustix::io::ioctl_fionbio(&left, true).unwrap();
            assert!(matches!(std::io::Read::read(&mut left, &mut [0]), Ok(0)), "a copy is open");
            link.expect_in_step();
        }
        // The descriptors of a frame outside the bundle come with that frame, and with no frame of the bundle.
        let (_, right) = std::io::pipe().unwrap();
        link.send(&bundle(&[[2, 0, 1], [2, 0, 0]]));
        raw::send_with(&link.theirs, &[2, 1, 1], &[&[right.as_fd()]]).unwrap();
        for (count, frame) in [(0, [2, 0, 1]), (0, [2, 0, 0]), (1, [2, 1, 1])] {
            assert_eq!(link.recv().unwrap(), (frame.to_vec(), count));
        }
    }
}

#[test]
fn a_bundle_between_pieces_ends_their_frame() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Numbered<'_>, Numbered<'_>>::adopt(ours).unwrap().in_mode();
    for faulty in [false, true] {
        raw::send(&theirs, &piece(1, 1000, &[7; 600])).unwrap();
        raw::send(&theirs, &if faulty { after_two(3, &[]) } else { after_two(2, &[]) }).unwrap();
        raw::send(&theirs, &piece(2, 600, &[7; 400])).unwrap();
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        match ours.recv() {
            Err(RecvError::Incomplete { received: 600, total: 1000 }) => {}
            other => panic!("{other:?}"),
        }
        for _ in 0..2 {
            assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), SEVEN);
        }
        if faulty {
            let missing = BundleFault::Missing { missing: 1 };
            assert!(matches!(ours.recv(), Err(RecvError::BadBundle(fault)) if fault == missing));
        }
        // The rest of the frame after it belongs to no frame.
        let orphan = FragmentFault::Orphan { offset: 600 };
        assert!(matches!(ours.recv(), Err(RecvError::BadFragment(fault)) if fault == orphan));
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), [1, 5, 0]);
    }
}

#[test]
fn a_bundle_in_pieces_is_read_as_if_it_had_come_in_one() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Connection::<Numbered<'_>, Numbered<'_>>::adopt(ours).unwrap().in_mode();
    let whole = bundle(&[SEVEN, SEVEN, SEVEN]);
    for len in 1..=whole.len() {
        for datagram in pieces(9, &whole, len) {
            raw::send(&theirs, &datagram).unwrap();
        }
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        for _ in 0..3 {
            assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), SEVEN, "pieces of {len}");
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), [1, 5, 0]);
    }
    // Too long, and also with another fault.
    let long = bundle(&[vec![1; 40_000], vec![2; 40_000]]);
    for (whole, fault) in [
        (&long, BundleFault::Long { len: long.len(), max: 65_536 }),
        (&after_two(0, &[]), BundleFault::Trailing { left: 10 }),
    ] {
        for datagram in pieces(9, whole, 30_000.min(whole.len() - 1)) {
            raw::send(&theirs, &datagram).unwrap();
        }
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        match ours.recv() {
            Err(RecvError::BadBundle(found)) => assert_eq!(found, fault),
            other => panic!("{other:?}"),
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").bytes(), [1, 5, 0]);
    }
}
