//! The frames that an observer of an async client sees.

use std::sync::{Arc, Mutex};

use datagrammar::calls::CallFrame;
use datagrammar::calls::CallFrameKind::{End, Item, Reply, Request};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server};

use super::{Handler, add, spawn};
use crate::protocol::{Counted, Sums};

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
