//! Frames in pieces: large ones, several senders, senders that give up, and kernels short of memory.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Connection, Frame, Message, RecvError, SendAllError, SendError, Wait, to_vec};
use datagrammar_tests::{InMode as _, Numbered, Random, numbered, seed, skipped, skips};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// A message of several byte strings, each sent without a copy, and descriptors.
#[derive(Message, Debug)]
enum Mixed<'a> {
    #[message(tag = 1)]
    Mixed {
        first: &'a [u8],
        number: u64,
        second: Option<&'a [u8]>,
        text: &'a str,
        #[message(fd)]
        files: Vec<OwnedFd>,
        #[message(rest)]
        rest: &'a [u8],
    },
}

#[test]
fn h19_frames_of_any_size_arrive_whole_and_in_order() {
    let mut random = Random(seed());
    let lens: Vec<usize> = (0..60)
        .map(|at| match at % 4 {
            0 => random.below(100) as usize,
            1 => random.below(300_000) as usize,
            2 => 212_000 + random.below(2_000) as usize,
            _ => random.below(3_000_000) as usize,
        })
        .collect();
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (&len, number) in lens.iter().zip(0..) {
                numbered(number, len, |frame| theirs.send(frame)).unwrap();
            }
        });
        for (&len, number) in lens.iter().zip(0..) {
            let message = ours.recv().unwrap().expect("a frame").decode().unwrap();
            assert_eq!(message.check(), number);
            let Numbered::Numbered { body, .. } = message;
            assert_eq!(body.len(), len);
        }
    });
}

#[test]
fn h19_what_lies_in_several_places_is_one_frame() {
    let (mut theirs, mut ours) =
        Connection::<Mixed<'static>, Mixed<'static>>::pair().unwrap().in_mode();
    let bytes: Vec<u8> = (0..400_000_u32).map(|at| (at % 253) as u8).collect();
    let mixed = |random: &mut Random| {
        let mut cut = || &bytes[..random.below(400_000) as usize];
        let (first, second, rest) = (cut(), cut(), cut());
        let files = vec![File::open("/proc/version").unwrap().into()];
        Mixed::Mixed { first, number: 7, second: Some(second), text: "text", files, rest }
    };
    let seed = seed();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random(seed);
            for _ in 0..50 {
                theirs.send(&mixed(&mut random)).unwrap();
            }
        });
        let mut random = Random(seed);
        for _ in 0..50 {
            let expected = to_vec(&mixed(&mut random)).unwrap();
            let frame = ours.recv().unwrap().expect("a frame");
            assert_eq!(frame.descriptor_count(), 1);
            assert!(frame.bytes() == expected, "other bytes came");
            let Mixed::Mixed { files, text, .. } = frame.decode().unwrap();
            assert_eq!((files.len(), text), (1, "text"));
        }
    });
}

#[test]
fn a_receive_that_times_out_half_way_goes_on_where_it_was() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 2_000_000, |frame| theirs.send(frame)).unwrap());
        let mut tries = 0;
        // Every form of receiving is used.
        let number = loop {
            let wait = match tries % 2 {
                0 => Wait::Try,
                _ => Wait::Until(Instant::now()),
            };
            let result = match tries % 3 {
                0 => ours.rx.recv_owned(wait).map(|frame| frame.unwrap().decode().unwrap().check()),
                1 => ours.recv_deadline(Instant::now()).map(number_of),
                _ => ours.try_recv().map(number_of),
            };
            tries += 1;
            match result {
                Ok(number) => break number,
                Err(RecvError::WouldBlock | RecvError::TimedOut) => thread::yield_now(),
                Err(other) => panic!("{other:?}"),
            }
            if tries % 5 == 0 && ours.rx.peek_len(Wait::Try).is_ok() {
                assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(2_000_007));
            }
        };
        assert_eq!(number, 1);
    });
}

fn number_of(frame: Option<Frame<'_, Numbered<'static>>>) -> u64 {
    frame.expect("a frame").decode().unwrap().check()
}

#[test]
fn senders_behind_a_mutex_send_frames_of_any_length_whole() {
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let sender = Mutex::new(theirs.split().0);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let sender = &sender;
            scope.spawn(move || {
                for turn in 0..40 {
                    // Some forms wait as long as necessary, some until a distant deadline.
                    let len = if turn % 4 == thread { 500_000 } else { 20 };
                    let far = Instant::now() + Duration::from_secs(60);
                    numbered(thread * 1000 + turn, len, |frame| match turn % 2 {
                        0 => sender.lock().unwrap().send(frame),
                        _ => sender.lock().unwrap().send_deadline(frame, far),
                    })
                    .unwrap();
                }
            });
        }
        let mut next = [0; 4];
        for _ in 0..160 {
            let number = ours.recv().unwrap().expect("a frame").decode().unwrap().check();
            let (thread, turn) = ((number / 1000) as usize, number % 1000);
            assert_eq!(turn, next[thread], "frames of a thread keep their order");
            next[thread] += 1;
        }
    });
}

