//! Bundles that are received in part: the next receive returns the rest, even if the receiver was handed over.

use std::os::fd::AsFd as _;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Limits, Options, Receiver, RecvError, Socket, Wait};
use datagrammar_tests::{Directory, InMode as _, Numbered, body, numbered, options, skipped};
use rustix::net::sockopt;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurReceiver = Receiver<Numbered<'static>>;

/// Sends frames 1 to `count` in one bundle.
fn send(theirs: &mut Ours, count: u64) {
    let bodies: Vec<_> =
        (1..=count).map(|number| body(number, number as usize * 37 % 1000)).collect();
    let messages: Vec<_> = (1..=count)
        .zip(&bodies)
        .map(|(number, body)| Numbered::Numbered { number, len: body.len() as u64, body })
        .collect();
    assert_eq!(theirs.tx.send_all(&messages, Wait::Block).unwrap() as u64, count);
}

/// Returns the number of the next frame, in one form of receiving or another.
fn next(ours: &mut OurReceiver, form: u64) -> Option<u64> {
    let soon = Instant::now() + Duration::from_secs(30);
    let frame = match form % 4 {
        0 => ours.recv(),
        1 => ours.try_recv(),
        2 => ours.recv_deadline(soon),
        _ => {
            let frame = ours.recv_owned(Wait::Block).unwrap();
            return frame.map(|mut frame| frame.decode().unwrap().check());
        }
    };
    frame.unwrap().map(|frame| frame.decode().unwrap().check())
}

#[test]
fn h41_what_is_not_taken_of_a_bundle_is_what_is_received_next() {
    for sent in 1..=40 {
        for taken in 0..=sent {
            let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
            let mut ours = ours.rx;
            send(&mut theirs, sent);
            for number in 1..=taken {
                assert_eq!(next(&mut ours, number), Some(number));
            }
            numbered(100, 5, |frame| theirs.send(frame)).unwrap();
            for number in taken + 1..=sent {
                assert_eq!(
                    next(&mut ours, sent + taken + number),
                    Some(number),
                    "{taken} of {sent}"
                );
            }
            assert_eq!(next(&mut ours, taken), Some(100));
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
        }
    }
}

#[test]
fn h41_a_panic_while_a_frame_is_lent_loses_no_more_than_what_was_taken() {
    for taken in 1..=20 {
        let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
        let mut ours = ours.rx;
        send(&mut theirs, 20);
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            for number in 1..=taken {
                let frame = ours.recv().unwrap().expect("a frame");
                let message = frame.decode().unwrap();
                if number == taken {
                    panic::resume_unwind(Box::new(message.check()));
                }
            }
        }));
        panicked.expect_err("a panic");
        for number in taken + 1..=20 {
            assert_eq!(next(&mut ours, number), Some(number));
        }
    }
}

#[test]
fn h41_receivers_move_between_threads_with_what_is_left_in_them() {
    const CONNECTIONS: u64 = 100;
    let mut connections: Vec<_> = (0..CONNECTIONS)
        .map(|at| {
            let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
            let mut ours = ours.rx;
            send(&mut theirs, 30);
            for number in 1..=at % 25 {
                assert_eq!(next(&mut ours, number), Some(number));
            }
            (theirs, ours)
        })
        .collect();
    let others = connections.split_off(CONNECTIONS as usize / 2);
    let drain = |connections: Vec<(Ours, OurReceiver)>, first: u64| {
        for ((theirs, mut ours), at) in connections.into_iter().zip(first..) {
            for number in at % 25 + 1..=30 {
                assert_eq!(next(&mut ours, number), Some(number));
            }
            drop(theirs);
            assert_eq!(next(&mut ours, at), None);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| drain(connections, 0));
        scope.spawn(|| drain(others, CONNECTIONS / 2));
    });
}

#[test]
fn h41_a_peer_that_closes_with_unread_input_loses_none_of_a_bundle() {
    // The kernel reports a reset before datagrams that can still be read.
    for sent in 1..=40 {
        for unread in 0..2 {
            let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
            send(&mut theirs, sent);
            assert_eq!(next(&mut ours.rx, sent), Some(1));
            for _ in 0..unread {
                numbered(0, 10, |frame| ours.send(frame)).unwrap();
            }
            numbered(sent + 1, 10, |frame| theirs.send(frame)).unwrap();
            drop(theirs);
            for number in 2..=sent + 1 {
                assert_eq!(next(&mut ours.rx, number + sent), Some(number));
            }
            for form in 0..4 {
                assert_eq!(next(&mut ours.rx, form), None);
            }
        }
    }
}

