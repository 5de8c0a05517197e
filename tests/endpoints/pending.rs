//! Large frames that `try_send` begins: kept, continued in order, and never mixed with others.

use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{RecvError, SendError, Wait};
use datagrammar_tests::{InMode as _, Random, seed};

use super::kinds::{Any, Ours, expect, next, number, plain};

const LARGE: usize = 1_000_000;

#[test]
fn a_receiver_tells_a_frame_in_the_middle_from_none() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    assert_eq!(theirs.rx.pending(), 0);
    ours.try_send(&plain(1, LARGE)).unwrap();
    let mut arrived = 0;
    while ours.tx.pending() > 0 {
        assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
        // Everything that was sent, and no less than before.
        assert!(theirs.rx.pending() > arrived);
        arrived = theirs.rx.pending();
        assert_eq!(arrived + ours.tx.pending(), LARGE + 2);
        // The peer sends no more, so nothing more arrives.
        let soon = Instant::now() + Duration::from_millis(1);
        assert!(matches!(theirs.recv_deadline(soon), Err(RecvError::TimedOut)));
        assert_eq!(theirs.rx.pending(), arrived);
        _ = ours.tx.flush(Wait::Try);
    }
    assert_eq!(next(&mut theirs), Some(1));
    assert_eq!(theirs.rx.pending(), 0);

    // A frame that its sender has given up is not pending.
    ours.try_send(&plain(2, LARGE)).unwrap();
    assert!(matches!(theirs.try_recv(), Err(RecvError::WouldBlock)));
    assert!(theirs.rx.pending() > 0);
    drop(ours);
    assert!(matches!(theirs.recv(), Err(RecvError::Incomplete { .. })));
    assert_eq!(theirs.rx.pending(), 0);
    assert!(theirs.recv().unwrap().is_none());
}

/// Receives one frame, with as many calls as necessary. Returns how many bytes the sender keeps after each call.
fn receive_and_flush(ours: &mut Ours, theirs: &mut Ours) -> (u64, Vec<usize>) {
    let mut kept = vec![ours.tx.pending()];
    loop {
        match theirs.try_recv() {
            Ok(frame) => return (number(frame.expect("no end").decode().unwrap()), kept),
            Err(RecvError::WouldBlock) => {}
            Err(other) => panic!("{other:?}"),
        }
        match ours.tx.flush(Wait::Try) {
            Ok(()) => assert_eq!(ours.tx.pending(), 0),
            Err(SendError::WouldBlock { len }) => assert_eq!(len, LARGE + 2),
            Err(other) => panic!("{other:?}"),
        }
        kept.push(ours.tx.pending());
    }
}

#[test]
fn a_frame_that_was_begun_is_kept_and_sent_on() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    assert_eq!(ours.tx.pending(), 0);
    ours.tx.flush(Wait::Try).unwrap();
    for round in 0..3 {
        assert_eq!(ours.try_send(&plain(round, LARGE)).unwrap(), LARGE + 2);
        assert!((1..LARGE).contains(&ours.tx.pending()));
        // Nothing is sent before the rest of the frame.
        for _ in 0..2 {
            let full = ours.try_send(&plain(99, 10)).unwrap_err();
            assert!(matches!(full, SendError::WouldBlock { len: 12 }), "{full:?}");
            let full = ours.tx.flush(Wait::Try).unwrap_err();
            assert!(matches!(full, SendError::WouldBlock { .. }), "{full:?}");
            let soon = Instant::now() + Duration::from_millis(10);
            let late = ours.tx.flush(Wait::Until(soon)).unwrap_err();
            assert!(matches!(late, SendError::TimedOut { len } if len == LARGE + 2), "{late:?}");
            let late = ours.send_deadline(&plain(99, 10), soon).unwrap_err();
            assert!(matches!(late, SendError::TimedOut { len: 12 }), "{late:?}");
        }
        let (number, kept) = receive_and_flush(&mut ours, &mut theirs);
        assert_eq!(number, round);
        assert!(kept.len() > 3 && kept.is_sorted_by(|a, b| a >= b), "{kept:?}");
        assert_eq!(next(&mut theirs), None);
    }
}

