//! Answers that are refused or cut off, and servers that die or do not read.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client};
use datagrammar::{BundleFault, Connection, FragmentFault, RecvError, SendError};
use datagrammar_tests::{raw, within};
use rustix::net::SocketType;

use super::{LIMIT, count, drain, echo, echoed, item, reply, run};
use crate::peer::{CANCEL, Peer, REPLY, bundle, part, pieces};
use crate::{Echoed, Ours, Sums, add};

#[test]
fn h32_an_answer_over_the_limit_is_lost_alone() {
    let forms: [fn(&Peer, Vec<u8>); 3] = [
        |peer, reply| peer.send(&reply),
        |peer, reply| peer.send(&bundle(&[reply])),
        |peer, reply| pieces(77, &reply, 1000).iter().for_each(|piece| peer.send(piece)),
    ];
    for send in forms {
        for len in [LIMIT + 1, LIMIT + 14, LIMIT + 15, 5 * LIMIT] {
            let (sum, short, long) = run(
                0,
                |client| {
                    thread::scope(|scope| {
                        let other = scope.spawn(|| add(client, 1, 0));
                        let short = echo(client);
                        let long = echo(client);
                        (other.join().unwrap(), short, long)
                    })
                },
                move |peer| {
                    let mut requests = [peer.next(), peer.next()];
                    requests.sort_by_key(|request| request.frame[0]);
                    let [other, short] = requests;
                    send(peer, echoed(short.id, LIMIT));
                    let long = peer.next();
                    send(peer, echoed(long.id, len));
                    peer.send(&reply(other.id, 1));
                },
            );
            assert_eq!((sum.unwrap(), short.unwrap()), (1, LIMIT));
            let CallError::Lost(reason) = long.unwrap_err() else { panic!("not lost") };
            let numbers = match *reason {
                RecvError::TooLarge { len, limit } => (len, limit),
                ref other => panic!("{other}"),
            };
            assert_eq!(numbers, (len, LIMIT));
        }
    }
}

#[test]
fn an_answer_in_pieces_that_stops_is_lost_alone() {
    let (sum, lost) = run(
        0,
        |client| {
            thread::scope(|scope| {
                let other = scope.spawn(|| add(client, 1, 0));
                let lost = echo(client);
                (other.join().unwrap(), lost)
            })
        },
        |peer| {
            let mut requests = [peer.next(), peer.next()];
            requests.sort_by_key(|request| request.frame[0]);
            let [other, stopped] = requests;
            peer.part(1, 5, 1000, &echoed(stopped.id, 50));
            peer.send(&reply(other.id, 1));
        },
    );
    assert_eq!(sum.unwrap(), 1);
    let error = lost.unwrap_err();
    let CallError::Lost(reason) = &error else { panic!("{error}") };
    assert!(matches!(**reason, RecvError::Incomplete { received: 64, total: 1000 }), "{reason}");
}

#[test]
fn garbage_fails_the_calls_in_flight_and_no_others() {
    let garbage = [
        part(2, 0, 5, b"orphan"),
        vec![0],
        vec![0, REPLY, 0],
        part(11, 0, 1, &[]),
        part(3, 0, 1, &[]),
        part(4, 0, 3, &[0xff; 9]),
        bundle(&[vec![0, 1, 2]]),
        vec![],
    ];
    let count = garbage.len();
    let errors = run(
        0,
        move |client| (0..count).map(|_| add(client, 1, 0).unwrap_err()).collect::<Vec<_>>(),
        move |peer| {
            for datagram in &garbage {
                peer.next();
                peer.send(datagram);
            }
        },
    );
    for error in &errors {
        let CallError::Lost(reason) = error else { panic!("{error}") };
        assert!(
            matches!(
                **reason,
                RecvError::BadFragment(
                    FragmentFault::Short { .. }
                        | FragmentFault::Kind(_)
                        | FragmentFault::Orphan { .. }
                ) | RecvError::BadBundle(
                    BundleFault::Length { .. } | BundleFault::NotAFrame { .. }
                ) | RecvError::Empty
            ),
            "{reason}"
        );
    }
}

