//! An observer that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use datagrammar::Connection;
use datagrammar::calls::{CallFrameKind, Client, Server};

use crate::{Counted, Handler, Ours, Sums, add};

/// Longer than the test takes: a call that waits for this long would wait forever.
const STALL: Duration = Duration::from_secs(60);

/// The thread that receives for all sees the answers of other threads, too.
#[test]
fn an_observer_that_panics_over_answers_fails_no_call() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(Handler::default()).serve(server));
    let client: Ours = Client::observed(client, move |frame| {
        assert_eq!(frame.kind, CallFrameKind::Request, "as the test asks");
    });
    let (done, has_done) = mpsc::channel();
    for thread in 0..3 {
        let (client, done) = (client.clone(), done.clone());
        thread::spawn(move || {
            for number in 0..3 {
                assert_eq!(add(&client, thread, number).unwrap(), thread + number);
            }
            let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
            assert_eq!(items.recv().unwrap().map(|item| item.0), Some(0));
            assert!(items.recv().unwrap().is_none());
            done.send(()).unwrap();
        });
    }
    for _ in 0..3 {
        has_done.recv_timeout(STALL).expect("every call gets its answer");
    }
    assert_eq!(client.in_flight(), 0);
    drop(client);
    server.join().unwrap().unwrap();
}

/// Nobody waits for the call then.
#[test]
fn a_call_whose_request_makes_the_observer_panic_does_not_begin() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(Handler::default()).serve(server));
    let requests = AtomicUsize::new(0);
    let client: Ours = Client::observed(client, move |frame| {
        let is_request = frame.kind == CallFrameKind::Request;
        let is_nth = is_request && requests.fetch_add(1, Ordering::Relaxed) % 3 != 2;
        assert!(!is_nth, "as the test asks");
    });
    for number in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| add(&client, number, 1)));
        assert!(panicked.is_err());
        let items = || client.items::<Counted>(&Sums::Count { to: 1 });
        assert!(catch_unwind(AssertUnwindSafe(items)).is_err());
        assert_eq!(client.in_flight(), 0);
        assert_eq!(add(&client, number, 2).unwrap(), number + 2);
    }
    assert_eq!(client.in_flight(), 0);
    drop(client);
    server.join().unwrap().unwrap();
}
