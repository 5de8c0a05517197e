//! Sockets by themselves: over UNIX datagrams and UDP.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Address, Listener, OpenError, RecvError, SendError, Socket};
use datagrammar_tests::{Directory, Numbered, numbered, skipped};

type Ours = Socket<Numbered<'static>, Numbered<'static>>;

/// Addresses to bind to, of every family.
fn addresses(directory: &Directory, name: &str) -> Vec<Address> {
    let unique = format!("unix:@datagrammar-test-{}-{name}", std::process::id());
    vec![
        directory.address(name),
        unique.parse().unwrap(),
        "udp:127.0.0.1:0".parse().unwrap(),
        "udp:[::1]:0".parse().unwrap(),
    ]
}

#[test]
fn questions_are_answered_to_where_they_came_from() {
    let directory = Directory::new();
    let servers = addresses(&directory, "server");
    let clients = addresses(&directory, "client");
    for (server, client) in servers.iter().zip(&clients) {
        let mut server = Ours::bind(server).unwrap();
        let mut client = Ours::bind(client).unwrap();
        let to = server.local_addr().unwrap();
        for number in 0..10 {
            numbered(number, 1_000, |frame| client.send_to(frame, &to)).unwrap();
            let (frame, from) = server.recv_from().unwrap();
            assert_eq!(from, client.local_addr().unwrap());
            assert_eq!(frame.decode().unwrap().check(), number);
            numbered(number, 10, |frame| server.send_to(frame, &from)).unwrap();
            let (frame, from) = client.recv_from().unwrap();
            assert_eq!((frame.decode().unwrap().check(), from), (number, to));
        }
    }
}

#[test]
fn a_sender_that_is_not_bound_has_no_address_over_unix() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut server = Ours::bind(&to).unwrap();
    let client = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let mut client = Ours::adopt(client.into()).unwrap();
    numbered(1, 1, |frame| client.send_to(frame, &to)).unwrap();
    let (_, from) = server.recv_from().unwrap();
    assert!(from.is_unnamed());
    assert_eq!(from.to_string(), "(unnamed)");
    let error = numbered(1, 1, |frame| server.send_to(frame, &from)).unwrap_err();
    assert!(matches!(error, SendError::NoAddress), "{error:?}");
    assert!(!error.is_fatal());
    assert!(error.to_string().contains("bind it, with Socket::bind"), "{error}");
}

#[test]
fn a_destination_that_cannot_be_reached_costs_its_own_message_alone() {
    let directory = Directory::new();
    let listener = directory.address("listener");
    let _listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&listener).unwrap();
    let (long, unreachable) = ("x/".repeat(50), "udp:255.255.255.255:9");
    let destinations = [
        listener,
        directory.address("nobody"),
        Address::from_pathname(directory.path().join("socket/below")).unwrap(),
        Address::from_pathname(long).unwrap(),
        "udp:127.0.0.1:0".parse().unwrap(),
        "udp:[::1]:9".parse().unwrap(),
        unreachable.parse().unwrap(),
        Address::vsock(2, 9),
    ];
    for own in addresses(&directory, "socket") {
        let mut ours = Ours::bind(&own).unwrap();
        for to in &destinations {
            match numbered(1, 1, |frame| ours.send_to(frame, to)) {
                Ok(_) => {}
                Err(error) => assert!(!error.is_fatal(), "{own} to {to}: {error:?}"),
            }
        }
        let own = ours.local_addr().unwrap();
        numbered(2, 1, |frame| ours.send_to(frame, &own)).unwrap();
        assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), 2);
    }
}

#[test]
fn the_forms_wait_as_they_say() {
    let directory = Directory::new();
    for address in addresses(&directory, "socket") {
        let mut ours = Ours::bind(&address).unwrap();
        assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
        let begun = Instant::now();
        let soon = begun + Duration::from_millis(20);
        assert!(matches!(ours.recv_from_deadline(soon), Err(RecvError::TimedOut)));
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }
}

#[test]
fn over_unix_a_full_receiver_makes_its_senders_wait() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut server = Ours::bind(&to).unwrap();
    let mut client = Ours::unbound(&to).unwrap();
    let mut sent = 0;
    let full = loop {
        match numbered(sent, 10, |frame| client.try_send_to(frame, &to)) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 100_000, "nothing bounds the queue");
    };
    assert!(matches!(full, SendError::WouldBlock { len: 13 }), "{full:?}");
    let begun = Instant::now();
    let soon = begun + Duration::from_millis(30);
    let late = numbered(sent, 10, |frame| client.send_to_deadline(frame, &to, soon)).unwrap_err();
    assert!(matches!(late, SendError::TimedOut { len: 13 }), "{late:?}");
    assert!(begun.elapsed() >= Duration::from_millis(30));
    let reader = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        for number in 0..=sent {
            assert_eq!(server.recv_from().unwrap().0.decode().unwrap().check(), number);
        }
        assert_eq!(server.drops().unwrap(), 0);
    });
    let far = Instant::now() + Duration::from_secs(30);
    numbered(sent, 10, |frame| client.send_to_deadline(frame, &to, far)).unwrap();
    reader.join().unwrap();
}

