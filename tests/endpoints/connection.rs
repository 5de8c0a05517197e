//! Connections: every way to open one, to wait, and to end.

use std::net::Shutdown;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{
    AcceptError, Address, Batch, Connection, DecodeError, Limits, Listener, OpenError, Options,
    Receiver, RecvError, SendError, Wait,
};
use datagrammar_tests::{Directory, InMode as _, Numbered, Random, body, numbered, seed};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// Both ends of a connection, created in every way.
fn connections(directory: &Directory) -> Vec<(Ours, Ours)> {
    let unique = format!("unix:@datagrammar-test-{}-{}", std::process::id(), line!());
    let listened = [directory.address("socket"), unique.parse().unwrap()].map(|address| {
        let listener = OurListener::bind(&address).unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        let client = Ours::connect(&address).unwrap();
        (client, listener.accept().unwrap())
    });
    let (left, right) = Ours::pair().unwrap().in_mode();
    let adopted = (
        Ours::adopt(left.into_fd().unwrap().0).unwrap().in_mode(),
        Ours::adopt(right.into_fd().unwrap().0).unwrap().in_mode(),
    );
    listened.into_iter().chain([Ours::pair().unwrap().in_mode(), adopted]).collect()
}

#[test]
fn frames_of_all_lengths_arrive_in_order_and_then_the_end() {
    let directory = Directory::new();
    let mut random = Random(seed());
    for (mut left, mut right) in connections(&directory) {
        let lens: Vec<usize> = (0..200)
            .map(|_| match random.below(3) {
                0 => random.below(10) as usize,
                1 => random.below(5_000) as usize,
                _ => random.below(200_000) as usize,
            })
            .collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                for (&len, number) in lens.iter().zip(0..) {
                    numbered(number, len, |frame| left.send(frame)).unwrap();
                }
                left.shutdown(Shutdown::Write).unwrap();
            });
            for (&len, number) in lens.iter().zip(0..) {
                let frame = right.recv().unwrap().expect("a frame");
                let message = frame.decode().unwrap();
                assert_eq!(message.check(), number);
                assert!(matches!(message, Numbered::Numbered { body, .. } if body.len() == len));
            }
            assert!(right.recv().unwrap().is_none());
        });
        // The other direction is still open.
        numbered(9, 9, |frame| right.send(frame)).unwrap();
        assert_eq!(left.recv().unwrap().expect("a frame").decode().unwrap().check(), 9);
        let gone = numbered(9, 9, |frame| left.send(frame)).unwrap_err();
        assert!(matches!(gone, SendError::Disconnected));
    }
}