#[test]
fn each_frame_of_a_bundle_tells_where_it_came_from_and_who_sent_it() {
    let directory = Directory::new();
    let identify = options().identify_senders();
    for (to, from, options) in [
        (directory.address("ours"), directory.address("theirs"), identify),
        ("udp:127.0.0.1:0".parse().unwrap(), "udp:127.0.0.1:0".parse().unwrap(), options()),
    ] {
        let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind_with(&to, &options).unwrap();
        let mut theirs =
            Socket::<Numbered<'_>, Numbered<'_>>::bind_with(&from, &Options::new()).unwrap();
        let (to, from) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
        let frame = Numbered::Numbered { number: 7, len: 0, body: &[] };
        for _ in 0..3 {
            assert_eq!(theirs.tx.send_all_to([&frame; 5], &to, Wait::Block).unwrap(), 5);
        }
        let own = to.as_udp().is_none().then(std::process::id);
        for at in 0..15 {
            if at % 2 == 0 {
                let (frame, came_from) = ours.recv_from().unwrap();
                let pid = frame.sender().map(|sender| sender.pid);
                assert_eq!((pid, frame.decode().unwrap().check(), came_from), (own, 7, from));
            } else {
                let (mut frame, came_from) = ours.rx.recv_owned_from(Wait::Block).unwrap();
                let pid = frame.sender().map(|sender| sender.pid);
                assert_eq!((pid, frame.decode().unwrap().check(), came_from), (own, 7, from));
            }
        }
        assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    }
}

#[test]
fn a_frame_that_is_refused_does_not_hide_who_sent_those_behind_it() {
    let directory = Directory::new();
    let to = directory.address("ours");
    let identify = options().identify_senders();
    let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind_with(&to, &identify).unwrap();
    ours.rx.set_limits(Limits::default().frame_len(100));
    let mut theirs = Socket::<Numbered<'_>, Numbered<'_>>::unbound(&to).unwrap();
    let frame = |body| Numbered::Numbered { number: 7, len: 0, body };
    let frames = [frame(&[0; 10]), frame(&[0; 200]), frame(&[0; 10])];
    theirs.tx.send_all_to(&frames, &to, Wait::Block).unwrap();
    for is_refused in [false, true, false] {
        match ours.recv_from() {
            Ok((frame, _)) if !is_refused => {
                assert_eq!(frame.sender().map(|sender| sender.pid), Some(std::process::id()));
            }
            Err(RecvError::TooLarge { limit: 100, .. }) if is_refused => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_sent_together_comes_in_order_whatever_its_lengths() {
    // From lengths that take less than a byte to frames that travel alone, and in pieces.
    let lens = [0, 1, 240, 250, 300, 5_000, 16_370, 16_390, 60_000, 213_000, 400_000];
    let bodies: Vec<_> = (0..300).map(|at| body(at, lens[(at * at % 11) as usize])).collect();
    let messages: Vec<_> = (0..)
        .zip(&bodies)
        .map(|(number, body)| Numbered::Numbered { number, len: body.len() as u64, body })
        .collect();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(theirs.tx.send_all(&messages, Wait::Block).unwrap(), messages.len());
        });
        for number in 0..300 {
            assert_eq!(next(&mut ours.rx, [0, 2, 3][number as usize % 3]), Some(number));
        }
    });
}

/// A bundle may be longer than the longest frame, and has to travel in pieces if the send buffer is small.
#[test]
fn a_limit_applies_to_the_frames_of_a_bundle_in_pieces_and_not_to_all_of_them() {
    for form in [0, 2, 3] {
        let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
        sockopt::set_socket_send_buffer_size(&theirs, 0).unwrap();
        let limit = 1000;
        ours.rx.set_limits(Limits::default().frame_len(limit));
        let short = Numbered::Numbered { number: 7, len: 500, body: &[7; 500] };
        let long = Numbered::Numbered { number: 8, len: 1000, body: &[8; 1000] };
        thread::scope(|scope| {
            let frames = (0..200).map(|number| if number % 10 == 9 { &long } else { &short });
            let far = Instant::now() + Duration::from_secs(60);
            let sending = scope.spawn(move || theirs.tx.send_all(frames, Wait::Until(far)));
            for number in 0..200 {
                if number % 10 == 9 {
                    let refused = ours.recv();
                    assert!(matches!(refused, Err(RecvError::TooLarge { len, .. }) if len > limit));
                } else {
                    assert_eq!(next(&mut ours.rx, form), Some(7));
                }
            }
            assert_eq!(sending.join().unwrap().unwrap(), 200);
        });
    }
}

#[test]
fn a_bundle_fits_the_send_buffer_however_small_that_is() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    sockopt::set_socket_send_buffer_size(&theirs, 0).unwrap();
    let buffer = sockopt::socket_send_buffer_size(&theirs).unwrap();
    if buffer > 60_000 {
        skipped(format!("the smallest send buffer here is {buffer} bytes long"));
        return;
    }
    let frame = Numbered::Numbered { number: 7, len: 1000, body: &[7; 1000] };
    thread::scope(|scope| {
        let sending =
            scope.spawn(|| theirs.tx.send_all(std::iter::repeat_n(&frame, 200), Wait::Block));
        for _ in 0..200 {
            assert_eq!(next(&mut ours.rx, 0), Some(7));
        }
        assert_eq!(sending.join().unwrap().unwrap(), 200);
    });
    assert!(ours.rx.as_fd().try_clone_to_owned().is_ok());
}
