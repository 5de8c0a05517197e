//! Copies of a process made by fork without exec: they receive, whatever other threads were doing, and send
//! nothing that their parent also sends.

use std::io::{Read as _, Write as _, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use datagrammar::{Batch, Connection, RecvError, SendError, Wait};
use datagrammar_tests::fork::fork;
use datagrammar_tests::{InMode as _, Numbered, body, numbered, scaled};

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// Receives a frame, a bundle, and the end, on a connection of its own.
fn receives() -> bool {
    let Ok((mut theirs, mut ours)) = Ours::pair() else { return false };
    let message = Numbered::Numbered { number: 7, len: 3, body: &[7; 3] };
    let sent = theirs.send(&message).is_ok()
        && theirs.tx.send_all([&message, &message], Wait::Block).is_ok()
        && numbered(7, 100_000, |frame| theirs.send(frame)).is_ok();
    drop(theirs);
    let all = (0..4)
        .all(|_| ours.recv().is_ok_and(|frame| frame.is_some_and(|frame| frame.decode().is_ok())));
    sent && all && matches!(ours.recv(), Ok(None))
}

#[test]
fn h43_a_forked_copy_receives_whatever_other_threads_were_doing() {
    let _alone = alone();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..4 {
            let stop = &stop;
            scope.spawn(move || {
                let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
                let message = Numbered::Numbered { number: 7, len: 3, body: &[7; 3] };
                while !stop.load(Ordering::Relaxed) {
                    // Keeps taking lanes from the pool and returning them.
                    if thread % 2 == 0 {
                        theirs.tx.send_all([&message; 3], Wait::Block).unwrap();
                    } else {
                        numbered(7, 100_000, |frame| theirs.send(frame)).unwrap();
                    }
                    loop {
                        match ours.try_recv() {
                            Ok(frame) => assert_eq!(frame.unwrap().decode().unwrap().check(), 7),
                            Err(RecvError::WouldBlock) => break,
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
            });
        }
        let patience = Duration::from_secs(60);
        let ends = (0..scaled(2_000)).map(|_| fork(receives).ends_within(patience));
        let bad = ends.enumerate().find(|(_, end)| *end != Some(true));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(bad, None, "a copy failed, or hangs");
    });
}

#[test]
fn h43_pieces_of_two_forked_copies_of_a_sender_are_never_joined() {
    let _alone = alone();
    const LEN: usize = 1_000_000;
    let mut whole = 0;
    for _ in 0..80 {
        let (mut theirs, ours) = Ours::pair().unwrap().in_mode();
        let bodies = [1, 2].map(|number| body(number, LEN));
        let mut messages = (1..).zip(&bodies).map(|(number, body)| Numbered::Numbered {
            number,
            len: LEN as u64,
            body,
        });
        let (childs, parents) = (messages.next().unwrap(), messages.next().unwrap());
        let mut ours = Some(ours);
        let child = fork(|| {
            ours = None;
            (0..2).all(|_| theirs.send(&childs).is_ok())
        });
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 {
                    theirs.send(&parents).unwrap();
                }
                drop(theirs);
            });
            // Dropped if this fails, so that the peer does not wait for room.
            let mut ours = ours.unwrap();
            loop {
                match ours.recv() {
                    // Each frame is whole, and from one sender.
                    Ok(Some(frame)) => {
                        frame.decode().unwrap().check();
                        whole += 1;
                    }
                    Ok(None) => break,
                    Err(RecvError::Incomplete { .. } | RecvError::BadFragment(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        child.check();
    }
    println!("{whole} of 320 frames came whole");
}

#[test]
fn a_forked_copy_of_a_batch_sends_nothing_when_it_is_dropped() {
    let _alone = alone();
    let (theirs, mut ours) = Ours::pair().unwrap().in_mode();
    let mut batch = Some(Batch::new(theirs.tx));
    for number in 0..5 {
        let batch = batch.as_mut().unwrap();
        numbered(number, 10, |frame| batch.push(frame, Wait::Block)).unwrap();
    }
    fork(|| {
        batch = None;
        true
    })
    .check();
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    // The batch of the parent is unchanged.
    assert_eq!(batch.as_ref().map(Batch::len), Some(5));
    drop(batch);
    for number in 0..5 {
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
    assert!(!matches!(ours.try_recv(), Ok(Some(_))));
}

#[test]
fn a_forked_copy_of_a_sender_sends_nothing_of_what_is_pending_and_stays_usable() {
    let _alone = alone();
    const LEN: usize = 3_000_000;
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    numbered(1, LEN, |frame| theirs.try_send(frame)).unwrap();
    let pending = theirs.tx.pending();
    assert!(pending > 0);
    // The copy sends nothing: neither when it flushes, nor when it is dropped.
    let mut sender = Some(theirs.tx);
    fork(|| {
        let Some(tx) = &mut sender else { return false };
        let nothing = tx.pending() == 0 && tx.flush(Wait::Block).is_ok();
        sender = None;
        nothing
    })
    .check();
    let mut tx = sender.unwrap();
    assert_eq!(tx.pending(), pending);
    // A copy that sends after the parent has sent everything.
    let (mut read, mut write) = pipe().unwrap();
    let child = fork(|| {
        let go = read.read_exact(&mut [0]).is_ok();
        go && numbered(2, 10, |frame| tx.try_send(frame)).is_ok() && tx.pending() == 0
    });
    while tx.pending() > 0 {
        match tx.flush(Wait::Try) {
            Ok(()) => break,
            Err(SendError::WouldBlock { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    }
    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
    write.write_all(&[0]).unwrap();
    child.check();
    assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
    // A copy that sends in the middle of its parent's frame damages only that frame.
    numbered(3, LEN, |frame| tx.try_send(frame)).unwrap();
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    fork(|| numbered(4, 10, |frame| tx.try_send(frame)).is_ok()).check();
    thread::scope(|scope| {
        scope.spawn(|| {
            tx.flush(Wait::Block).unwrap();
            numbered(5, 10, |frame| tx.send(frame)).unwrap();
        });
        match ours.recv() {
            Err(RecvError::Incomplete { total, .. }) => assert!(total > LEN),
            other => panic!("{other:?}"),
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 4);
        assert!(matches!(ours.recv(), Err(RecvError::BadFragment(_))));
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
    });
}