#[test]
fn whatever_is_sent_next_goes_after_it() {
    let mut random = Random(seed());
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut at, mut waits) = (0, 0);
            while at < 400 {
                let len = [10, 3000, 400_000, LARGE][random.below(4) as usize];
                let soon = Instant::now() + Duration::from_micros(random.below(300));
                let wait = [Wait::Try, Wait::Until(soon), Wait::Block][random.below(3) as usize];
                let message = plain(at, len);
                let sent = match (random.below(2), wait) {
                    // A deadline in the middle of a large frame gives up the frame, and the peer is told. Here, no
                    // deadline may do so.
                    (_, Wait::Until(_)) if len > 200_000 => ours.try_send(&message).map(drop),
                    (0, Wait::Try) => ours.try_send(&message).map(drop),
                    (0, Wait::Block) => ours.send(&message).map(drop),
                    (0, Wait::Until(deadline)) => ours.send_deadline(&message, deadline).map(drop),
                    _ => {
                        let sent = ours.tx.send_all([&message], wait);
                        sent.map(drop).map_err(|stopped| stopped.error)
                    }
                };
                match sent {
                    Ok(()) => at += 1,
                    Err(SendError::WouldBlock { .. } | SendError::TimedOut { .. }) => waits += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            ours.tx.flush(Wait::Block).unwrap();
            println!("{waits} calls found no room");
        });
        for expected in 0..400 {
            let frame = theirs.recv().unwrap().expect("a frame");
            assert_eq!(number(frame.decode().unwrap()), expected);
        }
        assert!(theirs.recv().unwrap().is_none());
    });
}

#[test]
fn a_poller_that_waits_for_room_is_woken_until_all_is_sent() {
    // Polling the descriptor is the only wait, as in event loops.
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..20 {
                loop {
                    let sent = match ours.tx.pending() {
                        0 => ours.try_send(&plain(number, LARGE)).map(drop),
                        _ => ours.tx.flush(Wait::Try),
                    };
                    match sent {
                        Ok(()) if ours.tx.pending() == 0 => break,
                        Ok(()) | Err(SendError::WouldBlock { .. }) => writable(&ours),
                        Err(other) => panic!("{other:?}"),
                    }
                }
            }
        });
        expect(&mut theirs, 0..20);
    });
}

fn writable(ours: &Ours) {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut polled = [PollFd::new(ours, PollFlags::OUT)];
    let patience = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
    assert_eq!(poll(&mut polled, Some(&patience)).unwrap(), 1, "no wake-up in 30 s");
}

#[test]
fn its_descriptors_are_kept_with_it() {
    #[derive(datagrammar::Message)]
    enum Large<'a> {
        #[message(tag = 1)]
        Large {
            #[message(fd)]
            file: OwnedFd,
            #[message(rest)]
            body: &'a [u8],
        },
    }
    type Ours = datagrammar::Connection<Large<'static>, Large<'static>>;
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    let body = vec![7; LARGE];
    let (reader, writer) = std::io::pipe().unwrap();
    ours.try_send(&Large::Large { file: writer.into(), body: &body }).unwrap();
    assert!(ours.tx.pending() > 0);
    thread::scope(|scope| {
        scope.spawn(|| ours.tx.flush(Wait::Block).unwrap());
        let frame = theirs.recv().unwrap().expect("a frame");
        let Large::Large { file, body: received } = frame.decode().unwrap();
        assert!(received == body);
        rustix::io::write(file, b"x").unwrap();
    });
    let mut byte = [0; 1];
    assert_eq!(rustix::io::read(&reader, &mut byte).unwrap(), 1);
    // No other copy exists.
    assert_eq!(rustix::io::read(&reader, &mut byte).unwrap(), 0);
}

#[test]
fn one_whose_receiver_is_gone_is_dropped() {
    let (mut ours, theirs) = Ours::pair().unwrap().in_mode();
    ours.try_send(&plain(1, LARGE)).unwrap();
    drop(theirs);
    let gone = ours.tx.flush(Wait::Try).unwrap_err();
    assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
    assert_eq!(ours.tx.pending(), 0);
    let gone = ours.try_send(&plain(2, 10)).unwrap_err();
    assert!(matches!(gone, SendError::Disconnected), "{gone:?}");
}

#[test]
fn one_that_is_given_up_is_told_as_incomplete() {
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    ours.try_send(&plain(1, LARGE)).unwrap();
    let kept = ours.tx.pending();
    drop(ours);
    let error = theirs.recv().unwrap_err();
    let is_told = matches!(error, RecvError::Incomplete { received, total }
        if total == LARGE + 2 && received + kept == total);
    assert!(is_told, "{error:?}, of which {kept} were kept");
    assert!(!error.is_fatal());
    assert!(theirs.recv().unwrap().is_none());
    assert_eq!(theirs.shutdown(Shutdown::Both).map_err(|error| error.kind()), Ok(()));
}

#[test]
fn whether_a_large_frame_is_begun_depends_on_the_room_that_is_left() {
    // As many short frames as fit, and then a large one: whether it has begun or not, all arrive in order.
    let (mut ours, mut theirs) = Ours::pair().unwrap().in_mode();
    for len in [0, 100, 5000, 60_000] {
        let mut sent = 0;
        while ours.try_send(&plain(sent, len)).is_ok() {
            sent += 1;
        }
        let begun = ours.try_send(&Any::Plain { number: sent, body: &vec![7; LARGE] });
        let sent = sent + u64::from(begun.is_ok());
        thread::scope(|scope| {
            scope.spawn(|| ours.tx.flush(Wait::Block).unwrap());
            expect(&mut theirs, 0..sent);
        });
    }
}
