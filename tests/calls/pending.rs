//! Calls that one thread starts, and waits for later or never.

use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client, PendingCall};
use datagrammar::{Connection, to_vec};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{CANCEL, Peer, REPLY};
use crate::protocol::{Sum, Sums};
use crate::{Ours, add};

fn pair() -> (Ours, Peer) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    (Client::new(Connection::adopt(ours).unwrap()), Peer::new(theirs))
}

fn start(client: &Ours) -> PendingCall<Sums<'static>, Sum> {
    client.start(&Sums::Add { left: 1, right: 2 }).unwrap()
}

fn answer(peer: &Peer, id: u64) {
    peer.part(REPLY, 0, id, &to_vec(&Sum::Ok(id)).unwrap());
}

fn sum(call: PendingCall<Sums<'static>, Sum>) -> u64 {
    call.wait().unwrap().decode().unwrap()
}

#[test]
fn one_thread_has_several_calls_in_flight_and_takes_the_answers_in_any_order() {
    let (client, mut peer) = pair();
    let [first, second, third] = [(); 3].map(|()| start(&client));
    let ids = peer.sorted(3).iter().map(|request| request.id).collect::<Vec<_>>();
    assert_eq!((ids, client.in_flight()), (vec![1, 2, 3], 3));
    [3, 1, 2].into_iter().for_each(|id| answer(&peer, id));
    assert_eq!(sum(first), 1);
    assert_eq!(sum(third), 3);
    assert_eq!(client.in_flight(), 1);
    assert_eq!(sum(second), 2);
    assert_eq!((client.in_flight(), client.dropped()), (0, 0));
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    let (client, mut peer) = pair();
    let [first, second] = [(); 2].map(|()| start(&client));
    peer.sorted(2);
    drop(first);
    let cancellation = peer.next();
    assert_eq!((cancellation.kind, cancellation.id), (CANCEL, 1));
    answer(&peer, 1);
    answer(&peer, 2);
    assert_eq!(sum(second), 2);
    assert_eq!((client.in_flight(), client.dropped()), (0, 1));
    // A call that is answered needs no cancellation.
    let mut third = start(&client);
    peer.next();
    answer(&peer, 3);
    assert!(third.wait_deadline(Instant::now() + Duration::from_secs(60)));
    drop(third);
    peer.check_silent();
    assert_eq!(client.in_flight(), 0);
}

#[test]
fn a_thread_waits_for_a_while_and_then_goes_on_waiting() {
    let (client, mut peer) = pair();
    let mut call = start(&client);
    let passed = Instant::now();
    assert!(!call.wait_deadline(passed));
    assert!(!call.wait_deadline(passed + Duration::from_millis(5)));
    let id = peer.next().id;
    answer(&peer, id);
    assert!(call.wait_deadline(passed), "the answer is in the socket");
    assert!(call.wait_deadline(passed));
    assert_eq!(sum(call), id);
}

#[test]
fn a_call_ends_with_its_deadline_or_its_peer() {
    let (client, mut peer) = pair();
    let hasty = client.deadline(Instant::now() + Duration::from_millis(50));
    // If this thread was held up, nothing is sent.
    if let Ok(mut late) = hasty.start::<Sum>(&Sums::Add { left: 1, right: 2 }) {
        assert!(late.wait_deadline(Instant::now() + Duration::from_secs(60)));
        assert!(matches!(late.wait(), Err(CallError::TimedOut)));
        assert_eq!([peer.next(), peer.next()].map(|part| part.id), [1, 1]);
    }
    let mut call = start(&client);
    peer.next();
    drop(peer);
    assert!(call.wait_deadline(Instant::now() + Duration::from_secs(60)));
    assert!(matches!(call.wait(), Err(CallError::Disconnected(_))));
    assert!(client.start::<Sum>(&Sums::Add { left: 1, right: 2 }).is_err());
    assert!(add(&client, 1, 2).is_err());
}
