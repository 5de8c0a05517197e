//! A client, and servers that break the rules.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client, Items, Outcome};
use datagrammar::{
    BundleFault, Connection, DecodeError, FragmentFault, Limits, RecvError, SendError, to_vec,
};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{CANCEL, CREDIT, END, ITEM, Peer, REPLY, REQUEST, bundle, part, pieces};
use crate::{Counted, Echoed, Ours, Sum, Sums, add};

/// The limit of the client, for frames.
const LIMIT: usize = 4000;

/// Runs `calls` with a client, and `server` at the other end. Then checks that the client still works, and that
/// `dropped` answers were dropped.
fn run<T: Send>(
    dropped: u64,
    calls: impl FnOnce(&Ours) -> T + Send,
    server: impl FnOnce(&mut Peer),
) -> T {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut connection = Connection::adopt(ours).unwrap();
    connection.rx.set_limits(Limits::default().frame_len(LIMIT));
    let client = Client::new(connection);
    thread::scope(|scope| {
        // Dropped with the scope, so that a test that fails ends.
        let mut peer = Peer::new(theirs);
        let called = scope.spawn(|| {
            let result = calls(&client);
            assert_eq!(add(&client, 20, 22).unwrap(), 42);
            assert_eq!((client.dropped(), client.in_flight()), (dropped, 0));
            result
        });
        server(&mut peer);
        loop {
            let request = peer.next();
            if (request.kind, &request.frame) == (REQUEST, &vec![1, 20, 22]) {
                peer.send(&reply(request.id, 42));
                break called.join().unwrap();
            }
        }
    })
}

fn reply(id: u64, value: u64) -> Vec<u8> {
    part(REPLY, 0, id, &to_vec(&Sum::Ok(value)).unwrap())
}

fn item(id: u64, value: u64) -> Vec<u8> {
    part(ITEM, 0, id, &to_vec(&Counted(value)).unwrap())
}

/// An answer whose frame has `len` bytes.
fn echoed(id: u64, len: usize) -> Vec<u8> {
    let frame = to_vec(&Echoed(&vec![7; len - 1])).unwrap();
    assert_eq!(frame.len(), len);
    part(REPLY, 0, id, &frame)
}

fn echo(client: &Ours) -> Result<usize, CallError> {
    let mut answer = client.call::<Echoed<'static>>(&Sums::Echo { text: b"" })?;
    Ok(answer.decode()?.len() + 1)
}

fn count(client: &Ours) -> Items<Sums<'static>, Counted> {
    client.items(&Sums::Count { to: 1000 }).unwrap()
}

/// Takes all items, and returns how it ended.
fn drain(items: &mut Items<Sums<'static>, Counted>) -> (u64, Result<(), CallError>) {
    let mut taken = 0;
    loop {
        match items.recv() {
            Ok(Some(Counted(number))) => assert_eq!(number, taken),
            Ok(None) => return (taken, Ok(())),
            Err(error) => return (taken, Err(error)),
        }
        taken += 1;
    }
}

#[test]
fn h38_late_replayed_and_forged_answers_are_dropped() {
    let sums = run(
        9,
        |client| (add(client, 1, 0).unwrap(), add(client, 2, 0).unwrap()),
        |peer| {
            let id = peer.next().id;
            // Forged: of no call, of the next one, and of nobody.
            for forged in [0, id + 1, u64::MAX] {
                peer.send(&reply(forged, 666));
            }
            peer.send(&item(id + 1, 666));
            peer.part(END, 0, id + 1, &[]);
            peer.send(&to_vec(&Sum::Ok(666)).unwrap());
            peer.send(&reply(id, 1));
            // Replayed, in a bundle, and with another value.
            peer.send(&reply(id, 1));
            peer.send(&bundle(&[reply(id, 666), part(REPLY, 3, id, &[])]));
            let id = peer.next().id;
            peer.send(&reply(id, 2));
        },
    );
    assert_eq!(sums, (1, 2));
}

#[test]
fn h38_the_answer_to_a_call_that_was_given_up_is_dropped() {
    run(
        2,
        |client| {
            let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
            let late = add(&hasty, 1, 0).unwrap_err();
            assert!(matches!(late, CallError::TimedOut), "{late}");
            drop(count(client));
        },
        |peer| {
            for kind in [REQUEST, CANCEL, REQUEST, CANCEL] {
                let part = peer.next();
                assert_eq!(part.kind, kind);
                if kind == CANCEL {
                    peer.send(&reply(part.id, 666));
                }
            }
        },
    );
}

#[test]
fn parts_that_only_a_client_sends_are_dropped() {
    run(
        3,
        |client| assert_eq!(add(client, 1, 0).unwrap(), 1),
        |peer| {
            let id = peer.next().id;
            for kind in [REQUEST, CANCEL, CREDIT] {
                peer.part(kind, 1, id, &[1, 2]);
            }
            peer.send(&reply(id, 1));
        },
    );
}

#[test]
fn items_after_the_end_are_dropped() {
    run(
        3,
        |client| {
            let mut items = count(client);
            assert!(matches!(drain(&mut items), (1, Ok(()))));
            assert!(items.recv().unwrap().is_none());
        },
        |peer| {
            let id = peer.next().id;
            peer.send(&item(id, 0));
            peer.part(END, 0, id, &[]);
            peer.send(&item(id, 1));
            peer.part(END, 3, id, &[]);
            peer.send(&reply(id, 666));
        },
    );
}