#[test]
fn who_only_asks_is_answered() {
    let directory = Directory::new();
    for server in addresses(&directory, "server") {
        let mut server = Ours::bind(&server).unwrap();
        let to = server.local_addr().unwrap();
        let mut clients = [Ours::unbound(&to).unwrap(), Ours::unbound(&to).unwrap()];
        for (client, number) in clients.iter_mut().zip(0..) {
            numbered(number, 1_000, |frame| client.send_to(frame, &to)).unwrap();
            let (frame, from) = server.recv_from().unwrap();
            assert_eq!(frame.decode().unwrap().check(), number);
            assert!(!from.is_unnamed(), "{from}");
            numbered(number, 10, |frame| server.send_to(frame, &from)).unwrap();
        }
        for (client, number) in clients.iter_mut().zip(0..) {
            let (frame, from) = client.recv_from().unwrap();
            assert_eq!((frame.decode().unwrap().check(), from), (number, to));
        }
    }
}

#[test]
fn nobody_at_the_destination_is_an_error_over_unix() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut client = Ours::unbound(&to).unwrap();
    let nobody = numbered(1, 1, |frame| client.send_to(frame, &to)).unwrap_err();
    assert!(matches!(nobody, SendError::Refused), "{nobody:?}");
    drop(std::os::unix::net::UnixDatagram::bind(to.as_pathname().unwrap()).unwrap());
    let dead = numbered(1, 1, |frame| client.send_to(frame, &to)).unwrap_err();
    assert!(matches!(dead, SendError::Refused), "{dead:?}");
    // When there is a receiver, the same socket works.
    let mut server = Ours::bind(&to).unwrap();
    numbered(5, 1, |frame| client.send_to(frame, &to)).unwrap();
    assert_eq!(server.recv_from().unwrap().0.decode().unwrap().check(), 5);
}

#[test]
fn halves_work_from_threads_and_clones() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let (_, mut receiver) = Ours::bind(&to).unwrap().split();
    let (sender, _) = Ours::unbound(&to).unwrap().split();
    thread::scope(|scope| {
        for of in 0..4 {
            let mut sender = sender.clone();
            scope.spawn(move || {
                for at in 0..200 {
                    numbered(of * 200 + at, 100, |frame| sender.send_to(frame, &to)).unwrap();
                }
            });
        }
        let mut seen = vec![false; 800];
        for _ in 0..800 {
            let (frame, _) = receiver.recv_from().unwrap();
            seen[frame.decode().unwrap().check() as usize] = true;
        }
        assert!(seen.into_iter().all(|seen| seen));
    });
}

#[test]
fn an_answer_borrows_from_the_request_while_it_is_lent() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut server = Ours::bind(&to).unwrap();
    let mut client = Ours::bind(&directory.address("client")).unwrap();
    // In a datagram of its own, and next to a frame in memory.
    for len in [10, 1_000_000] {
        numbered(3, len, |frame| client.send_to(frame, &to)).unwrap();
        let Socket { tx, rx, .. } = &mut server;
        let (frame, from) = rx.recv_from().unwrap();
        let message = frame.decode().unwrap();
        tx.send_to(&message, &from).unwrap();
        assert_eq!(client.recv_from().unwrap().0.decode().unwrap().check(), 3);
    }
}

#[test]
fn descriptors_are_lent() {
    let socket = Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let raw = socket.as_raw_fd();
    assert_eq!(socket.as_fd().as_raw_fd(), raw);
    let (sender, receiver) = socket.split();
    assert_eq!((sender.as_raw_fd(), receiver.as_raw_fd()), (raw, raw));
    assert_eq!((sender.as_fd().as_raw_fd(), receiver.as_fd().as_raw_fd()), (raw, raw));
}

#[test]
fn a_destination_of_another_kind_is_named() {
    let directory = Directory::new();
    let path = directory.address("listener");
    let _listener = Listener::<Numbered<'static>, Numbered<'static>>::bind(&path).unwrap();
    let (v4, v6) = ("udp:127.0.0.1:9", "udp:[::1]:9");
    let unix = format!("unix:@datagrammar-test-kind-{}", std::process::id());
    let path = path.to_string();
    let cases = [
        (&*unix, v4, "a `unix:` address"),
        (&unix, "vsock:1:9", "a `unix:` address"),
        (&unix, &path, "a SOCK_DGRAM socket there, such as a `Socket`"),
        ("udp:127.0.0.1:0", &path, "a `udp:` address of IPv4"),
        ("udp:127.0.0.1:0", v6, "a `udp:` address of IPv4"),
        ("udp:[::1]:0", "vsock:1:9", "a `udp:` address"),
        ("udp:[::1]:0", &path, "a `udp:` address"),
    ];
    for (from, to, expected) in cases {
        let Ok(mut socket) = Ours::bind(&from.parse().unwrap()) else {
            skipped(format!("no IPv6 for {from}"));
            continue;
        };
        for len in [1, 1_000_000] {
            let error = numbered(1, len, |frame| socket.send_to(frame, &to.parse().unwrap()));
            let error = error.unwrap_err();
            let text = format!("nothing can be sent to {to} from this socket: expected {expected}");
            assert_eq!(error.to_string(), text);
            assert!(!error.is_fatal());
        }
    }
}

#[test]
fn an_address_of_another_family_is_refused() {
    let error = Ours::bind(&"vsock:1:9".parse().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "vsock:1:9 cannot be used here: expected a `unix:` or `udp:` address",
    );
    let mut udp = Ours::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
    let elsewhere = "unix:/nowhere".parse().unwrap();
    let error = numbered(1, 1, |frame| udp.send_to(frame, &elsewhere)).unwrap_err();
    assert!(matches!(error, SendError::WrongFamily { .. }) && !error.is_fatal(), "{error:?}");
    let taken = Ours::bind(&udp.local_addr().unwrap()).unwrap_err();
    assert!(matches!(taken, OpenError::InUse { .. }), "{taken:?}");
}