#[test]
fn the_forms_of_receiving_wait_as_they_say() {
    let (mut left, mut right) = Ours::pair().unwrap().in_mode();
    assert!(matches!(right.try_recv(), Err(RecvError::WouldBlock)));
    let begun = Instant::now();
    let soon = begun + Duration::from_millis(30);
    assert!(matches!(right.recv_deadline(soon), Err(RecvError::TimedOut)));
    assert!(begun.elapsed() >= Duration::from_millis(30));
    // A call with a past deadline still takes a queued frame.
    numbered(1, 1, |frame| left.send(frame)).unwrap();
    assert_eq!(right.recv_deadline(begun).unwrap().expect("a frame").decode().unwrap().check(), 1);

    // Methods that take a `Wait` wait in the same ways.
    assert!(matches!(right.rx.peek_len(Wait::Try), Err(RecvError::WouldBlock)));
    assert!(matches!(right.rx.recv_owned(Wait::Try), Err(RecvError::WouldBlock)));
    type Form = fn(&mut Receiver<Numbered<'static>>, Wait) -> Result<bool, RecvError>;
    let forms: [Form; 2] = [
        |rx, wait| Ok(rx.peek_len(wait)?.is_some()),
        |rx, wait| Ok(rx.recv_owned(wait)?.is_some()),
    ];
    for form in forms {
        let begun = Instant::now();
        let late = form(&mut right.rx, Wait::Until(begun + Duration::from_millis(30))).unwrap_err();
        assert!(matches!(late, RecvError::TimedOut), "{late:?}");
        assert!(begun.elapsed() >= Duration::from_millis(30));
    }

    for number in 0..3 {
        numbered(number, 100, |frame| left.send(frame)).unwrap();
    }
    assert_eq!(right.rx.peek_len(Wait::Try).unwrap(), Some(103));
    let far = Instant::now() + Duration::from_secs(30);
    for (number, wait) in (0..).zip([Wait::Block, Wait::Try, Wait::Until(far)]) {
        assert_eq!(right.rx.peek_len(wait).unwrap(), Some(103));
        let mut frame = right.rx.recv_owned(wait).unwrap().expect("a frame");
        assert_eq!(frame.decode().unwrap().check(), number);
    }
    left.shutdown(Shutdown::Write).unwrap();
    assert_eq!(right.rx.peek_len(Wait::Block).unwrap(), None);
    assert!(right.rx.recv_owned(Wait::Block).unwrap().is_none());
    assert!(right.try_recv().unwrap().is_none());
}

#[test]
fn the_forms_of_sending_wait_as_they_say() {
    let (mut left, mut right) = Ours::pair().unwrap().in_mode();
    let mut sent = 0;
    let full = loop {
        match numbered(sent, 50_000, |frame| left.try_send(frame)) {
            Ok(len) => assert!(len > 50_000),
            Err(error) => break error,
        }
        sent += 1;
    };
    assert!(matches!(full, SendError::WouldBlock { len } if len > 50_000), "{full:?}");
    let begun = Instant::now();
    let soon = begun + Duration::from_millis(30);
    let late = numbered(sent, 50_000, |frame| left.send_deadline(frame, soon)).unwrap_err();
    assert!(matches!(late, SendError::TimedOut { len } if len > 50_000), "{late:?}");
    assert!(begun.elapsed() >= Duration::from_millis(30));

    let reader = thread::spawn(move || {
        for number in 0..=sent + 1 {
            thread::sleep(Duration::from_millis(1));
            let frame = right.recv().unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number, "what did not fit was sent");
        }
    });
    let far = Instant::now() + Duration::from_secs(30);
    numbered(sent, 50_000, |frame| left.send_deadline(frame, far)).unwrap();
    numbered(sent + 1, 50_000, |frame| left.send(frame)).unwrap();
    reader.join().unwrap();
}

#[test]
fn a_sender_behind_a_mutex_sends_whole_frames_from_many_threads() {
    const SENDERS: u64 = 8;
    const FRAMES: u64 = 500;
    let (left, right) = Ours::pair().unwrap().in_mode();
    let sender = Mutex::new(left.tx);
    let mut receiver = right.rx;
    thread::scope(|scope| {
        for of in 0..SENDERS {
            let sender = &sender;
            scope.spawn(move || {
                for at in 0..FRAMES {
                    let number = of * FRAMES + at;
                    // Some of them in pieces.
                    let len = if at % 50 == 7 { 300_000 } else { number as usize * 7 % 9_000 };
                    numbered(number, len, |frame| sender.lock().unwrap().send(frame)).unwrap();
                }
            });
        }
        let mut next = [0; SENDERS as usize];
        for _ in 0..SENDERS * FRAMES {
            let number = receiver.recv().unwrap().expect("a frame").decode().unwrap().check();
            let of = (number / FRAMES) as usize;
            assert_eq!(number % FRAMES, next[of], "the order of sender {of}");
            next[of] += 1;
        }
    });
}

#[test]
fn an_answer_borrows_from_the_request_while_it_is_lent() {
    let (mut client, mut server) = Ours::pair().unwrap().in_mode();
    // From a datagram of its own, from a bundle, and from pieces.
    for len in [10, 300_000] {
        thread::scope(|scope| {
            scope.spawn(|| {
                let Connection { tx, rx, .. } = &mut server;
                for _ in 0..3 {
                    let frame = rx.recv().unwrap().expect("a frame");
                    let Numbered::Numbered { number, len, body } = frame.decode().unwrap();
                    tx.send(&Numbered::Numbered { number, len, body }).unwrap();
                }
            });
            let answers = |client: &mut Ours, count| {
                for _ in 0..count {
                    let answer = client.recv().unwrap().expect("a frame");
                    assert_eq!(answer.decode().unwrap().check(), 3);
                }
            };
            // Never more unread answers than fit, or both sides would wait for each other.
            numbered(3, len, |frame| client.send(frame)).unwrap();
            answers(&mut client, 1);
            numbered(3, len, |frame| client.tx.send_all([frame, frame], Wait::Block)).unwrap();
            answers(&mut client, 2);
        });
    }
}

