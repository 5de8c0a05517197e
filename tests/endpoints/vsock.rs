//! AF_VSOCK: a connection to this machine if the kernel supports it, and a clear error otherwise.

use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::thread::JoinHandleExt as _;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{
    Address, Batch, Connection, Listener, Message as _, OpenError, RecvError, SendError, Wait,
};
use datagrammar_tests::{InMode as _, Numbered, body, numbered, raw, skipped, skips};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// The CID of this machine itself (vsock(7), VMADDR_CID_LOCAL).
const LOCAL: u32 = 1;

/// Longer than any wait that ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// The kernel's default bound on bytes in flight (vsock(7), SO_VM_SOCKETS_BUFFER_SIZE).
const BUFFER: usize = 256 * 1024;

/// A length of which a few fit in the buffer, and a part of one more.
const LEN: usize = 30_000;
const FIT: u64 = (BUFFER / (LEN + 16)) as u64;

/// Two ends, if this machine supports vsock.
fn pair() -> Option<(Ours, Ours)> {
    let any_port = Address::vsock(LOCAL, u32::MAX);
    let open = || -> Result<_, OpenError> {
        let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&any_port)?;
        let client = Ours::connect(&listener.local_addr().unwrap())?;
        Ok((client, listener.accept().expect("a client")).in_mode())
    };
    open().inspect_err(explains).ok()
}

fn next(ours: &mut Ours) -> u64 {
    ours.recv().unwrap().expect("a frame").decode().unwrap().check()
}

#[test]
fn h42_vsock_works_or_says_why_not() {
    let Some((mut client, mut server)) = pair() else { return };
    for (number, len) in [(0, 1), (1, 1_000), (2, 60_000)] {
        numbered(number, len, |frame| client.send(frame)).unwrap();
        assert_eq!(next(&mut server), number);
    }
    drop(client);
    assert!(server.recv().unwrap().is_none());
}

