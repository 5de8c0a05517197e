//! The errors that a server reports of requests that no handler gets.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use datagrammar::calls::Server;
use datagrammar::error::Chain;
use datagrammar::{DecodeError, Error, Limits, RecvError};

use super::{LIMIT, check_answers, connect, status};
use crate::Handler;
use crate::peer::REQUEST;

const NOT_SUPPORTED: u32 = 1;
const MALFORMED: u32 = 2;
const TOO_LARGE: u32 = 8;

/// Longer than the test takes.
const STALL: Duration = Duration::from_secs(60);

#[test]
fn requests_that_no_handler_gets_are_told() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = Server::new(Handler::default()).on_error(move |peer, error: &Error| {
        let uid = peer.map(|peer| peer.uid);
        let kind = match error {
            Error::Decode(DecodeError::UnknownTag(99)) => NOT_SUPPORTED,
            Error::Decode(DecodeError::Field { field: "Add.left", .. }) => MALFORMED,
            Error::Recv(RecvError::TooLarge { limit: LIMIT, .. }) => TOO_LARGE,
            _ => panic!("{}", Chain(error)),
        };
        tell.lock().unwrap().send((uid, kind)).unwrap();
    });
    let (mut peer, ended) = connect(&Arc::new(server), Limits::default().frame_len(LIMIT));
    let next = || told.recv_timeout(STALL).expect("it is told");
    let uid = Some(rustix::process::getuid().as_raw());

    for (id, frame, kind) in
        [(1, vec![99], NOT_SUPPORTED), (2, vec![1], MALFORMED), (3, vec![2; LIMIT + 1], TOO_LARGE)]
    {
        peer.part(REQUEST, 0, id, &frame);
        assert_eq!(peer.next(), status(id, kind));
        assert_eq!(next(), (uid, kind));
    }
    // The client of a call without an answer gets no error.
    peer.send(&[99]);
    assert_eq!(next(), (uid, NOT_SUPPORTED));
    check_answers(&mut peer);
    drop(peer);
    ended.recv_timeout(STALL).unwrap();
    assert!(told.try_recv().is_err(), "the end is no error");
}

#[test]
fn a_server_serves_on_if_whoever_is_told_panics() {
    let server =
        Server::new(Handler::default()).threads(1).on_error(|_, _| panic!("as the test asks"));
    let (mut peer, ended) = connect(&Arc::new(server), Limits::default().frame_len(LIMIT));
    for (id, frame, kind) in [(1, vec![99], NOT_SUPPORTED), (2, vec![2; LIMIT + 1], TOO_LARGE)] {
        peer.part(REQUEST, 0, id, &frame);
        assert_eq!(peer.next(), status(id, kind));
        check_answers(&mut peer);
    }
    drop(peer);
    ended.recv_timeout(STALL).unwrap();
}