#[test]
fn into_fd_refuses_halves_of_two_connections() {
    let (mut left, _right) = Ours::pair().unwrap().in_mode();
    let (mut other, _another) = Ours::pair().unwrap().in_mode();
    std::mem::swap(&mut left.tx, &mut other.tx);
    let refused = left.into_fd().unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn a_bad_frame_leaves_the_connection_in_step() {
    let (theirs, ours) = datagrammar_tests::raw::pair(rustix::net::SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    for bad in [&[9][..], &[1], &[1, 255], &[1, 3, 3, 3, 3, 3]] {
        datagrammar_tests::raw::send(&theirs, bad).unwrap();
        datagrammar_tests::raw::send(&theirs, &[1, 5, 1, 5]).unwrap();
        let decoded =
            ours.recv().unwrap().expect("a frame").decode().map(|message| message.check());
        match (bad.len(), decoded) {
            (1, Err(DecodeError::UnknownTag(9) | DecodeError::Field { .. })) => {}
            (2, Err(DecodeError::Field { field: "Numbered.number", offset: 1, len: 2, .. })) => {}
            (6, Ok(3)) => {}
            (_, other) => panic!("{bad:?}: {other:?}"),
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
    }
}

#[test]
fn limits_are_those_of_the_options_and_can_be_changed() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let options = Options::new().limits(Limits::default().frame_len(1_000));
    let listener = OurListener::bind_with(&address, &options).unwrap();
    let mut client = Ours::connect_with(&address, &options).unwrap();
    let mut server = listener.accept().unwrap();
    numbered(1, 1_000, |frame| client.send(frame)).unwrap();
    numbered(1, 1_000, |frame| server.send(frame)).unwrap();
    assert!(matches!(server.recv(), Err(RecvError::TooLarge { len: 1005, limit: 1_000 })));
    assert!(matches!(client.recv(), Err(RecvError::TooLarge { len: 1005, limit: 1_000 })));
    server.rx.set_limits(Limits::default());
    numbered(2, 1_000, |frame| client.send(frame)).unwrap();
    assert_eq!(server.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
}

#[test]
fn listeners_wait_as_they_say() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind(&address).unwrap();
    assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
    let begun = Instant::now();
    let soon = begun + Duration::from_millis(30);
    assert!(matches!(listener.accept_deadline(soon), Err(AcceptError::TimedOut)));
    assert!(begun.elapsed() >= Duration::from_millis(30));
    let _client = Ours::connect(&address).unwrap();
    listener.try_accept().unwrap();
    assert!(address.as_pathname().unwrap().exists());
    drop(listener);
    assert!(!address.as_pathname().unwrap().exists(), "the path outlives its listener");
}

#[test]
fn an_address_of_another_family_is_refused() {
    let udp: Address = "udp:127.0.0.1:9".parse().unwrap();
    for error in [OurListener::bind(&udp).unwrap_err(), Ours::connect(&udp).unwrap_err()] {
        assert_eq!(
            error.to_string(),
            "udp:127.0.0.1:9 cannot be used here: expected a `unix:` or `vsock:` address",
        );
    }
    // The path belongs to a socket of another type.
    let directory = Directory::new();
    let address = directory.address("datagrams");
    let _bound = std::os::unix::net::UnixDatagram::bind(address.as_pathname().unwrap()).unwrap();
    let error = Ours::connect(&address).unwrap_err();
    assert!(matches!(error, OpenError::WrongFamily { .. }), "{error:?}");
}

#[test]
fn descriptors_are_lent_and_handed_out() {
    let (left, mut right) = Ours::pair().unwrap().in_mode();
    let copy = left.as_fd().try_clone_to_owned().unwrap();
    let raw = left.as_raw_fd();
    let (mut sender, receiver) = left.split();
    assert_eq!((sender.as_raw_fd(), receiver.as_raw_fd()), (raw, raw));
    assert_eq!((sender.as_fd().as_raw_fd(), receiver.as_fd().as_raw_fd()), (raw, raw));
    drop(receiver);
    numbered(1, 1, |frame| sender.send(frame)).unwrap();
    let batch = Batch::new(sender);
    assert_eq!((batch.as_raw_fd(), batch.as_fd().as_raw_fd()), (raw, raw));
    drop(batch);
    let mut adopted = Ours::adopt(copy).unwrap().in_mode();
    assert_eq!(adopted.as_raw_fd(), adopted.as_fd().as_raw_fd());
    numbered(2, 2, |frame| adopted.send(frame)).unwrap();
    drop(adopted);
    for number in [1, 2] {
        assert_eq!(right.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
    assert!(right.recv().unwrap().is_none());
    assert_eq!(body(300, 2), [44, 44]);
}