#[test]
fn a_frame_that_finds_room_for_a_part_of_it_is_not_torn() {
    let Some((mut client, mut server)) = pair() else { return };
    for number in 0..FIT {
        numbered(number, LEN, |frame| client.try_send(frame)).unwrap();
    }
    thread::scope(|scope| {
        // There is room for a part of the datagram: the call waits for the rest.
        let sender = scope.spawn(|| {
            for number in FIT..4 * FIT {
                let sent = match number % 2 {
                    0 => numbered(number, LEN, |frame| client.try_send(frame)),
                    _ => numbered(number, LEN, |frame| {
                        client.send_deadline(frame, Instant::now() + PATIENCE)
                    }),
                };
                match sent {
                    Ok(_) => {}
                    // There is not even room for the first byte.
                    Err(SendError::WouldBlock { .. }) => {
                        numbered(number, LEN, |frame| client.send(frame)).map(drop).unwrap();
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        for number in 0..4 * FIT {
            assert_eq!(next(&mut server), number);
        }
        sender.join().unwrap();
    });
}

#[test]
fn a_frame_that_was_begun_and_not_ended_in_time_ends_the_connection() {
    if skips("a_frame_that_was_begun_and_not_ended_in_time_ends_the_connection") {
        return;
    }
    let Some((mut client, mut server)) = pair() else { return };
    for number in 0..FIT {
        numbered(number, LEN, |frame| client.send(frame)).unwrap();
    }
    let deadline = Instant::now() + Duration::from_millis(20);
    let late = numbered(FIT, LEN, |frame| client.send_deadline(frame, deadline)).unwrap_err();
    assert!(matches!(late, SendError::TimedOut { .. }), "{late:?}");
    let deadline = Instant::now() + PATIENCE;
    let ended = [
        numbered(FIT, 1, |frame| client.try_send(frame)),
        numbered(FIT, 1, |frame| client.send_deadline(frame, deadline)),
        numbered(FIT, 1, |frame| client.send(frame)),
    ];
    assert!(ended.iter().all(|sent| matches!(sent, Err(SendError::Disconnected))), "{ended:?}");
    for number in 0..FIT {
        assert_eq!(next(&mut server), number);
    }
    assert!(server.recv().unwrap().is_none());
    // The other direction is not affected.
    numbered(1, 1, |frame| server.send(frame)).unwrap();
    assert_eq!(next(&mut client), 1);
}

#[test]
fn a_signal_does_not_tear_a_frame() {
    let Some((mut client, mut server)) = pair() else { return };
    extern "C" fn handle(_: libc::c_int) {}
    // With flags that make the kernel restart interrupted calls.
    // SAFETY: sigaction is numbers and a handler, for which zero bytes are valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handle as *const () as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the pointer is to a sigaction that outlives the call; the handler does nothing.
    let set = unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    let sender = thread::spawn(move || {
        for number in 0..20 * FIT {
            numbered(number, LEN, |frame| client.send(frame)).unwrap();
        }
    });
    for number in 0..20 * FIT {
        // SAFETY: the thread has not been joined, so its handle is valid.
        unsafe { libc::pthread_kill(sender.as_pthread_t(), libc::SIGUSR2) };
        assert_eq!(next(&mut server), number);
    }
    sender.join().unwrap();
}

#[test]
fn frames_of_several_threads_do_not_get_into_each_other() {
    let Some((client, mut server)) = pair() else { return };
    let sender = Mutex::new(client.tx);
    thread::scope(|scope| {
        for thread in 0..4 {
            let sender = &sender;
            scope.spawn(move || {
                for number in 0..50 {
                    let send = |frame: &Numbered<'_>| sender.lock().unwrap().send(frame);
                    numbered(4 * number + thread, LEN, send).unwrap();
                }
            });
        }
        let mut numbers: Vec<u64> = (0..200).map(|_| next(&mut server)).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..200));
    });
}

#[test]
fn bundles_come_in_order_and_what_is_left_stays() {
    let Some((client, mut server)) = pair() else { return };
    let mut sender = client.tx;
    let bodies: Vec<_> = (0..100).map(|number| body(number, number as usize)).collect();
    let frames: Vec<_> = (0..100)
        .zip(&bodies)
        .map(|(number, body)| Numbered::Numbered { number, len: number, body })
        .collect();
    for round in 0..3 {
        assert_eq!(sender.send_all(&frames[..50], Wait::Block).unwrap(), 50);
        let mut batch = Batch::new(sender);
        for frame in &frames[50..] {
            batch.push(frame, Wait::Block).unwrap();
        }
        sender = batch.into_inner(Wait::Block).unwrap();
        for expected in 0..100 {
            // In between, one frame is peeked at, or owned.
            if expected % 7 == round {
                assert!(server.rx.peek_len(Wait::Block).unwrap().is_some());
            }
            match expected % 5 == round {
                true => {
                    let mut owned = server.rx.recv_owned(Wait::Block).unwrap().expect("a frame");
                    assert_eq!(owned.decode().unwrap().check(), expected);
                }
                false => assert_eq!(next(&mut server), expected),
            }
        }
        assert!(matches!(server.try_recv(), Err(RecvError::WouldBlock)));
    }
    assert_eq!(sender.send_all(&frames, Wait::Block).unwrap(), 100);
    sender.shutdown(Shutdown::Write).unwrap();
    for number in 0..100 {
        assert_eq!(next(&mut server), number);
    }
    for _ in 0..2 {
        assert!(server.recv().unwrap().is_none());
        assert!(server.try_recv().unwrap().is_none());
    }
}

#[test]
fn a_large_frame_that_was_begun_is_kept_and_sent_on() {
    const LARGE: usize = 1_000_000;
    let Some((mut client, mut server)) = pair() else { return };
    thread::scope(|scope| {
        // A piece with room for a part of it waits for the rest, so the other end must receive meanwhile.
        let sender = scope.spawn(|| {
            let mut kept = 0;
            for number in 0..10 {
                while let Err(full) = numbered(number, LARGE, |frame| client.try_send(frame)) {
                    assert!(matches!(full, SendError::WouldBlock { .. }), "{full:?}");
                    thread::yield_now();
                }
                while client.tx.pending() > 0 {
                    kept += 1;
                    match client.tx.flush(Wait::Try) {
                        Ok(()) => {}
                        Err(SendError::WouldBlock { .. }) => thread::yield_now(),
                        Err(other) => panic!("{other:?}"),
                    }
                }
            }
            println!("{kept} times, a part was kept");
        });
        for number in 0..10 {
            assert_eq!(next(&mut server), number);
        }
        sender.join().unwrap();
    });
}

#[test]
fn what_was_read_goes_with_the_descriptor() {
    for received in 0..10 {
        let Some((mut client, mut server)) = pair() else { return };
        for number in 0..40 {
            numbered(number, 10, |frame| client.send(frame)).unwrap();
        }
        for number in 0..received {
            assert_eq!(next(&mut server), number);
        }
        // If the kernel cannot peek, the datagram is read.
        server.rx.peek_len(Wait::Block).unwrap();
        let (fd, unread) = server.into_fd().unwrap();
        let mut expected = received..40;
        for frame in &unread {
            assert_eq!(Some(Numbered::decode(frame).unwrap().check()), expected.next());
        }
        let mut server = Ours::adopt(fd).unwrap().in_mode();
        for number in expected {
            assert_eq!(next(&mut server), number);
        }
        drop(client);
        assert!(server.recv().unwrap().is_none());
    }
}

#[test]
fn a_buffer_for_frames_that_are_longer_than_others_cuts_none() {
    const LEN: usize = 6 * 1024 * 1024;
    for grows_later in [false, true] {
        let Some((mut client, mut server)) = pair() else { return };
        let copy = server.as_fd().try_clone_to_owned().unwrap();
        // SO_VM_SOCKETS_BUFFER_MAX_SIZE, and SO_VM_SOCKETS_BUFFER_SIZE.
        for option in [2, 0] {
            raw::set_option(&copy, libc::AF_VSOCK, option, 2 * LEN as u64);
            raw::set_option(&client, libc::AF_VSOCK, option, 2 * LEN as u64);
        }
        if !grows_later {
            server = Ours::adopt(copy).unwrap();
        }
        // The kernel sends the available room together with data.
        numbered(1, 1, |frame| server.send(frame)).unwrap();
        assert_eq!(next(&mut client), 1);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let sent = numbered(2, LEN, |frame| client.send(frame));
                numbered(3, 1, |frame| client.send(frame)).unwrap();
                sent.is_ok()
            });
            let mut received = Vec::new();
            while received.last() != Some(&Some(3)) {
                received.push(match server.recv() {
                    Ok(frame) => Some(frame.expect("no end").decode().unwrap().check()),
                    Err(RecvError::TooLarge { len: LEN.., limit: ..LEN }) => None,
                    // Without a peek, in room that was made when the buffer was shorter.
                    Err(RecvError::Io(error)) => {
                        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
                        None
                    }
                    Err(other) => panic!("{other:?}"),
                });
            }
            // Received whole, or refused by the sender if its own buffer is too small.
            let came = received.len() == 2;
            assert_eq!(sending.join().unwrap(), came, "{received:?}");
            assert!(received == [Some(3)] || received == [Some(2), Some(3)] || grows_later);
        });
    }
}

/// The kernel has no vsock, or none that reaches this machine itself: the error says so.
fn explains(error: &OpenError) {
    skipped(format_args!("no vsock loopback here: {error}"));
    match error {
        OpenError::Unsupported { .. } => {
            assert!(error.to_string().contains("AF_VSOCK"), "{error}");
        }
        OpenError::Io { .. } | OpenError::NotHere { .. } | OpenError::Refused { .. } => {}
        other => panic!("{other:?}"),
    }
}
