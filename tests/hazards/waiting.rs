//! Sockets that were non-blocking or had timeouts before they were adopted; and ends that this side causes.

use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Receiver, RecvError, Sender, Wait};
use datagrammar_tests::datagrams::{bundle, pieces};
use datagrammar_tests::{InMode as _, Numbered, body, numbered, raw};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{SocketType, sockopt};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A change that another holder has made to a socket.
const IMPATIENT: [fn(&OwnedFd); 2] = [
    |fd| fcntl_setfl(fd, fcntl_getfl(fd).unwrap() | OFlags::NONBLOCK).unwrap(),
    |fd| {
        for timeout in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
            let soon = Some(Duration::from_millis(1));
            sockopt::set_socket_timeout(fd, timeout, soon).unwrap();
        }
    },
];

/// The processor time that this thread has used.
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
        |ours| Some(ours.recv_owned(Wait::Block).unwrap()?.decode().unwrap().check()),
        |ours| {
            let far = Instant::now() + Duration::from_secs(60);
            Some(ours.recv_deadline(far).unwrap()?.decode().unwrap().check())
        },
        |ours| {
            ours.peek_len(Wait::Block).unwrap()?;
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
        |sender, frames| {
            for frames in frames.chunks(3) {
                assert_eq!(sender.send_all(frames, Wait::Block).unwrap(), frames.len());
            }
        },
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
fn what_has_come_is_received_however_late_it_is() {
    // A frame, a bundle, a frame in pieces, and the end.
    let plain = [1, 7, 1, 7];
    let datagrams =
        [vec![plain.to_vec(), bundle(&[plain, plain])], pieces(7, &plain, 2), vec![plain.to_vec()]];
    for wait in [|| Wait::Try, || Wait::Until(Instant::now())] {
        let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
        for datagram in datagrams.iter().flatten() {
            raw::send(&theirs, datagram).unwrap();
        }
        for _ in 0..5 {
            assert_eq!(ours.rx.peek_len(wait()).unwrap(), Some(plain.len()));
            let frame = ours.rx.recv_owned(wait()).unwrap().expect("a frame");
            assert_eq!(frame.bytes(), plain);
        }
        match ours.rx.recv_owned(wait()) {
            Err(RecvError::WouldBlock) => assert_eq!(wait(), Wait::Try),
            Err(RecvError::TimedOut) => assert_ne!(wait(), Wait::Try),
            other => panic!("{other:?}"),
        }
        drop(theirs);
        assert!(ours.rx.recv_owned(wait()).unwrap().is_none());
    }
}

#[test]
fn a_deadline_holds_where_nothing_comes() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    for sent in [0, 1, 40] {
        for number in 0..sent {
            numbered(number, 10, |frame| theirs.send(frame)).unwrap();
        }
        for number in 0..sent {
            let frame = ours.recv_deadline(Instant::now()).unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
        let soon = Instant::now() + Duration::from_millis(10);
        assert!(matches!(ours.recv_deadline(soon), Err(RecvError::TimedOut)));
        assert!(Instant::now() >= soon);
        let soon = Instant::now() + Duration::from_millis(10);
        assert!(matches!(ours.rx.peek_len(Wait::Until(soon)), Err(RecvError::TimedOut)));
        assert!(Instant::now() >= soon);
    }
}
