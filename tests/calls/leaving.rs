//! Threads of a blocking client that stop waiting while others wait on.

use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client};
use datagrammar::{Connection, SendError};
use datagrammar_tests::{Random, raw, seed};
use rustix::net::SocketType;

use crate::peer::{CANCEL, Part, Peer, REPLY};
use crate::{Counted, Echoed, Handler, Ours, Sum, Sums, add, with};

/// Longer than any of these tests takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

/// The order in which a client looks through its calls depends on their ids.
const ROUNDS: usize = 16;

fn pair() -> (Ours, Peer) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    (Client::new(Connection::adopt(ours).unwrap()), Peer::new(theirs))
}

/// Calls on another thread, which reports the answer to `done`. Returns when the thread waits for the thread that
/// receives.
fn call(client: &Ours, done: &Sender<u64>) {
    let (client, done) = (client.clone(), done.clone());
    thread::spawn(move || done.send(add(&client, 1, 2).unwrap()));
    thread::sleep(Duration::from_millis(20));
}

/// Answers the call of [`call`]. Returns whether it is answered.
fn is_answered(peer: &Peer, request: &Part, has_done: &Receiver<u64>) -> bool {
    peer.part(REPLY, 0, request.id, &datagrammar::to_vec(&Sum::Ok(3)).unwrap());
    has_done.recv_timeout(STALL).is_ok_and(|sum| sum == 3)
}

#[test]
fn a_thread_whose_call_times_out_leaves_the_receiving_to_another() {
    let (client, mut peer) = pair();
    let (done, has_done) = mpsc::channel();
    for round in 0..ROUNDS {
        let hasty = client.deadline(Instant::now() + Duration::from_millis(50));
        // If this thread was held up, nothing is sent.
        let Ok(mut items) = hasty.items::<Counted>(&Sums::Count { to: 1 }) else { continue };
        _ = peer.next();
        // It receives for all.
        let leaving = thread::spawn(move || items.recv().map(drop));
        thread::sleep(Duration::from_millis(10));
        call(&client, &done);
        assert!(matches!(leaving.join().unwrap(), Err(CallError::TimedOut)));
        let mut parts = [peer.next(), peer.next()];
        parts.sort_by_key(|part| part.kind == CANCEL);
        let [request, cancellation] = parts;
        assert_eq!(cancellation.kind, CANCEL);
        assert!(is_answered(&peer, &request, &has_done), "nobody receives in round {round}");
    }
}

#[test]
fn a_thread_that_no_longer_waits_for_items_leaves_the_receiving_to_another() {
    let (client, mut peer) = pair();
    let (done, has_done) = mpsc::channel();
    for round in 0..ROUNDS {
        let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
        _ = peer.next();
        thread::scope(|scope| {
            let leaving =
                scope.spawn(|| items.wait_deadline(Instant::now() + Duration::from_millis(50)));
            thread::sleep(Duration::from_millis(10));
            call(&client, &done);
            assert!(!leaving.join().unwrap());
        });
        let request = peer.next();
        assert!(is_answered(&peer, &request, &has_done), "nobody receives in round {round}");
        drop(items);
        assert_eq!(peer.next().kind, CANCEL);
    }
}

/// Random calls, many of which end early.
#[test]
fn threads_that_come_and_go_all_get_their_answers() {
    const THREADS: u64 = 6;
    const CALLS: u64 = 400;
    let seed = seed();
    with(3, Handler::default(), move |client| {
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (mut random, client) = (Random(seed ^ thread), &client);
                scope.spawn(move || (0..CALLS).for_each(|_| act(client, &mut random)));
            }
        });
        assert_eq!(client.in_flight(), 0);
    });
}

fn act(client: &Ours, random: &mut Random) {
    let soon = Instant::now() + Duration::from_micros(random.below(400));
    let hasty = client.deadline(soon);
    match random.below(10) {
        0..3 => assert_eq!(add(client, 1, 2).unwrap(), 3),
        3 => check(add(&hasty, 1, 2).map(|sum| assert_eq!(sum, 3))),
        4 => check(hasty.call::<Sum>(&Sums::Slow { millis: 1 }).map(drop)),
        5 => check(hasty.call::<Echoed<'static>>(&Sums::Echo { text: &[7; 30_000] }).map(drop)),
        6 => {
            let mut items = client.items::<Counted>(&Sums::Count { to: 40 }).unwrap();
            for number in 0..random.below(45) {
                let item = items.recv().unwrap().map(|item| item.0);
                assert_eq!(item, (number < 40).then_some(number));
            }
        }
        7 | 8 => {
            let calls = [1, 2, 3].map(|left| {
                client.start::<Sum>(&Sums::Add { left, right: 1 }).map(|call| (call, left + 1))
            });
            for (mut call, sum) in calls.map(Result::unwrap) {
                if call.wait_deadline(soon) {
                    assert_eq!(call.wait().unwrap().decode().unwrap(), sum);
                }
            }
        }
        _ => {
            let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
            if items.wait_deadline(soon) {
                assert_eq!(items.recv().unwrap().unwrap().0, 0);
            }
        }
    }
}

fn check<E: fmt::Debug>(result: Result<(), CallError<E>>) {
    let is_late = |error: &CallError<E>| match error {
        CallError::TimedOut => true,
        CallError::NotSent(error) => matches!(**error, SendError::TimedOut { .. }),
        _ => false,
    };
    assert!(result.as_ref().err().is_none_or(is_late), "{result:?}");
}
