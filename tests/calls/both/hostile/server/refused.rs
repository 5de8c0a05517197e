//! Requests that are refused, and datagrams that are not requests.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use datagrammar::calls::Server;
use datagrammar::{Budget, Connection, Limits, Options, to_vec};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use super::{LIMIT, add, answer, check_answers, connect, echo, serve, status};
use crate::peer::{CANCEL, CREDIT, END, ITEM, Peer, REPLY, REQUEST, bundle, part, pieces};
use crate::{Handler, Sums};

#[test]
fn what_is_no_request_is_not_answered() {
    let mut datagrams = vec![vec![0xff; 20], vec![1], vec![2, 0xff], vec![99], vec![], vec![0; 14]];
    // Truncated heads, unknown kinds, kinds that only a server sends, and kinds that are not valid here.
    datagrams.extend((1..14).map(|len| add(1, 1)[..len].to_vec()));
    datagrams.extend([3, REPLY, ITEM, END, 11, 12, 255].map(|kind| part(kind, 0, 1, &[1, 1])));
    datagrams.extend([4, 2, 1].map(|kind| part(kind, 0, 0, &[])));
    serve(|peer| {
        for datagram in &datagrams {
            peer.send(datagram);
            check_answers(peer);
        }
    });
}

#[test]
fn h38_cancelling_and_crediting_unknown_calls_does_nothing() {
    serve(|peer| {
        for id in [0, 1, 7, u64::MAX] {
            peer.part(CANCEL, 0, id, &[]);
            peer.part(CREDIT, u32::MAX, id, &[]);
            peer.part(CREDIT, u32::MAX, id, b"and more");
        }
    });
}

#[test]
fn h38_a_request_with_an_id_in_flight_is_refused() {
    serve(|peer| {
        peer.request(1, &Sums::Slow { millis: 200 });
        peer.request(1, &Sums::Add { left: 1, right: 1 });
        assert_eq!(peer.next(), status(1, 2));
        assert_eq!(peer.next(), answer(1, 0));
    });
}

#[test]
fn h38_a_cancelled_call_does_not_answer_another_one() {
    serve(|peer| {
        // The id is free again when the first handler has noticed the cancellation.
        peer.request(1, &Sums::Slow { millis: 100_000 });
        peer.part(CANCEL, 0, 1, &[]);
        peer.request(1, &Sums::Slow { millis: 200 });
        let part = peer.next();
        assert!(part == status(1, 2) || part == answer(1, 0), "{part:?}");
    });
}

#[test]
fn requests_that_do_not_decode_are_answered() {
    serve(|peer| {
        for (frame, number) in [
            // Without a frame, truncated, and with extra bytes.
            (&[][..], 2),
            (&[1], 2),
            (&[1, 1, 1, 1], 2),
            (&[2, 0xff], 2),
            // A tag of a newer client, and the reserved tag.
            (&[99], 1),
            (&[0], 1),
            (&[251, 0, 0], 1),
            (&add(1, 1), 1),
        ] {
            peer.part(REQUEST, 0, 1, frame);
            assert_eq!(peer.next(), status(1, number), "{frame:?}");
        }
    });
}

#[test]
fn requests_in_a_bundle_are_answered_one_by_one() {
    serve(|peer| {
        let malformed = part(REQUEST, 0, 2, &[1]);
        peer.send(&bundle(&[add(1, 1), malformed, vec![4, 1], add(3, 3)]));
        assert_eq!(peer.sorted(3), [answer(1, 1), status(2, 2), answer(3, 3)]);
        // An entry that is not a part of a call ends the bundle.
        for fault in [vec![0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], vec![0, 5], vec![], vec![0]]
        {
            peer.send(&bundle(&[add(1, 1), fault, add(2, 2)]));
            assert_eq!(peer.next(), answer(1, 1));
            check_answers(peer);
        }
    });
}

