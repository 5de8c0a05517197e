//! The senders of refused datagrams.

use std::os::unix::net::UnixDatagram;

use datagrammar::{Address, Limits, Options, RecvError, Socket};
use datagrammar_tests::{Directory, Numbered, numbered};

type Ours = Socket<Numbered<'static>, Numbered<'static>>;

/// The limit of the socket, for frames.
const LIMIT: usize = 1000;

/// A head of the runtime, of a datagram of `kind` with `place`.
fn head(kind: u8, place: u64) -> Vec<u8> {
    [&[0, kind, 0, 0, 0, 0][..], &place.to_le_bytes()].concat()
}

/// Returns whether an error is the expected one.
type IsExpected = fn(&RecvError) -> bool;

/// Datagrams that are refused, and how.
fn refused() -> [(Vec<u8>, IsExpected); 5] {
    [
        (vec![7; LIMIT + 1], |error| matches!(error, RecvError::TooLarge { .. })),
        (vec![], |error| matches!(error, RecvError::Empty)),
        (head(9, 0), |error| matches!(error, RecvError::BadFragment(_))),
        (head(4, 1), |error| matches!(error, RecvError::BadBundle(_))),
        (head(3, 10), |error| matches!(error, RecvError::BadMemory(_))),
    ]
}

#[test]
fn the_sender_of_a_refused_datagram_is_known() {
    let directory = Directory::new();
    let to = directory.address("ours");
    let options = Options::new().identify_senders().limits(Limits::new().frame_len(LIMIT));
    let mut ours = Ours::bind_with(&to, &options).unwrap();
    let path = directory.address("theirs");
    let theirs = UnixDatagram::bind(path.as_pathname().unwrap()).unwrap();
    assert!(ours.rx.take_refused_sender().is_none(), "nothing was received");
    for (datagram, is_expected) in refused() {
        theirs.send_to(&datagram, to.as_pathname().unwrap()).unwrap();
        let error = ours.recv_from().map(|_| ()).unwrap_err();
        assert!(is_expected(&error), "{error:?}");
        let (from, peer) = ours.rx.take_refused_sender().unwrap();
        assert_eq!(from, path);
        let peer = peer.unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert_ne!(peer.has_ended(), Some(true));
        assert!(ours.rx.take_refused_sender().is_none(), "it was taken");
    }
}

#[test]
fn the_sender_of_an_empty_datagram_is_known_after_a_shutdown() {
    let directory = Directory::new();
    let to = directory.address("ours");
    let mut ours = Ours::bind_with(&to, &Options::new().identify_senders()).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    for datagram in [vec![], vec![1]] {
        theirs.send_to(&datagram, to.as_pathname().unwrap()).unwrap();
    }
    ours.shutdown().unwrap();
    assert!(matches!(ours.recv_from(), Err(RecvError::Empty)));
    let (_, peer) = ours.rx.take_refused_sender().unwrap();
    assert_eq!(peer.map(|peer| peer.pid), Some(std::process::id()));
}

#[test]
fn only_the_last_receive_counts() {
    let directory = Directory::new();
    let to = directory.address("ours");
    let mut ours = Ours::bind(&to).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    let mut sender = Ours::unbound(&to).unwrap();
    let refuse = |ours: &mut Ours| {
        theirs.send_to(&head(9, 0), to.as_pathname().unwrap()).unwrap();
        assert!(matches!(ours.recv_from(), Err(RecvError::BadFragment(_))));
    };
    refuse(&mut ours);
    let (from, peer) = ours.rx.take_refused_sender().unwrap();
    assert!(from.is_unnamed() && peer.is_none(), "the socket does not identify senders");

    refuse(&mut ours);
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    assert!(ours.rx.take_refused_sender().is_none(), "nothing was there");

    refuse(&mut ours);
    numbered(1, 10, |frame| sender.send_to(frame, &to)).unwrap();
    assert!(ours.recv_from().is_ok());
    assert!(ours.rx.take_refused_sender().is_none(), "a frame was there");
}

#[test]
fn the_sender_of_a_refused_datagram_is_known_over_udp() {
    let mut ours = Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let to = ours.local_addr().unwrap().as_udp().unwrap();
    let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    theirs.send_to(&head(9, 0), to).unwrap();
    assert!(ours.recv_from().is_err());
    let (from, peer) = ours.rx.take_refused_sender().unwrap();
    assert_eq!(from, Address::from(theirs.local_addr().unwrap()));
    assert!(peer.is_none());
}
