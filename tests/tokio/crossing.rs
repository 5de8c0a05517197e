//! Frames that were read before the reactor could report them are received, even if no other event comes.

use std::time::{Duration, Instant};

use datagrammar::tokio::{Connection, Listener, Socket};
use datagrammar::{AcceptError, SendError, Wait, to_vec};
use datagrammar_tests::datagrams::pieces;
use datagrammar_tests::{Directory, Numbered, body, numbered, raw};
use futures_util::StreamExt as _;
use tokio::time::timeout;

type Blocking = datagrammar::Connection<Numbered<'static>, Numbered<'static>>;
type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// How long to wait for frames that are already there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline that has passed before the timer is polled.
fn past() -> Instant {
    Instant::now().checked_sub(Duration::from_millis(20)).unwrap()
}

fn awaited(ours: Blocking) -> Ours {
    Ours::from_blocking(ours).map_err(|(_, error)| error).unwrap()
}

/// Receives frame `number`, in a form that depends on the number.
async fn expect(ours: &mut Ours, number: u64) {
    let receive = async {
        match number % 4 {
            0 => {
                let frame = ours.recv().await.unwrap().expect("a frame");
                frame.decode().unwrap().check()
            }
            1 => {
                let mut frame = ours.rx.recv_owned().await.unwrap().expect("a frame");
                frame.decode().unwrap().check()
            }
            2 => {
                let mut frame = ours.rx.next().await.expect("a frame").unwrap();
                frame.decode().unwrap().check()
            }
            _ => {
                let told = ours.rx.peek_len().await.unwrap();
                let frame = ours.recv_deadline(past()).await.unwrap().expect("a frame");
                assert_eq!(told, Some(frame.len()));
                frame.decode().unwrap().check()
            }
        }
    };
    assert_eq!(timeout(PATIENCE, receive).await.expect("to be woken"), number);
}

fn send_bundle(theirs: &Blocking, numbers: std::ops::Range<u64>) {
    let frames: Vec<_> =
        numbers.map(|number| numbered(number, 5, |frame| to_vec(frame)).unwrap()).collect();
    raw::send(theirs, &datagrammar_tests::datagrams::bundle(&frames)).unwrap();
}

#[tokio::test]
async fn from_a_blocking_connection() {
    for first in 0..4 {
        // The rest of a bundle.
        let (theirs, mut ours) = Blocking::pair().unwrap();
        send_bundle(&theirs, first..first + 6);
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), first);
        let mut ours = awaited(ours);
        expect(&mut ours, first + 1).await;
        // And back, and again.
        let mut ours = ours.into_blocking();
        assert_eq!(ours.try_recv().unwrap().expect("a frame").decode().unwrap().check(), first + 2);
        let (fd, unread) = ours.into_fd().unwrap();
        let mut ours = awaited(Blocking::adopt(fd).unwrap());
        ours.rx.restore(unread);
        for number in first + 3..first + 6 {
            expect(&mut ours, number).await;
        }

        // A frame, some pieces of which were read.
        let (theirs, mut ours) = Blocking::pair().unwrap();
        let frame = numbered(first, 1000, |frame| to_vec(frame)).unwrap();
        let pieces = pieces(7, &frame, 100);
        let (some, others) = pieces.split_at(4);
        some.iter().for_each(|piece| raw::send(&theirs, piece).unwrap());
        ours.try_recv().unwrap_err();
        let mut ours = awaited(ours);
        ours.try_recv().unwrap_err();
        others.iter().for_each(|piece| raw::send(&theirs, piece).unwrap());
        expect(&mut ours, first).await;

        // The end.
        drop(theirs);
        let mut ours = ours.into_blocking();
        assert!(ours.recv().unwrap().is_none());
        let mut ours = awaited(ours);
        let end = timeout(PATIENCE, ours.recv()).await.expect("to be woken");
        assert!(end.unwrap().is_none());
    }
}

#[tokio::test]
async fn by_a_call_that_does_not_wait() {
    for first in 0..4 {
        for form in 0..3 {
            let (theirs, mut ours) = Ours::pair().unwrap();
            let theirs = theirs.into_blocking();
            send_bundle(&theirs, first..first + 3);
            match form {
                0 => _ = ours.try_recv().unwrap().expect("a frame"),
                1 => _ = ours.rx.try_recv_owned().unwrap().expect("a frame"),
                _ => {
                    assert_eq!(ours.rx.try_peek_len().unwrap(), Some(8));
                    let frame = ours.recv_deadline(past()).await.unwrap();
                    assert_eq!(frame.expect("a frame").decode().unwrap().check(), first);
                }
            }
            expect(&mut ours, first + 1).await;
            expect(&mut ours, first + 2).await;
        }
    }
}

#[tokio::test]
async fn by_a_call_whose_deadline_has_passed() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
    let _client = Blocking::connect(&address).unwrap();
    let mut server = listener.accept_deadline(past()).await.unwrap();
    let late = listener.accept_deadline(past()).await.unwrap_err();
    assert!(matches!(late, AcceptError::TimedOut), "{late:?}");
    let body = body(7, 50_000);
    let mut sent = 0;
    let late = loop {
        let note = Numbered::Numbered { number: 7, len: 50_000, body: &body };
        match server.send_deadline(&note, past()).await {
            Ok(_) => sent += 1,
            Err(late) => break late,
        }
    };
    assert!(sent > 0);
    assert!(matches!(late, SendError::TimedOut { len: 50_005 }), "{late:?}");
}

#[tokio::test]
async fn from_a_blocking_socket_and_by_a_call_that_does_not_wait() {
    let directory = Directory::new();
    for address in [directory.address("socket"), "udp:127.0.0.1:0".parse().unwrap()] {
        let mut ours = datagrammar::Socket::<Numbered<'_>, Numbered<'_>>::bind(&address).unwrap();
        let to = ours.local_addr().unwrap();
        let frame = Numbered::Numbered { number: 7, len: 1, body: &[7] };
        ours.tx.send_all_to([&frame; 6], &to, Wait::Block).unwrap();
        ours.recv_from().unwrap();
        let mut ours = OursAlone::from_blocking(ours).map_err(|(_, error)| error).unwrap();
        timeout(PATIENCE, ours.recv_from()).await.expect("to be woken").unwrap();
        let mut ours = ours.into_blocking();
        ours.recv_from().unwrap();
        let mut ours = OursAlone::from_blocking(ours).map_err(|(_, error)| error).unwrap();
        timeout(PATIENCE, ours.rx.next()).await.expect("to be woken").unwrap().unwrap();
        ours.try_recv_from().unwrap();
        timeout(PATIENCE, ours.rx.recv_owned_from()).await.expect("to be woken").unwrap();
        // And before the reactor has reported it.
        let mut ours = OursAlone::from_blocking(ours.into_blocking()).map_err(|(_, e)| e).unwrap();
        ours.send_to_deadline(&frame, &to, past()).await.unwrap();
        ours.recv_from_deadline(past()).await.unwrap();
        ours.tx.try_send_all_to([&frame; 2], &to).unwrap();
        ours.try_recv_from().unwrap();
        timeout(PATIENCE, ours.recv_from()).await.expect("to be woken").unwrap();
    }
}
