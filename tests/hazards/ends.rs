//! Ends: empty datagrams, peers that close or die with frames in flight, copies that keep a socket
//! open.

use std::os::fd::OwnedFd;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use std::{hint, thread};

use datagrammar::{Connection, RecvError, SendError, Socket, Wait};
use datagrammar_tests::{
    Directory, InMode as _, Numbered, Random, is_awaited, numbered, raw, scaled, seed,
};
use rustix::net::SocketType;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A datagram of a raw peer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Datagram {
    Empty,
    Frame,
}

/// All orders of up to five datagrams.
fn orders() -> impl Iterator<Item = Vec<Datagram>> {
    (0..=5_u32).flat_map(|len| {
        (0..1_u32 << len).map(move |bits| {
            (0..len)
                .map(|at| if bits >> at & 1 == 0 { Datagram::Empty } else { Datagram::Frame })
                .collect()
        })
    })
}

/// Returns the next frame, in one form of receiving or another.
fn next(ours: &mut Ours, form: usize) -> Result<Option<u64>, RecvError> {
    let frame = match form % 4 {
        0 => ours.recv()?,
        1 => ours.try_recv()?,
        2 => ours.recv_deadline(Instant::now() + Duration::from_secs(30))?,
        _ => {
            let Some(mut frame) = ours.rx.recv_owned(Wait::Block)? else { return Ok(None) };
            return Ok(Some(frame.decode().unwrap().check()));
        }
    };
    Ok(frame.map(|frame| frame.decode().unwrap().check()))
}

#[test]
fn h01_on_a_connection_every_frame_comes_in_every_order_of_empty_data_and_close() {
    for (order, form) in orders().zip(0..) {
        // The peer closes, or shuts down, after this many datagrams were received.
        for (received, closes) in (0..=order.len()).flat_map(|at| [(at, true), (at, false)]) {
            let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
            let mut ours = Ours::adopt(ours).unwrap().in_mode();
            for datagram in &order {
                match datagram {
                    Datagram::Empty => raw::send(&theirs, &[]).unwrap(),
                    Datagram::Frame => raw::send(&theirs, &[1, 7, 1, 7]).unwrap(),
                }
            }
            // While the peer is there, an empty datagram is an error.
            for (datagram, at) in order.iter().take(received).zip(form..) {
                match (datagram, next(&mut ours, at)) {
                    (Datagram::Empty, Err(RecvError::Empty)) | (Datagram::Frame, Ok(Some(7))) => {}
                    (datagram, other) => panic!("{order:?}: {datagram:?} came as {other:?}"),
                }
            }
            if received == order.len() {
                assert!(matches!(next(&mut ours, 1), Err(RecvError::WouldBlock)));
            }
            match closes {
                true => drop(theirs),
                false => raw::end(&theirs),
            }
            // Afterwards, it may be the end. No frame is lost for it.
            let left = order.iter().skip(received);
            for at in 0..left.filter(|&&datagram| datagram == Datagram::Frame).count() {
                let came = next(&mut ours, form + at).unwrap();
                assert_eq!(came, Some(7), "{order:?}, closed after {received}");
            }
            // After the end, every receive returns the end.
            for at in 0..8 {
                assert_eq!(next(&mut ours, at).unwrap(), None, "{order:?}");
                assert_eq!(ours.rx.peek_len(Wait::Try).unwrap(), None, "{order:?}");
            }
        }
    }
}

