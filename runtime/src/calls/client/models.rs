//! Runs threads that wait for answers over one connection in every order, as `calls::models` does.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use loom::thread;

use super::link::Link;
use crate::calls::ask::Ask;
use crate::calls::frame::Observer;
use crate::calls::protocol::Answers;
use crate::connection::Connection;
use crate::error::CallError;
use crate::sys::{self, DatagramFd};
use crate::wire::{CallHead, CallKind};

/// Both answers have arrived. If the first thread that leaves has received only its own answer, the other thread must
/// receive. If it has received the other's answer, it must wake the other thread.
#[test]
fn each_thread_gets_its_answer_whichever_thread_receives() {
    for order in [[0, 1], [1, 0]] {
        loom::model(move || {
            let (ours, theirs) = Connection::<Ask, Answers<Ask>>::pair().unwrap();
            let link = Arc::new(Link::new(ours, Observer::default()));
            let ids = [(); 2].map(|()| link.begin(&Ask, false, None).unwrap());
            order.into_iter().for_each(|at| answer(theirs.tx.fd(), ids[at]));
            let threads = ids.map(|id| {
                let link = Arc::clone(&link);
                thread::spawn(move || {
                    let answer = link.wait_for_answer(id, None).unwrap();
                    assert_eq!(answer.head.map(|head| head.id), Some(id));
                })
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(link.in_flight(), 0);
        });
    }
}

/// Otherwise, it would wake itself instead of the other thread.
#[test]
fn a_thread_that_stops_waiting_leaves_the_receiving_to_another() {
    // The order of the calls in their table depends on their ids.
    for late in [0, 1] {
        loom::model(move || {
            let (ours, theirs) = Connection::<Ask, Answers<Ask>>::pair().unwrap();
            let link = Arc::new(Link::new(ours, Observer::default()));
            let ids = [(); 2].map(|()| link.begin(&Ask, false, None).unwrap());
            answer(theirs.tx.fd(), ids[1 - late]);
            let leaving = thread::spawn({
                let link = Arc::clone(&link);
                move || {
                    let late = link.wait_for_answer(ids[late], Some(Instant::now()));
                    assert!(matches!(late, Err(CallError::TimedOut)));
                }
            });
            link.wait_for_answer(ids[1 - late], None).unwrap();
            leaving.join().unwrap();
            assert_eq!(link.in_flight(), 0);
        });
    }
}

/// Sends the answer of a call, as its server does.
fn answer(server: &DatagramFd, id: u64) {
    let head = CallHead { kind: CallKind::Reply, number: 0, id };
    let answer = [&head.to_bytes()[..], &[1]].concat();
    sys::send(server, &[IoSlice::new(&answer)], &[], None, false).unwrap();
}
