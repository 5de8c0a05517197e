//! How a queue ends: closed, dropped, or with the peer.

use datagrammar::tokio::{QueueDriver, Sender};
use datagrammar::{SendAllError, SendError};
use datagrammar_tests::{Numbered, numbered, raw};
use rustix::net::{RecvFlags, SocketType};

use super::kinds::{Any, Anys};
use super::steps::{Numbers, Ours, Steps, send, settle, started, try_send};

type Driver = QueueDriver<Numbered<'static>>;

/// A queue with more messages than the socket has room for, its driver, and the number of messages.
async fn filled(ours: Sender<Numbered<'static>>) -> (Numbers, Steps<Driver>, u64) {
    let (queue, driver) = ours.into_queue(1 << 20);
    let mut driver = started(driver).await;
    let count = (0..).find(|&number| try_send(&queue, number, 100).is_err()).unwrap();
    assert!(driver.step().is_pending());
    assert!(!queue.is_empty());
    (queue, driver, count)
}

/// Receives all messages up to `count`, and takes the sender back.
async fn expect_all(driver: Steps<Driver>, theirs: &mut Ours, count: u64) {
    let driver = tokio::spawn(driver.into_inner());
    for number in 0..count {
        let frame = theirs.recv().await.unwrap().expect("a frame");
        assert_eq!(frame.decode().unwrap().check(), number);
    }
    let mut sender = driver.await.unwrap().unwrap();
    assert!(theirs.try_recv().is_err());
    numbered(7, 10, |message| sender.try_send(message)).unwrap();
    assert_eq!(theirs.recv().await.unwrap().unwrap().decode().unwrap().check(), 7);
}

#[tokio::test]
async fn closing_sends_what_is_queued_and_refuses_the_rest() {
    let (ours, mut theirs) = Ours::pair().unwrap();
    let (queue, driver, count) = filled(ours.tx).await;
    let other = queue.clone();
    let mut waits = Steps::new(send(&queue, count, 1 << 20));
    let mut closed = Steps::new(queue.closed());
    assert!(waits.step().is_pending() && closed.step().is_pending());
    other.close();
    assert_eq!((waits.wakes(), closed.wakes()), (1, 1));
    assert!(matches!(waits.done(), Err(SendError::Closed)));
    closed.done();
    assert!(matches!(try_send(&queue, 0, 0), Err(SendError::Closed)));
    assert!(queue.is_closed() && !queue.is_empty());
    expect_all(driver, &mut theirs, count).await;
    assert!(queue.is_empty());
}