#[test]
fn h01_by_itself_an_empty_datagram_is_a_bad_frame_and_never_the_end() {
    let directory = Directory::new();
    for (order, number) in orders().zip(0..) {
        let path = directory.path().join(number.to_string());
        let unix = directory.address(&number.to_string());
        let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind(&unix).unwrap();
        let theirs = std::os::unix::net::UnixDatagram::unbound().unwrap();
        for datagram in &order {
            match datagram {
                Datagram::Empty => theirs.send_to(&[], &path).unwrap(),
                Datagram::Frame => theirs.send_to(&[1, 7, 1, 7], &path).unwrap(),
            };
        }
        drop(theirs);
        expect_in_order(&mut ours, &order);

        let mut ours = Socket::bind(&"udp:127.0.0.1:0".parse().unwrap()).unwrap();
        let to = ours.local_addr().unwrap().as_udp().unwrap();
        let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for datagram in &order {
            match datagram {
                Datagram::Empty => theirs.send_to(&[], to).unwrap(),
                Datagram::Frame => theirs.send_to(&[1, 7, 1, 7], to).unwrap(),
            };
        }
        expect_in_order(&mut ours, &order);
    }
}

fn expect_in_order(ours: &mut Socket<Numbered<'static>, Numbered<'static>>, order: &[Datagram]) {
    for datagram in order {
        match (datagram, ours.recv_from()) {
            (Datagram::Empty, Err(RecvError::Empty)) => {}
            (Datagram::Frame, Ok((frame, _))) => assert_eq!(frame.decode().unwrap().check(), 7),
            (datagram, other) => panic!("{order:?}: {datagram:?} came as {other:?}"),
        }
    }
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
}

#[test]
fn h02_every_queued_frame_is_read_though_the_peer_closed_with_unread_input() {
    let mut random = Random(seed());
    for _ in 0..500 {
        let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
        let (sent, unread, before) = (random.below(6), random.below(3), random.below(6));
        // Our side sends frames that the peer never reads: this makes the kernel report a reset.
        for number in 0..unread {
            numbered(number, 10, |frame| ours.send(frame)).unwrap();
        }
        for number in 0..sent {
            numbered(number, random.below(2000) as usize, |frame| theirs.send(frame)).unwrap();
        }
        let mut next = 0;
        let read = |ours: &mut Ours, next: &mut u64| {
            let frame = ours.recv().unwrap()?;
            assert_eq!(frame.decode().unwrap().check(), *next);
            *next += 1;
            Some(())
        };
        for _ in 0..before.min(sent) {
            read(&mut ours, &mut next).expect("a frame that was sent");
        }
        drop(theirs);
        // A send in between takes the reset or not, depending on the schedule.
        if random.below(2) == 0 {
            let gone = numbered(9, 10, |frame| ours.send(frame)).unwrap_err();
            assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
        }
        if random.below(2) == 0 {
            let peeked = ours.rx.peek_len(Wait::Block).unwrap();
            assert_eq!(peeked.is_none(), next == sent, "the reset is not the end");
        }
        while read(&mut ours, &mut next).is_some() {}
        assert_eq!(next, sent, "frames were lost");
        assert!(ours.recv().unwrap().is_none());
    }
}

#[test]
fn h05_a_peer_that_sends_and_closes_while_the_receiver_looks_loses_nothing() {
    // Without the fix, one of about 8,000 fails.
    let connections = scaled(if is_awaited() { 200_000 } else { 60_000 });
    let (give, take) = sync_channel::<OwnedFd>(1);
    let sending = thread::spawn(move || {
        for (theirs, spins) in take.iter().zip((0..200).cycle()) {
            (0..spins * 10).for_each(|_| hint::spin_loop());
            raw::send(&theirs, &[1, 7, 1, 7]).unwrap();
        }
    });
    for at in 0..connections {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        give.send(theirs).unwrap();
        let mut looks = 0;
        let frame = loop {
            match ours.try_recv() {
                // By now, the peer sends, unless it waits for a processor.
                Err(RecvError::WouldBlock) if looks > 200 => thread::yield_now(),
                Err(RecvError::WouldBlock) => looks += 1,
                received => break received.unwrap().map(|frame| frame.bytes().to_vec()),
            }
        };
        assert_eq!(frame.as_deref(), Some(&[1, 7, 1, 7][..]), "connection {at}");
        assert!(ours.recv().unwrap().is_none());
    }
    drop(give);
    sending.join().unwrap();
}