#[test]
fn h44_a_frame_that_finds_no_room_behind_what_is_pending_is_told_with_its_own_length() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    numbered(1, 3_000_000, |frame| theirs.try_send(frame)).unwrap();
    let pending = theirs.tx.pending();
    assert!(pending > 2_000_000, "{pending}");
    let soon = Instant::now() + Duration::from_millis(20);
    let tried = numbered(2, 5, |frame| theirs.try_send(frame));
    assert!(matches!(tried, Err(SendError::WouldBlock { len: 8 })), "{tried:?}");
    let timed = numbered(2, 5, |frame| theirs.send_deadline(frame, soon));
    assert!(matches!(timed, Err(SendError::TimedOut { len: 8 })), "{timed:?}");
    let all = numbered(2, 5, |frame| theirs.tx.send_all([frame, frame], Wait::Try)).unwrap_err();
    assert!(matches!(all, SendAllError { sent: 0, error: SendError::WouldBlock { .. }, .. }));
    assert_eq!(theirs.tx.pending(), pending);
    thread::scope(|scope| {
        let receiving = scope.spawn(|| {
            for number in 1..=2 {
                assert_eq!(
                    ours.recv().unwrap().expect("a frame").decode().unwrap().check(),
                    number
                );
            }
        });
        // The pending frame is sent first.
        numbered(2, 5, |frame| theirs.send(frame)).unwrap();
        assert_eq!(theirs.tx.pending(), 0);
        receiving.join().unwrap();
    });
}

#[test]
fn a_sender_that_gives_up_half_way_costs_its_own_frame_alone() {
    if skips("a_sender_that_gives_up_half_way_costs_its_own_frame_alone") {
        return;
    }
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let soon = Instant::now() + Duration::from_millis(20);
    let error = numbered(1, 5_000_000, |frame| theirs.send_deadline(frame, soon)).unwrap_err();
    assert!(matches!(error, SendError::TimedOut { len } if len > 5_000_000), "{error:?}");
    let ((has_room, room), (gives_up, given_up)) = (mpsc::channel(), mpsc::channel());
    thread::scope(|scope| {
        scope.spawn(move || {
            numbered(2, 10, |frame| theirs.send(frame)).unwrap();
            room.recv().unwrap();
            let soon = Instant::now() + Duration::from_millis(20);
            numbered(3, 5_000_000, |frame| theirs.send_deadline(frame, soon)).unwrap_err();
            gives_up.send(()).unwrap();
            numbered(4, 1_000_000, |frame| theirs.send(frame)).unwrap();
        });
        let incomplete = |error: RecvError| match error {
            RecvError::Incomplete { received, total } => {
                assert!(0 < received && received < total && total > 5_000_000);
            }
            other => panic!("{other:?}"),
        };
        incomplete(ours.recv().unwrap_err());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
        // Nothing is read until the sender has given up.
        has_room.send(()).unwrap();
        given_up.recv().unwrap();
        incomplete(ours.recv().unwrap_err());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 4);
    });
}

#[test]
fn pieces_of_senders_that_know_nothing_of_each_other_are_never_joined() {
    // Copies of the descriptor, as in two processes.
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let theirs = theirs.into_fd().unwrap().0;
    let senders =
        [theirs.try_clone().unwrap(), theirs].map(|fd| Ours::adopt(fd).unwrap().in_mode());
    thread::scope(|scope| {
        for (mut sender, number) in senders.into_iter().zip(1..) {
            scope.spawn(move || {
                for _ in 0..50 {
                    numbered(number, 400_000, |frame| sender.send(frame)).unwrap();
                }
            });
        }
        loop {
            match ours.recv() {
                // Each frame is whole, and from one sender.
                Ok(Some(frame)) => _ = frame.decode().unwrap().check(),
                Ok(None) => break,
                Err(RecvError::Incomplete { .. } | RecvError::BadFragment(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn h18_what_the_kernel_has_no_memory_for_goes_in_pieces() {
    // A datagram cannot be longer than about 4 MiB, with any send buffer: the kernel returns ENOBUFS, not EMSGSIZE
    // (net/unix/af_unix.c allocates it in one piece).
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 64 * 1024 * 1024).unwrap();
    let buffer = rustix::net::sockopt::socket_send_buffer_size(&theirs).unwrap();
    if buffer < 6 * 1024 * 1024 {
        skipped("the send buffer cannot be raised here (net.core.wmem_max)");
        return;
    }
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 5_000_000, |frame| theirs.send(frame)).unwrap());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    });
}

#[test]
fn h18_a_small_send_buffer_means_small_pieces() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| numbered(1, 100_000, |frame| theirs.send(frame)).unwrap());
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    });
}
