//! Answers that are late, forged, of the wrong kind, or in another order.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Outcome};
use datagrammar::{DecodeError, to_vec};

use super::{count, drain, item, reply, run};
use crate::peer::{CANCEL, CREDIT, END, REPLY, REQUEST, bundle, part};
use crate::{Sum, add};

#[test]
fn h38_late_replayed_and_forged_answers_are_dropped() {
    let sums = run(
        9,
        |client| (add(client, 1, 0).unwrap(), add(client, 2, 0).unwrap()),
        |peer| {
            let id = peer.next().id;
            // Forged answers: for no call, for the next call, and for id 0.
            for forged in [0, id + 1, u64::MAX] {
                peer.send(&reply(forged, 666));
            }
            peer.send(&item(id + 1, 666));
            peer.part(END, 0, id + 1, &[]);
            peer.send(&to_vec(&Sum::Ok(666)).unwrap());
            peer.send(&reply(id, 1));
            // Replayed answers, in a bundle, and with another value.
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
            // Receives all items, but takes none.
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
    // A call that wants a reply but gets items.
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
    // A call that wants items but gets a reply.
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
    // The status of an error ends the call in both cases.
    for kind in [REPLY, END] {
        let error = run(
            0,
            |client| (add(client, 1, 0).unwrap_err(), drain(&mut count(client))),
            move |peer| {
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
                // With an answer that the client may not read.
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
