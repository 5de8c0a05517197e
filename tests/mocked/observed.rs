//! Both sides over a pair, with the lengths that each side sees.

use std::sync::{Arc, Mutex};
use std::thread;

use datagrammar::Connection;
use datagrammar::calls::{CallError, CallFrame, CallFrameKind, Client, Server};

use crate::store::{Asked, Blobs, BlobsClient, BlobsService, Change, Store, file};

/// Makes every kind of call. Returns what the client and the handler have seen.
fn observe(test: impl FnOnce(&BlobsClient)) -> (Vec<CallFrame>, Vec<Asked>) {
    let (client, server) = Connection::pair().unwrap();
    let store = Store::default();
    let asked = Arc::clone(&store.asked);
    let server = thread::spawn(move || Server::new(BlobsService(store)).threads(1).serve(server));
    let frames = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&frames);
    let client = Client::<Blobs<'static>>::observed(client, move |frame| {
        seen.lock().unwrap().push(frame);
    });
    test(&BlobsClient::from(client.clone()));
    assert_eq!(client.in_flight(), 0);
    drop(client);
    server.join().unwrap().unwrap();
    let (frames, asked) = (frames.lock().unwrap().clone(), asked.lock().unwrap().clone());
    (frames, asked)
}

/// The kind of a frame, its call, its id, its tag and its length.
type Row = (CallFrameKind, &'static str, Option<u64>, Option<u32>, usize);

fn rows(frames: &[CallFrame]) -> Vec<Row> {
    let row = |frame: &CallFrame| (frame.kind, frame.call.unwrap(), frame.id, frame.tag, frame.len);
    frames.iter().map(row).collect()
}

#[test]
fn an_observer_sees_each_frame_with_its_length() {
    use CallFrameKind::{End, Item, Reply, Request};
    let content = vec![7; 5 << 20];
    let (frames, asked) = observe(|client| {
        client.touch("ab").unwrap();
        assert_eq!(client.get("ab").unwrap().decode().unwrap().0, b"");
        assert!(matches!(client.get("c").unwrap().decode(), Err(CallError::Answered(_))));
        assert!(matches!(client.get("!dropped"), Err(CallError::Failed)));
        let mut changes = client.watch("a").unwrap();
        assert_eq!(changes.recv().unwrap(), Some(Change::Stored("ab")));
        assert_eq!(changes.recv().unwrap(), Some(Change::Removed("z")));
        assert_eq!(changes.recv().unwrap(), None);
        drop(client.put("large", &content));
        drop(client.import("i", file(b"imported")));
    });
    let rows = rows(&frames);
    assert_eq!(
        rows[..11],
        [
            (Request, "Touch", None, Some(5), 4),
            (Request, "Get", Some(1), Some(2), 18),
            (Reply, "Get", Some(1), Some(1), 16),
            (Request, "Get", Some(2), Some(2), 17),
            (Reply, "Get", Some(2), Some(2), 16),
            (Request, "Get", Some(3), Some(2), 24),
            (Reply, "Get", Some(3), None, 14),
            (Request, "Watch", Some(4), Some(3), 17),
            (Item, "Watch", Some(4), Some(1), 18),
            (Item, "Watch", Some(4), Some(2), 17),
            (End, "Watch", Some(4), None, 14),
        ]
    );
    let requests = rows.iter().filter(|row| row.0 == Request);
    // The handler of `Import` calls that of `Put`, with the same context.
    let sent: Vec<_> = requests.map(|row| (row.1, row.3.unwrap(), row.4)).collect();
    assert_eq!(asked, sent);
    assert_eq!(sent[5], ("Put", 1, 14 + 1 + 6 + (5 << 20)));
    assert_eq!(sent[6], ("Import", 4, 14 + 1 + 2));
}
