//! Sockets that are shut down: queued frames are received, and a waiting call ends.

use std::net::{Shutdown, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, RecvError, SendError, Socket, SocketReceiver, Wait};
use datagrammar_tests::{Directory, InMode as _, Numbered, body, numbered, options};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// Unconnected sockets of each kind.
fn sockets(directory: &Directory, name: &str) -> [OursAlone; 2] {
    [directory.address(name), "udp:127.0.0.1:0".parse().unwrap()]
        .map(|address| Socket::bind_with(&address, &options()).unwrap())
}

/// Receives a message, and returns its number.
type Form = fn(&mut SocketReceiver<Numbered<'static>>) -> Result<u64, RecvError>;

/// Every form of receiving.
const FORMS: [Form; 5] = [
    |ours| Ok(ours.recv_from()?.0.decode().unwrap().check()),
    |ours| {
        let far = Instant::now() + Duration::from_secs(60);
        Ok(ours.recv_from_deadline(far)?.0.decode().unwrap().check())
    },
    |ours| Ok(ours.try_recv_from()?.0.decode().unwrap().check()),
    |ours| Ok(ours.recv_owned_from(Wait::Block)?.0.decode().unwrap().check()),
    |ours| Ok(ours.recv_owned_from(Wait::Try)?.0.decode().unwrap().check()),
];

#[test]
fn a_socket_that_is_shut_down_ends_the_calls_that_wait_on_it() {
    let directory = Directory::new();
    for (form, receive) in FORMS.into_iter().enumerate() {
        for ours in sockets(&directory, &form.to_string()) {
            let address = ours.local_addr().unwrap();
            let (mut sender, mut ours) = ours.split();
            thread::scope(|scope| {
                let waiting = scope.spawn(move || {
                    let mut received = Vec::new();
                    loop {
                        match receive(&mut ours) {
                            Ok(number) => received.push(number),
                            // A form that does not wait.
                            Err(RecvError::WouldBlock) => thread::yield_now(),
                            Err(RecvError::Shutdown) => break,
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                    // Permanently, in every form.
                    for receive in FORMS {
                        let again = receive(&mut ours);
                        assert!(matches!(again, Err(RecvError::Shutdown)), "{again:?}");
                    }
                    received
                });
                for number in 0..3 {
                    numbered(number, 10, |frame| sender.send_to(frame, &address)).unwrap();
                }
                // The call waits by then, or shortly after: in both cases it must end.
                thread::sleep(Duration::from_millis(if form % 2 == 0 { 30 } else { 0 }));
                sender.shutdown().unwrap();
                assert_eq!(waiting.join().unwrap(), [0, 1, 2], "{address}");
            });
        }
    }
}

#[test]
fn what_is_queued_in_a_socket_comes_before_its_end() {
    let directory = Directory::new();
    for (form, receive) in FORMS.into_iter().enumerate() {
        for ours in sockets(&directory, &form.to_string()) {
            let address = ours.local_addr().unwrap();
            let (mut sender, mut ours) = ours.split();
            let body = body(7, 100);
            let message = Numbered::Numbered { number: 7, len: 100, body: &body };
            // Two bundles, one of which was received in part, and frames.
            for _ in 0..2 {
                assert_eq!(sender.send_all_to([&message; 3], &address, Wait::Block).unwrap(), 3);
            }
            sender.send_to(&message, &address).unwrap();
            assert_eq!(receive(&mut ours).unwrap(), 7);
            sender.shutdown().unwrap();
            for _ in 0..6 {
                assert_eq!(receive(&mut ours).unwrap(), 7, "{address}");
            }
            for _ in 0..2 {
                let ended = receive(&mut ours);
                assert!(matches!(ended, Err(RecvError::Shutdown)), "{ended:?}");
            }
        }
    }
}

#[test]
fn empty_datagrams_are_no_end_of_a_socket() {
    let directory = Directory::new();
    for receive in FORMS {
        // In each position, an empty datagram or a frame.
        for bits in 0..16 {
            for ours in sockets(&directory, "ours") {
                let address = ours.local_addr().unwrap();
                let (mut sender, mut ours) = ours.split();
                for at in 0..4 {
                    match (bits >> at & 1, address.as_udp()) {
                        (1, _) => {
                            numbered(7, 10, |frame| sender.send_to(frame, &address)).unwrap();
                        }
                        (_, Some(udp)) => {
                            UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], udp).unwrap();
                        }
                        (_, None) => {
                            let path = directory.path().join("ours");
                            UnixDatagram::unbound().unwrap().send_to(&[], path).unwrap();
                        }
                    }
                }
                sender.shutdown().unwrap();
                for at in 0..4 {
                    match (bits >> at & 1, receive(&mut ours)) {
                        (0, Err(RecvError::Empty)) | (1, Ok(7)) => {}
                        // In a socket that is shut down, a last empty datagram cannot be distinguished from the end.
                        (0, Err(RecvError::Shutdown)) if at == 3 => {}
                        (_, other) => panic!("{bits:b}, {at}: {other:?}"),
                    }
                }
                let ended = receive(&mut ours);
                assert!(matches!(ended, Err(RecvError::Shutdown)), "{ended:?}");
            }
        }
    }
}

#[test]
fn who_sends_to_a_socket_that_is_shut_down_is_told_over_unix() {
    let directory = Directory::new();
    let [unix, _] = sockets(&directory, "ours");
    let to = unix.local_addr().unwrap();
    let mut theirs = OursAlone::unbound(&to).unwrap();
    numbered(1, 10, |frame| theirs.send_to(frame, &to)).unwrap();
    unix.shutdown().unwrap();
    let gone = numbered(2, 10, |frame| theirs.send_to(frame, &to)).unwrap_err();
    assert!(matches!(gone, SendError::Refused) && !gone.is_fatal(), "{gone:?}");
    // A socket that was shut down cannot send any more.
    theirs.shutdown().unwrap();
    let gone = numbered(3, 10, |frame| theirs.send_to(frame, &to)).unwrap_err();
    assert!(matches!(gone, SendError::Disconnected) && gone.is_fatal(), "{gone:?}");
}

#[test]
fn a_connection_that_is_shut_down_ends_the_calls_that_wait_on_it() {
    for how in [Shutdown::Read, Shutdown::Both] {
        for form in 0..4 {
            let (_theirs, ours) = Ours::pair().unwrap().in_mode();
            let (sender, mut ours) = ours.split();
            thread::scope(|scope| {
                let waiting = scope.spawn(move || {
                    let far = Instant::now() + Duration::from_secs(60);
                    match form {
                        0 => ours.recv().unwrap().is_none(),
                        1 => ours.recv_deadline(far).unwrap().is_none(),
                        2 => ours.peek_len(Wait::Block).unwrap().is_none(),
                        _ => ours.peek_len(Wait::Until(far)).unwrap().is_none(),
                    }
                });
                thread::sleep(Duration::from_millis(20));
                sender.shutdown(how).unwrap();
                assert!(waiting.join().unwrap());
            });
        }
    }
}