#[tokio::test]
async fn a_call_that_was_admitted_before_the_close_fails_too() {
    let (ours, mut theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(0);
    let mut driver = started(driver).await;
    let (mut first, mut second) = (Steps::new(send(&queue, 0, 0)), Steps::new(send(&queue, 1, 0)));
    assert_eq!(first.done().unwrap(), 0);
    assert!(second.step().is_pending() && driver.step().is_pending());
    assert_eq!(second.wakes(), 1);
    queue.close();
    assert!(matches!(second.done(), Err(SendError::Closed)));
    drop(second);
    expect_all(driver, &mut theirs, 1).await;
}

#[tokio::test]
async fn the_last_handle_closes() {
    let (ours, mut theirs) = Ours::pair().unwrap();
    let (queue, driver, count) = filled(ours.tx).await;
    let other = queue.clone();
    drop(queue);
    assert!(!other.is_closed());
    drop(other);
    expect_all(driver, &mut theirs, count).await;
}

#[tokio::test]
async fn a_queue_without_messages_ends_too() {
    let (ours, _theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(100);
    let mut driver = started(driver).await;
    let other = queue.clone();
    drop(queue);
    assert_eq!(driver.wakes(), 0);
    drop(other);
    assert_eq!(driver.wakes(), 1);
    driver.done().unwrap();
}

#[tokio::test]
async fn a_dead_peer_fails_everybody_and_the_number_is_right() {
    for len in [10, 5000, 20_000, 400_000] {
        let (ours, mut theirs) = Ours::pair().unwrap();
        let (queue, driver) = ours.tx.into_queue(1 << 20);
        let mut driver = started(driver).await;
        let mut number = 0;
        while try_send(&queue, number, len).is_ok() {
            number += 1;
            // At first each goes alone.
            if number < 5 {
                assert!(driver.step().is_pending());
            }
        }
        assert!(driver.step().is_pending());
        assert!(!queue.is_empty(), "the socket took it all");
        let mut waits: Vec<_> = (0..10).map(|_| Steps::new(send(&queue, 0, 1 << 20))).collect();
        assert!(waits.iter_mut().all(|send| send.step().is_pending()));
        // The messages that the peer can still receive were sent, and no others.
        let mut received = 0;
        while let Ok(Some(frame)) = theirs.try_recv() {
            assert_eq!(frame.decode().unwrap().check(), received);
            received += 1;
        }
        drop(theirs);
        settle().await;
        let SendAllError { sent, error, .. } = driver.done().unwrap_err();
        assert!(matches!(error, SendError::Disconnected), "{error:?}");
        assert_eq!(sent as u64, received, "of {number} of {len} bytes");
        for send in &mut waits {
            assert_eq!(send.wakes(), 1);
            assert!(matches!(send.done(), Err(SendError::Closed)));
        }
        assert!(matches!(try_send(&queue, 0, 0), Err(SendError::Closed)));
        assert!(queue.is_closed() && queue.is_empty());
        queue.closed().await;
    }
}

#[tokio::test]
async fn a_driver_that_is_dropped_fails_everybody_and_closes_descriptors() {
    for steps in 0..3 {
        let (mut ours, _theirs) = Anys::pair().unwrap();
        while ours.tx.try_send(&Any::Plain { number: 0, body: &[] }).is_ok() {}
        let (queue, driver) = ours.tx.into_queue(100);
        let mut driver = Steps::new(driver);
        let (file, copy) = raw::pair(SocketType::SEQPACKET);
        if steps > 0 {
            assert!(driver.step().is_pending());
        }
        assert_eq!(queue.send(&Any::Files { number: 0, files: vec![file] }).await.unwrap(), 0);
        if steps > 1 {
            // The driver has taken the message, and waits for room.
            assert!(driver.step().is_pending());
        }
        let receive = || rustix::net::recv(&copy, &mut [0; 9][..], RecvFlags::DONTWAIT);
        assert!(receive().is_err(), "the descriptor is open");
        let long = Any::Plain { number: 0, body: &[0; 200] };
        let (mut waits, mut closed) = (Steps::new(queue.send(&long)), Steps::new(queue.closed()));
        assert!(waits.step().is_pending() && closed.step().is_pending());
        drop(driver);
        assert_eq!((waits.wakes(), closed.wakes()), (1, 1));
        closed.done();
        assert!(matches!(waits.done(), Err(SendError::Closed)));
        assert_eq!(receive().unwrap().1, 0, "the descriptor is closed");
    }
}

#[tokio::test]
async fn what_the_sender_has_begun_goes_first() {
    let (mut ours, mut theirs) = Ours::pair().unwrap();
    settle().await;
    numbered(0, 1_000_000, |message| ours.tx.try_send(message)).unwrap();
    assert!(ours.tx.pending() > 0);
    let (queue, driver) = ours.tx.into_queue(1000);
    // Even if nothing is queued.
    let driver = tokio::spawn(driver);
    assert_eq!(theirs.recv().await.unwrap().unwrap().decode().unwrap().check(), 0);
    assert_eq!(send(&queue, 1, 10).await.unwrap(), 0);
    assert_eq!(theirs.recv().await.unwrap().unwrap().decode().unwrap().check(), 1);
    drop(queue);
    assert_eq!(driver.await.unwrap().unwrap().pending(), 0);
}