#[test]
fn more_items_than_credit_fail_the_call() {
    let (taken, end) = run(
        4,
        |client| {
            let mut items = count(client);
            // Receives all items, and takes none.
            assert_eq!(add(client, 1, 0).unwrap(), 1);
            let result = drain(&mut items);
            assert!(items.recv().unwrap().is_none());
            result
        },
        |peer| {
            let id = peer.next().id;
            (0..20).for_each(|number| peer.send(&item(id, number)));
            let add = peer.next();
            peer.send(&reply(add.id, 1));
            let cancel = peer.next();
            assert_eq!((cancel.kind, cancel.id), (CANCEL, id));
        },
    );
    let error = end.unwrap_err();
    assert!(matches!(error, CallError::Unexpected), "{error}");
    assert_eq!((taken, error.outcome()), (16, Outcome::Executed));
}

#[test]
fn answers_of_the_wrong_kind_fail_their_call() {
    // A call that wants a reply, and gets items.
    let error = run(
        3,
        |client| add(client, 1, 0).unwrap_err(),
        |peer| {
            let id = peer.next().id;
            peer.send(&item(id, 1));
            peer.send(&item(id, 2));
            peer.part(END, 0, id, &[]);
            peer.send(&reply(id, 3));
        },
    );
    assert!(matches!(error, CallError::Unexpected), "{error}");
    // One that wants items, and gets a reply.
    let (taken, end) = run(
        0,
        |client| drain(&mut count(client)),
        |peer| {
            let id = peer.next().id;
            peer.send(&item(id, 0));
            peer.send(&reply(id, 1));
        },
    );
    let error = end.unwrap_err();
    assert!(taken == 1 && matches!(error, CallError::Unexpected), "{taken} {error}");
    // The status of an error does, in both.
    for kind in [REPLY, END] {
        let error = run(
            0,
            |client| (add(client, 1, 0).unwrap_err(), drain(&mut count(client))),
            |peer| {
                for _ in 0..2 {
                    let id = peer.next().id;
                    peer.part(kind, 6, id, &[]);
                }
            },
        );
        assert!(matches!(error, (CallError::Busy, (0, Err(CallError::Busy)))), "{error:?}");
    }
}

#[test]
fn unknown_statuses_are_failures() {
    let errors = run(
        0,
        |client| [9, 1000, u32::MAX].map(|_| add(client, 1, 0).unwrap_err()),
        |peer| {
            for status in [9, 1000, u32::MAX] {
                let id = peer.next().id;
                // With an answer that nobody may read.
                peer.part(REPLY, status, id, &[1, 5]);
            }
        },
    );
    for error in errors {
        assert!(matches!(error, CallError::Failed), "{error}");
    }
}

#[test]
fn answers_that_do_not_decode_fail_their_call() {
    let errors = run(
        0,
        |client| [(); 4].map(|()| add(client, 1, 0).unwrap_err()),
        |peer| {
            for frame in [&[][..], &[1], &[1, 1, 1], &[3]] {
                let id = peer.next().id;
                peer.part(REPLY, 0, id, frame);
            }
        },
    );
    let errors = errors.map(|error| match error {
        CallError::Decode(error) => error,
        error => panic!("{error}"),
    });
    assert!(
        matches!(
            errors,
            [
                DecodeError::Empty,
                DecodeError::Field { .. },
                DecodeError::TrailingBytes { .. },
                DecodeError::UnknownTag(3)
            ]
        ),
        "{errors:?}"
    );
}

#[test]
fn h32_an_answer_over_the_limit_is_lost_alone() {
    let forms: [fn(&Peer, Vec<u8>); 3] = [
        |peer, reply| peer.send(&reply),
        |peer, reply| peer.send(&bundle(&[reply])),
        |peer, reply| pieces(&reply, 1000).iter().for_each(|piece| peer.send(piece)),
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
                |peer| {
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
fn a_bundle_of_answers_in_reverse_order_reaches_each_call() {
    let sums = run(
        0,
        |client| {
            thread::scope(|scope| {
                let calls: Vec<_> =
                    (0..50).map(|number| scope.spawn(move || add(client, number, 0))).collect();
                calls.into_iter().map(|call| call.join().unwrap().unwrap()).collect::<Vec<_>>()
            })
        },
        |peer| {
            let requests: Vec<_> = (0..50).map(|_| peer.next()).collect();
            let reverse = requests.iter().rev();
            let replies: Vec<_> =
                reverse.map(|request| reply(request.id, request.frame[1].into())).collect();
            peer.send(&bundle(&replies));
        },
    );
    assert_eq!(sums, (0..50).collect::<Vec<_>>());
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
        |client| (0..count).map(|_| add(client, 1, 0).unwrap_err()).collect::<Vec<_>>(),
        |peer| {
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
            // One that nobody looks at again.
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
    thread::scope(|scope| {
        let calls: Vec<_> = (0..20).map(|_| scope.spawn(|| add(&client, 1, 0))).collect();
        let streams: Vec<_> = (0..20).map(|_| scope.spawn(|| drain(&mut count(&client)))).collect();
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
}

#[test]
fn h22_calls_that_are_given_up_do_not_pile_up_before_a_full_socket() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let client: Ours = Client::new(Connection::adopt(ours).unwrap());
    let text = vec![7; 10_000];
    let mut queued = 0;
    // Nobody reads at the other end.
    let reason = loop {
        let hasty = client.deadline(Instant::now() + Duration::from_millis(1));
        match hasty.call::<Echoed<'static>>(&Sums::Echo { text: &text }) {
            Err(CallError::TimedOut) => queued += 1,
            Err(CallError::NotSent(reason)) => break reason,
            other => panic!("{other:?}"),
        }
        // Those of an awaited client may be many.
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
