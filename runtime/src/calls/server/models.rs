//! Runs the threads that answer, and the task that sends their answers, in every order, like `calls::models`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use loom::future::block_on;
use loom::thread;

use super::session::Session;
use crate::calls::ask::Ask;
use crate::calls::bell::Bell;
use crate::calls::memory::{Memory, Outputs};
use crate::calls::outlet::Outlet;
use crate::calls::status::Status;
use crate::peer::Peer;
use crate::wire::CallKind;

/// The ways to answer a call: without a message, and with one.
const ANSWERS: [fn(&Session) -> Status; 2] = [
    |session| session.finish(1, CallKind::Reply, Status::Failed),
    |session| session.reply(1, &Ask).unwrap(),
];

/// A session whose answers a task sends, and what it sends. One call runs.
fn session() -> (Arc<Session>, Outputs) {
    let (memory, outputs) = Memory::new();
    let mut session = Session::new(None, Outlet::in_memory(memory), None::<Peer>);
    session.bell = Some(Bell::default());
    assert!(session.begin(1, None, false).is_ok());
    (Arc::new(session), outputs)
}

/// Acts as the task of `session`, until `is_done` returns `true` before it sends.
fn drive(session: &Session, is_done: impl Fn() -> bool) {
    let bell = session.bell().unwrap();
    block_on(poll_fn(|cx| {
        bell.disarm();
        let is_done = is_done();
        assert!(session.try_flush());
        bell.arm(cx);
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    }));
}

/// Another thread may queue the first part, and wake the task before the call has ended.
#[test]
fn a_thread_that_waits_for_the_end_of_a_call_learns_of_it() {
    for answer in ANSWERS {
        loom::model(move || {
            let (session, _outputs) = session();
            let answering = thread::spawn({
                let session = Arc::clone(&session);
                move || answer(&session)
            });
            let refusing = thread::spawn({
                let session = Arc::clone(&session);
                move || session.refuse(2, Status::Busy)
            });
            drive(&session, || session.counts().1 == 0 || session.await_end().1 == 0);
            answering.join().unwrap();
            refusing.join().unwrap();
        });
    }
}

#[test]
fn the_last_answer_is_sent_before_the_connection_is_closed() {
    for answer in ANSWERS {
        loom::model(move || {
            let (session, outputs) = session();
            let answering = thread::spawn({
                let session = Arc::clone(&session);
                move || answer(&session)
            });
            let closing = thread::spawn({
                let session = Arc::clone(&session);
                move || {
                    session.cancel_the_rest();
                    session.close(Instant::now());
                }
            });
            drive(&session, || session.is_closing());
            assert_eq!(outputs.queued().count(), 1);
            answering.join().unwrap();
            closing.join().unwrap();
        });
    }
}

#[test]
fn a_call_that_comes_while_the_server_stops_is_refused_or_answered_before_the_end() {
    for answer in ANSWERS {
        loom::model(move || {
            let (memory, outputs) = Memory::new();
            let session = Arc::new(Session::new(None, Outlet::in_memory(memory), None::<Peer>));
            let receiving = thread::spawn({
                let session = Arc::clone(&session);
                move || {
                    let has_begun = session.begin(1, None, false).is_ok();
                    answer(&session);
                    has_begun
                }
            });
            session.stop();
            session.cancel_the_rest();
            session.close(Instant::now());
            let answered = outputs.queued().count();
            assert_eq!(answered, usize::from(receiving.join().unwrap()));
        });
    }
}
