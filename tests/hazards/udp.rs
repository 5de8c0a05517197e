//! UDP: no receiver at the destination, and floods.

use std::io::ErrorKind;
use std::net::UdpSocket;

use datagrammar::{OpenError, RecvError, Socket, peek_len, try_peek_len};
use datagrammar_tests::{Numbered, numbered, raw};

type Ours = Socket<Numbered<'static>, Numbered<'static>>;

#[test]
fn h04_a_closed_port_costs_no_message_to_others() {
    let (_taken, closed) = raw::closed_port();
    let closed = closed.into();
    let mut receiver = Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let open = receiver.local_addr().unwrap();
    let mut sender = Ours::unbound(&open).unwrap();
    for number in 0..20 {
        numbered(number, 30, |frame| sender.send_to(frame, &closed)).unwrap();
        numbered(number, 30, |frame| sender.send_to(frame, &open)).unwrap();
        let (frame, _) = receiver.recv_from().unwrap();
        assert_eq!(frame.decode().unwrap().check(), number);
    }
}

#[test]
fn h04_a_connected_socket_where_sends_fail_by_turns_is_refused() {
    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected.connect(connected.local_addr().unwrap()).unwrap();
    let error = Ours::adopt(connected.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the descriptor is a socket of AF_INET SOCK_DGRAM, connected: \
         expected an AF_UNIX, AF_INET or AF_INET6 SOCK_DGRAM socket (UDP), not connected",
    );
    assert!(matches!(error, OpenError::WrongDescriptor { .. }));
}

#[test]
fn h04_a_peek_tells_that_an_earlier_datagram_found_nobody_and_goes_on() {
    let (theirs, closed) = raw::closed_port();
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    ours.connect(closed).unwrap();
    ours.send(b"anybody?").unwrap();
    assert!(matches!(peek_len(&ours), Err(RecvError::Refused)));
    assert!(matches!(try_peek_len(&ours), Err(RecvError::WouldBlock)));
    // The same port is open now: the socket works as before.
    theirs.connect(ours.local_addr().unwrap()).unwrap();
    theirs.send(b"here").unwrap();
    assert_eq!(peek_len(&ours).unwrap(), 4);
}

#[test]
fn h05_what_a_flood_loses_is_counted() {
    const SENT: u64 = 5_000;
    let mut receiver = Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let to = receiver.local_addr().unwrap();
    let mut sender = Ours::unbound(&to).unwrap();
    for number in 0..SENT {
        numbered(number, 100, |frame| sender.send_to(frame, &to)).unwrap();
    }
    let mut arrived = 0;
    let mut next = 0;
    loop {
        match receiver.try_recv_from() {
            Ok((frame, _)) => {
                let number = frame.decode().unwrap().check();
                assert!(number >= next, "loopback keeps order");
                next = number + 1;
                arrived += 1;
            }
            Err(RecvError::WouldBlock) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    let drops = u64::from(receiver.drops().unwrap());
    assert_eq!(arrived + drops, SENT, "{arrived} arrived and {drops} are counted as dropped");
    assert!(drops > 0, "the flood was none: this test shows nothing");
}

#[test]
fn h04_by_hand_the_same_socket_fails_every_other_send() {
    // The reason why connected sockets are refused: the errors of the standard library's socket on this kernel.
    let (_taken, closed) = raw::closed_port();
    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected.connect(closed).unwrap();
    let failed = (0..10).filter(|_| {
        connected.send(b"x").is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
    assert_eq!(failed.count(), 5);
}