#[test]
fn a_stream_that_is_lost_here_is_cancelled_there() {
    run(
        0,
        |client| {
            let (taken, end) = drain(&mut count(client));
            assert!(taken == 0 && matches!(end, Err(CallError::Lost(_))), "{end:?}");
            // A call that is never polled again.
            let mut items = count(client);
            assert_eq!(items.recv().unwrap().unwrap().0, 0);
        },
        |peer| {
            let id = peer.next().id;
            peer.send(&[0]);
            let cancel = peer.next();
            assert_eq!((cancel.kind, cancel.id), (CANCEL, id));
            let id = peer.next().id;
            peer.send(&item(id, 0));
            let cancel = peer.next();
            assert_eq!((cancel.kind, cancel.id), (CANCEL, id));
        },
    );
}

#[test]
fn h23_a_server_that_dies_in_the_middle_of_an_answer_fails_all_calls() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let client: Ours = Client::new(Connection::adopt(ours).unwrap());
    let mut peer = Peer::new(theirs);
    let check = move || {
        thread::scope(|scope| {
            let calls: Vec<_> = (0..20).map(|_| scope.spawn(|| add(&client, 1, 0))).collect();
            let streams: Vec<_> =
                (0..20).map(|_| scope.spawn(|| drain(&mut count(&client)))).collect();
            let requests: Vec<_> = (0..40).map(|_| peer.next()).collect();
            // Each stream has an item, and one answer has begun.
            for request in requests.iter().filter(|request| request.frame[0] == 3) {
                peer.send(&item(request.id, 0));
            }
            let begun = requests.iter().find(|request| request.frame[0] == 1).unwrap();
            peer.part(1, 5, 1000, &echoed(begun.id, 50));
            drop(peer);
            let results = calls.into_iter().map(|call| call.join().unwrap().unwrap_err());
            let (lost, disconnected): (Vec<_>, Vec<_>) =
                results.partition(|error| matches!(error, CallError::Lost(_)));
            assert_eq!((lost.len(), disconnected.len()), (1, 19), "{lost:?}");
            for error in disconnected {
                assert!(matches!(error, CallError::Disconnected(None)), "{error}");
            }
            for stream in streams {
                let (taken, end) = stream.join().unwrap();
                assert!(taken == 1 && matches!(end, Err(CallError::Disconnected(None))), "{end:?}");
            }
        });
    };
    within("the end of the calls of a server that has died", check);
}

#[test]
fn h22_calls_that_are_given_up_do_not_pile_up_before_a_full_socket() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let client: Ours = Client::new(Connection::adopt(ours).unwrap());
    let text = vec![7; 10_000];
    let mut queued = 0;
    // The other end does not read.
    let reason = loop {
        let hasty = client.deadline(Instant::now() + Duration::from_millis(1));
        match hasty.call::<Echoed<'static>>(&Sums::Echo { text: &text }) {
            Err(CallError::TimedOut) => queued += 1,
            Err(CallError::NotSent(reason)) => break reason,
            other => panic!("{other:?}"),
        }
        // An async client may have many of them.
        assert!(queued < 4000, "{queued}");
    };
    let is_bounded = match *reason {
        SendError::TimedOut { len } => len == 10_004 && queued < 1000,
        SendError::WouldBlock { len } => len < 17 << 20,
        _ => false,
    };
    assert!(is_bounded, "{reason} after {queued}");
    let hasty = client.deadline(Instant::now());
    let notified = hasty.notify(&Sums::Note(1));
    assert!(matches!(notified, Err(CallError::NotSent(_))), "{notified:?}");
    drop(theirs);
    assert!(matches!(
        client.notify(&Sums::Note(1)),
        Err(CallError::NotSent(_) | CallError::Disconnected(_))
    ));
}
