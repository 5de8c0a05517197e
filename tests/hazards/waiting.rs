//! Sockets that were made not to wait, or not for long, before they were adopted; and ends of our own making.

use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Receiver, RecvError, Sender};
use datagrammar_tests::{InMode as _, Numbered, body, is_one_frame, numbered, raw};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{SocketType, sockopt};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// What another holder has done to a socket.
const IMPATIENT: [fn(&OwnedFd); 2] = [
    |fd| fcntl_setfl(fd, fcntl_getfl(fd).unwrap() | OFlags::NONBLOCK).unwrap(),
    |fd| {
        for timeout in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
            let soon = Some(Duration::from_millis(1));
            sockopt::set_socket_timeout(fd, timeout, soon).unwrap();
        }
    },
];

/// How much of a processor this thread has used.
fn worked() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec, exclusively borrowed for the call (clock_gettime(3)).
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(told, 0);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

#[test]
fn who_waits_does_so_whatever_the_descriptor_says_and_without_work() {
    type Form = fn(&mut Receiver<Numbered<'static>>) -> Option<u64>;
    let forms: [Form; 4] = [
        |ours| Some(ours.recv().unwrap()?.decode().unwrap().check()),
        |ours| Some(ours.recv_into(&mut Vec::new()).unwrap()?.decode().unwrap().check()),
        |ours| Some(ours.recv_batch().unwrap()?.next().unwrap().decode().unwrap().check()),
        |ours| {
            ours.peek_len(datagrammar::Wait::Block).unwrap()?;
            Some(ours.try_recv().unwrap()?.decode().unwrap().check())
        },
    ];
    for impatient in IMPATIENT {
        for form in forms {
            let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
            impatient(&ours);
            let (_sender, mut ours) = Ours::adopt(ours).unwrap().in_mode().split();
            let mut theirs = Ours::adopt(theirs).unwrap();
            thread::scope(|scope| {
                let receiving = scope.spawn(move || {
                    for number in 0..5 {
                        assert_eq!(form(&mut ours), Some(number));
                    }
                    assert_eq!(form(&mut ours), None);
                    worked()
                });
                for number in 0..5 {
                    thread::sleep(Duration::from_millis(50));
                    numbered(number, 10, |frame| theirs.send(frame)).unwrap();
                }
                thread::sleep(Duration::from_millis(50));
                drop(theirs);
                let worked = receiving.join().unwrap();
                assert!(worked < Duration::from_millis(200), "{worked:?} of work to wait 300 ms");
            });
        }
    }
}

#[test]
fn who_sends_waits_whatever_the_descriptor_says_and_without_work() {
    let body = body(7, 1000);
    let frames: Vec<_> =
        (0..1000).map(|_| Numbered::Numbered { number: 7, len: 1000, body: &body }).collect();
    type Form = fn(&mut Sender<Numbered<'static>>, &[Numbered<'_>]);
    let forms: [Form; 2] = [
        |sender, frames| assert_eq!(sender.send_all(frames).unwrap(), frames.len()),
        |sender, frames| {
            for frame in frames {
                sender.send(frame).unwrap();
            }
        },
    ];
    for impatient in IMPATIENT {
        for form in forms {
            let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
            impatient(&ours);
            let (mut sender, _receiver) = Ours::adopt(ours).unwrap().in_mode().split();
            let mut theirs = Ours::adopt(theirs).unwrap().in_mode();
            thread::scope(|scope| {
                let sending = scope.spawn(|| {
                    form(&mut sender, &frames);
                    worked()
                });
                thread::sleep(Duration::from_millis(500));
                for _ in 0..frames.len() {
                    assert_eq!(theirs.recv().unwrap().unwrap().decode().unwrap().check(), 7);
                }
                let worked = sending.join().unwrap();
                assert!(worked < Duration::from_millis(300), "{worked:?} of work to wait 500 ms");
            });
        }
    }
}

#[test]
fn who_shuts_down_receives_what_had_come() {
    for how in [Shutdown::Read, Shutdown::Both] {
        for received in 0..5 {
            let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
            for number in 0..40 {
                numbered(number, 10, |frame| theirs.send(frame)).unwrap();
            }
            let mut expected = 0..40;
            let mut next = |ours: &mut Ours| {
                let frame = ours.recv().unwrap();
                let number = frame.map(|frame| frame.decode().unwrap().check());
                assert_eq!(number, expected.next());
                number
            };
            for _ in 0..received {
                next(&mut ours);
            }
            ours.shutdown(how).unwrap();
            while next(&mut ours).is_some() {}
            assert!(ours.try_recv().unwrap().is_none());
        }
    }
}

#[test]
fn a_deadline_holds_for_batches() {
    let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
    let (_sender, mut ours) = ours.split();
    for sent in [0, 1, 40] {
        for number in 0..sent {
            numbered(number, 10, |frame| theirs.send(frame)).unwrap();
        }
        // What is there comes, however late it is.
        let (past, mut expected) = (Instant::now(), 0..sent);
        loop {
            match ours.recv_batch_deadline(past) {
                Ok(frames) => {
                    for frame in frames.expect("no end") {
                        assert_eq!(Some(frame.decode().unwrap().check()), expected.next());
                    }
                }
                Err(RecvError::TimedOut) => break,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(expected.is_empty());
        let soon = Instant::now() + Duration::from_millis(10);
        assert!(matches!(ours.recv_batch_deadline(soon), Err(RecvError::TimedOut)));
        assert!(Instant::now() >= soon);
        assert!(matches!(ours.recv_into_deadline(&mut Vec::new(), soon), Err(RecvError::TimedOut)));
        assert!(ours.as_fd().try_clone_to_owned().is_ok());
    }
}

#[test]
fn what_has_come_is_received_however_late_it_is() {
    // In one batch: frames, one in pieces, and the end.
    let piece = |kind: u8, place: u64, bytes: &[u8]| {
        [&[0, kind, 7, 0, 0, 0][..], &place.to_le_bytes(), bytes].concat()
    };
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    numbered(0, 10, |frame| theirs.send(frame)).unwrap();
    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 0);
    let plain = [1, 7, 1, 7];
    raw::send(&theirs, &plain).unwrap();
    raw::send(&theirs, &plain).unwrap();
    raw::send(&theirs, &piece(1, 4, &plain[..2])).unwrap();
    raw::send(&theirs, &piece(2, 2, &plain[2..])).unwrap();
    raw::send(&theirs, &plain).unwrap();
    drop(theirs);
    let past = Instant::now();
    let (mut received, mut waited) = (0, 0);
    loop {
        match ours.recv_deadline(past) {
            Ok(Some(frame)) => assert_eq!(frame.bytes(), plain),
            Ok(None) => break,
            Err(RecvError::TimedOut) => {
                waited += 1;
                continue;
            }
            Err(other) => panic!("{other:?}"),
        }
        received += 1;
    }
    assert_eq!(received, 4);
    // What waits in the socket a poller tells.
    assert!(waited == 0 || is_one_frame());
}