#[test]
fn h32_a_request_over_the_limit_is_answered() {
    serve(|peer| {
        let forms: [fn(&Peer, Vec<u8>); 3] = [
            |peer, request| peer.send(&request),
            |peer, request| peer.send(&bundle(&[request])),
            |peer, request| pieces(77, &request, 1000).iter().for_each(|piece| peer.send(piece)),
        ];
        for send in forms {
            // The limit applies to the frame without the head.
            send(peer, echo(1, LIMIT));
            let echoed = peer.next();
            assert_eq!((echoed.number, echoed.frame.len()), (0, LIMIT - 3));
            for len in [LIMIT + 1, LIMIT + 14, LIMIT + 15, 10 * LIMIT] {
                send(peer, echo(2, len));
                assert_eq!(peer.next(), status(2, 8), "{len}");
            }
            check_answers(peer);
        }
        // The other parts of the bundle are answered.
        peer.send(&bundle(&[add(1, 1), echo(2, LIMIT + 1), add(3, 3)]));
        assert_eq!(peer.sorted(3), [answer(1, 1), status(2, 8), answer(3, 3)]);
        // A length that exceeds memory.
        peer.part(1, 5, u64::MAX, &part(REQUEST, 0, 4, &[1]));
        assert_eq!(peer.next(), status(4, 8));
        // Too short to say which call it is.
        peer.part(1, 5, u64::MAX, &part(REQUEST, 0, 5, &[])[..13]);
    });
}

#[test]
fn h38_refused_pieces_are_nobodys_request() {
    serve(|peer| {
        // The content looks like requests at the start of each piece.
        let content = add(9, 9).repeat(2000);
        let frame = to_vec(&Sums::Echo { text: &content }).unwrap();
        let request = part(REQUEST, 0, 1, &frame);
        let lead = request.len() - content.len();
        let (first, rest) = request.split_at(lead + 17);
        peer.part(1, 5, request.len() as u64, first);
        let mut answered = Vec::new();
        for (at, piece) in rest.chunks(17).enumerate() {
            peer.part(2, 5, (first.len() + 17 * at) as u64, piece);
        }
        answered.push(peer.next());
        assert_eq!(answered, [status(1, 8)]);
        // A piece at the wrong position costs the frame that it interrupts.
        peer.part(1, 6, 100, &add(2, 2));
        peer.part(2, 6, 50, &add(9, 9));
        assert_eq!(peer.next(), status(2, 2));
    });
}

#[test]
fn a_request_in_pieces_that_stops_is_answered_as_malformed() {
    serve(|peer| {
        peer.part(1, 5, 1000, &add(1, 1));
        peer.send(&add(2, 2));
        assert_eq!(peer.sorted(2), [status(1, 2), answer(2, 2)]);
        // Another first piece.
        peer.part(1, 5, 1000, &add(3, 3));
        pieces(77, &add(4, 4), 16).iter().for_each(|piece| peer.send(piece));
        assert_eq!(peer.sorted(2), [status(3, 2), answer(4, 4)]);
    });
    // And the end in the middle of a frame.
    let server = Arc::new(Server::new(Handler::default()));
    let (peer, ended) = connect(&server, Limits::default());
    peer.part(1, 5, 1000, &add(1, 1));
    drop(peer);
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn a_one_way_call_that_wants_an_answer_has_none() {
    serve(|peer| {
        peer.request(1, &Sums::Note(1));
        assert_eq!(peer.next(), status(1, 3));
    });
}

/// The client may try again when other frames are complete.
#[test]
fn h51_a_request_over_the_budget_is_answered_with_busy() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let options = Options::new().budget(&Budget::new().frame_bytes(10_000));
    let connection = Connection::adopt_with(theirs, &options).unwrap();
    let serving = thread::spawn(|| Server::new(Handler::default()).serve(connection));
    let mut peer = Peer::new(ours);
    for (id, len, number) in [(1, 4000, 0), (2, 6000, 6), (3, 4000, 0)] {
        for piece in pieces(7, &echo(id, len), 1000) {
            peer.send(&piece);
        }
        let part = peer.next();
        assert_eq!((part.id, part.number), (id, number));
    }
    drop(peer);
    serving.join().unwrap().unwrap();
}
