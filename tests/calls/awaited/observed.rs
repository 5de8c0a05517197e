//! The frames that an observer of an async client sees.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use datagrammar::calls::CallFrame;
use datagrammar::calls::CallFrameKind::{End, Item, Reply, Request};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server};

use super::{Handler, add, spawn};
use crate::protocol::{Counted, Sum, Sums};

#[tokio::test]
async fn an_observer_sees_each_frame_with_its_length() {
    let (client, server) = Connection::pair().unwrap();
    spawn(Server::new(Handler::default()), server);
    let frames = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&frames);
    let client = Client::observed(client, move |frame: CallFrame| {
        let CallFrame { kind, call, id, tag, len, .. } = frame;
        seen.lock().unwrap().push((kind, call.unwrap(), id, tag, len));
    });
    client.notify(&Sums::Note(5)).await.unwrap();
    assert_eq!(add(&client, 1, 2).await.unwrap(), 3);
    let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
    while items.recv().await.unwrap().is_some() {}
    assert_eq!(
        *frames.lock().unwrap(),
        [
            (Request, "Note", None, Some(4), 2),
            (Request, "Add", Some(1), Some(1), 17),
            (Reply, "Add", Some(1), Some(1), 16),
            (Request, "Count", Some(2), Some(3), 16),
            (Item, "Count", Some(2), Some(1), 16),
            (End, "Count", Some(2), None, 14),
        ]
    );
}

/// Nobody waits for the call then.
#[tokio::test]
async fn a_call_whose_request_makes_the_observer_panic_does_not_begin() {
    let (client, server) = Connection::pair().unwrap();
    spawn(Server::new(Handler::default()), server);
    let requests = AtomicUsize::new(0);
    let client = Client::observed(client, move |frame: CallFrame| {
        let is_nth = frame.kind == Request && requests.fetch_add(1, Ordering::Relaxed) % 3 != 2;
        assert!(!is_nth, "as the test asks");
    });
    for number in 0..3 {
        let call = || drop(client.call::<Sum>(&Sums::Add { left: number, right: 1 }));
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        let items = || drop(client.items::<Counted>(&Sums::Count { to: 1 }));
        assert!(catch_unwind(AssertUnwindSafe(items)).is_err());
        assert_eq!(client.in_flight(), 0);
        assert_eq!(add(&client, number, 2).await.unwrap(), number + 2);
    }
}

/// The task of the client sees all answers.
#[tokio::test]
async fn an_observer_that_panics_over_answers_fails_no_call() {
    let (client, server) = Connection::pair().unwrap();
    spawn(Server::new(Handler::default()), server);
    let client = Client::observed(client, move |frame: CallFrame| {
        assert_eq!(frame.kind, Request, "as the test asks");
    });
    for number in 0..2 {
        assert_eq!(add(&client, number, 2).await.unwrap(), number + 2);
    }
    let mut items = client.items::<Counted>(&Sums::Count { to: 1 }).unwrap();
    assert_eq!(items.recv().await.unwrap().map(|item| item.0), Some(0));
    assert!(items.recv().await.unwrap().is_none());
    assert_eq!(client.in_flight(), 0);
}
