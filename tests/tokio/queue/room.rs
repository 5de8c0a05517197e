//! A full queue: which calls wait, go first, and leave.

use std::task::Poll;

use datagrammar::SendError;
use datagrammar_tests::raw;
use rustix::net::{RecvFlags, SocketType};

use super::kinds::{Any, Anys, Refused, files};
use super::steps::{Ours, Steps, send, settle, started, try_send};

/// The length of a frame with a body of 37 bytes: its tag, and two numbers.
const LEN: usize = 40;

#[tokio::test]
async fn waits_are_in_order_and_wake_only_those_with_room() {
    let (ours, mut theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(2 * LEN);
    let mut driver = started(driver).await;
    let mut sends: Vec<_> =
        (0..7).map(|number| Steps::new(send(&queue, number, LEN - 3))).collect();
    for (number, send) in (0..).zip(&mut sends) {
        match send.step() {
            Poll::Ready(queued) => assert_eq!((queued.unwrap(), number < 2), (number, true)),
            Poll::Pending => assert!(number >= 2),
        }
    }
    // Even a frame for which there would be room must wait, or fails.
    let full = try_send(&queue, 99, 0).unwrap_err();
    assert!(matches!(full, SendError::Full { len: 3, capacity: 80 }), "{full:?}");
    let mut next = 2;
    while next < 7 {
        assert!(sends.iter().all(|send| send.wakes() == 0));
        assert!(driver.step().is_pending());
        for (number, send) in (0..).zip(&mut sends).skip(next) {
            assert_eq!(send.wakes(), usize::from(number < next + 2), "{number} after {next}");
        }
        for (number, send) in (0..).zip(&mut sends).skip(next).take(2) {
            assert_eq!(send.done().unwrap(), number as u64);
        }
        assert!(sends.iter_mut().skip(next + 2).all(|send| send.step().is_pending()));
        next += 2;
    }
    assert!(driver.step().is_pending());
    assert_eq!(try_send(&queue, 7, 0).unwrap(), 7);
    assert!(driver.step().is_pending());
    for number in 0..8 {
        let frame = theirs.try_recv().unwrap().unwrap();
        assert_eq!(frame.decode().unwrap().check(), number);
    }
}

#[tokio::test]
async fn a_wait_that_is_dropped_lets_the_next_one_go() {
    // Of five waiting calls, with room for two at a time, each one is dropped, before and after it is admitted.
    for dropped in 0..5 {
        for is_admitted in [false, true] {
            let (ours, mut theirs) = Ours::pair().unwrap();
            let (queue, driver) = ours.tx.into_queue(2 * LEN);
            let mut driver = started(driver).await;
            let mut sends: Vec<_> =
                (0..7).map(|number| Some(Steps::new(send(&queue, number, LEN - 3)))).collect();
            for send in sends.iter_mut().flatten() {
                _ = send.step();
            }
            let dropped = dropped + 2;
            if !is_admitted {
                sends[dropped] = None;
            }
            let mut numbers = 2..;
            let mut left: Vec<_> = (2..7).filter(|&number| number != dropped).collect();
            for _ in 0..4 {
                assert!(driver.step().is_pending());
                if is_admitted && sends[dropped].as_ref().is_some_and(|send| send.wakes() > 0) {
                    sends[dropped] = None;
                }
                left.retain(|&number| {
                    let send = sends[number].as_mut().unwrap();
                    // Only those that are woken are polled.
                    let is_woken = send.wakes() > 0;
                    if is_woken {
                        assert_eq!(send.done().unwrap(), numbers.next().unwrap());
                    }
                    !is_woken
                });
            }
            assert!(left.is_empty(), "{left:?} wait for ever, as {dropped} was dropped");
            assert!(queue.is_empty());
            for number in (0..7).filter(|&number| number != dropped) {
                let frame = theirs.try_recv().unwrap().unwrap();
                assert_eq!(frame.decode().unwrap().check(), number as u64);
            }
            assert!(theirs.try_recv().is_err());
        }
    }
}

#[tokio::test]
async fn the_task_that_polled_last_is_woken() {
    let (ours, _theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(0);
    let mut driver = started(driver).await;
    assert_eq!(try_send(&queue, 0, 0).unwrap(), 0);
    let (mut waits, mut closed) = (Steps::new(send(&queue, 1, 0)), Steps::new(queue.closed()));
    for _ in 0..3 {
        assert!(waits.step().is_pending() && closed.step().is_pending());
        waits.move_on();
        closed.move_on();
        driver.move_on();
    }
    assert!(waits.step().is_pending() && closed.step().is_pending() && driver.step().is_pending());
    assert_eq!((waits.wakes(), waits.done().unwrap()), (1, 1));
    assert_eq!(driver.wakes(), 1);
    queue.close();
    assert_eq!(closed.wakes(), 1);
}

#[tokio::test]
async fn a_frame_before_which_none_fits_makes_room_when_it_is_dropped() {
    let (ours, _theirs) = Ours::pair().unwrap();
    let (queue, _driver) = ours.tx.into_queue(100);
    let mut first = Steps::new(send(&queue, 0, 57));
    assert_eq!(first.done().unwrap(), 0);
    let (mut long, mut short) = (Steps::new(send(&queue, 1, 97)), Steps::new(send(&queue, 2, 10)));
    assert!(long.step().is_pending() && short.step().is_pending());
    drop(long);
    assert_eq!((short.wakes(), short.done().unwrap()), (1, 1));
}

#[tokio::test]
async fn a_frame_longer_than_the_capacity_goes_when_nothing_else_is_queued() {
    for capacity in [0, 1, 100] {
        let (ours, mut theirs) = Ours::pair().unwrap();
        let (queue, driver) = ours.tx.into_queue(capacity);
        let mut driver = started(driver).await;
        for (number, len) in [(0, 1000), (1, 20_000), (2, 1000)] {
            assert_eq!(try_send(&queue, number, len).unwrap(), number);
            assert!(matches!(try_send(&queue, 9, 0), Err(SendError::Full { .. })));
            let mut waits = Steps::new(send(&queue, 9, 2000));
            assert!(waits.step().is_pending());
            drop(waits);
            assert_eq!(driver.wakes(), 1);
            assert!(driver.step().is_pending());
            let frame = theirs.try_recv().unwrap().unwrap();
            assert_eq!((frame.decode().unwrap().check(), queue.is_empty()), (number, true));
        }
    }
}

/// A peer that does not read does not make the queue hold all descriptors that the process may have.
#[tokio::test]
async fn h22_descriptors_take_room() {
    let (mut ours, mut theirs) = Anys::pair().unwrap();
    let mut first = 0;
    while ours.tx.try_send(&Any::Plain { number: 0, body: &[] }).is_ok() {
        first += 1;
    }
    let (queue, driver) = ours.tx.into_queue(64 << 10);
    let mut driver = Steps::new(driver);
    assert!(driver.step().is_pending());
    let mut number = 0;
    let full = loop {
        match queue.try_send(&files(number, 2)) {
            Ok(queued) => assert_eq!(queued, number),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 100, "200 descriptors");
    };
    assert!(matches!(full, SendError::Full { .. }), "{full:?}");
    assert!(number >= 7, "{number} messages");
    // Their room becomes free again.
    for _ in 0..first {
        theirs.try_recv().unwrap();
    }
    for next in 0..3 * number {
        settle().await;
        assert!(driver.step().is_pending());
        assert_eq!(queue.try_send(&files(number + next, 2)).unwrap(), number + next);
        assert_eq!(theirs.try_recv().unwrap().unwrap().decode().unwrap().number(), next);
    }
}

#[tokio::test]
async fn what_cannot_be_queued_takes_no_number_and_no_room() {
    let (ours, mut theirs) = Anys::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(40);
    let mut driver = started(driver).await;
    for number in 0..10 {
        let refused = queue.try_send(&Any::Refused { number: 9, refused: Refused });
        assert!(matches!(refused, Err(SendError::Encode(_))));
        let files = (0..254).map(|_| raw::pair(SocketType::DGRAM).0).collect();
        let refused = queue.try_send(&Any::Files { number: 9, files });
        let expected =
            matches!(refused, Err(SendError::TooManyDescriptors { count: 254, max: 253 }));
        assert!(expected, "{refused:?}");
        assert_eq!(
            queue.try_send(&Any::Plain { number, body: &[number as u8; 30] }).unwrap(),
            number
        );
        assert!(driver.step().is_pending());
        assert_eq!(theirs.try_recv().unwrap().unwrap().decode().unwrap().number(), number);
    }
}

#[tokio::test]
async fn an_idle_queue_sends_at_once_and_one_frame_alone() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let (queue, driver) = Ours::adopt(ours).unwrap().tx.into_queue(1 << 20);
    let mut driver = started(driver).await;
    let mut buffer = [0; 100];
    let mut receive =
        || rustix::net::recv(&theirs, &mut buffer[..], RecvFlags::DONTWAIT).map(|(_, len)| len);
    for number in 0..3 {
        assert_eq!(try_send(&queue, number, 0).unwrap(), number);
        assert_eq!((driver.wakes(), queue.len()), (1, 1));
        // Further messages wake no task.
        assert_eq!(driver.wakes(), 0);
        assert!(driver.step().is_pending() && queue.is_empty());
        assert_eq!(receive().unwrap(), 3, "not a frame of three bytes, as without a queue");
        assert!(receive().is_err());
    }
}
