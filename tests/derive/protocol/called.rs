//! Calls from a derived client to a derived service.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Connection;
use datagrammar::calls::{CallError, Context, ItemSender, Outcome, Responder, Server};

use crate::blobs::{
    Blob, BlobsClient, BlobsGetAnswer, BlobsHandler, BlobsService, Change, Refused,
};

struct Store {
    blobs: Mutex<Vec<(String, Vec<u8>)>>,
    touches: Mutex<mpsc::Sender<String>>,
}

impl Store {
    fn stored(&self) -> u64 {
        self.blobs.lock().unwrap().iter().map(|(_, content)| content.len() as u64).sum()
    }
}

impl BlobsHandler for Store {
    fn put(&self, _cx: &Context, name: &str, content: &[u8]) -> Result<u64, Refused> {
        if content.len() > 1000 {
            return Err(Refused::Full);
        }
        self.blobs.lock().unwrap().push((name.to_owned(), content.to_owned()));
        Ok(self.stored())
    }

    fn get(&self, _cx: &Context, name: &str, responder: Responder<BlobsGetAnswer<'static>>) {
        let blobs = self.blobs.lock().unwrap();
        let found = blobs.iter().find(|(stored, _)| stored == name);
        let found = found.map(|(name, content)| Blob { name, content });
        if name != "dropped" {
            responder.send(found.ok_or(Refused::NotFound)).unwrap();
        }
    }

    fn watch(&self, _cx: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        for (name, _) in &*self.blobs.lock().unwrap() {
            if name.starts_with(prefix) {
                items.send(&Change::Added(name)).unwrap();
            }
        }
        items.send(&Change::Removed("z")).unwrap();
    }

    fn import(&self, cx: &Context, name: &str, mut file: File) -> Result<u64, Refused> {
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        self.put(cx, name, &content)
    }

    fn touch(&self, _cx: &Context, name: &str) {
        self.touches.lock().unwrap().send(name.to_owned()).unwrap();
    }

    fn export(&self, _cx: &Context, name: &str) -> Result<File, Refused> {
        let blobs = self.blobs.lock().unwrap();
        let (_, content) =
            blobs.iter().find(|(stored, _)| stored == name).ok_or(Refused::NotFound)?;
        Ok(file(content))
    }
}

/// Returns a file with this content, at its start.
fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

/// Runs `test` with a client, and returns the touched names.
fn with(test: impl FnOnce(BlobsClient)) -> Vec<String> {
    let (touches, touched) = mpsc::channel();
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || {
        let store = Store { blobs: Mutex::default(), touches: Mutex::new(touches) };
        Server::new(BlobsService(store)).serve(server)
    });
    test(BlobsClient::new(client));
    server.join().unwrap().unwrap();
    touched.iter().collect()
}

#[test]
fn every_kind_of_call() {
    with(|client| {
        assert_eq!(client.put("a/1", b"xyz").unwrap(), 3);
        assert_eq!(client.put("b/2", b"xy").unwrap(), 5);
        let refused = client.put("c", &[0; 1001]);
        assert!(matches!(refused, Err(CallError::Answered(Refused::Full))), "{refused:?}");

        let mut answer = client.get("a/1").unwrap();
        assert_eq!(answer.decode().unwrap(), Blob { name: "a/1", content: b"xyz" });
        let mut answer = client.get("d").unwrap();
        assert!(matches!(answer.decode(), Err(CallError::Answered(Refused::NotFound))));
        let dropped = client.get("dropped").unwrap_err();
        assert_eq!(dropped.outcome(), Outcome::Executed);

        let mut changes = client.watch("b").unwrap();
        assert_eq!(changes.recv().unwrap(), Some(Change::Added("b/2")));
        assert_eq!(changes.recv().unwrap(), Some(Change::Removed("z")));
        assert_eq!(changes.recv().unwrap(), None);
    });
}

#[test]
fn descriptors_both_ways() {
    with(|client| {
        assert_eq!(client.import("a", file(b"imported")).unwrap(), 8);
        let mut content = String::new();
        client.export("a").unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "imported");
        assert!(matches!(client.export("b"), Err(CallError::Answered(Refused::NotFound))));
    });
}

#[test]
fn clients_share_a_connection_and_have_deadlines() {
    let touched = with(|client| {
        let other = client.clone();
        drop(client);
        other.touch("a").unwrap();
        let late = other.deadline(Instant::now());
        thread::sleep(Duration::from_millis(1));
        assert!(matches!(late.put("a", b""), Err(CallError::TimedOut)));
        assert_eq!(other.put("a", b"x").unwrap(), 1);
        assert!(format!("{other:?}").starts_with("BlobsClient(Client {"), "{other:?}");
    });
    assert_eq!(touched, ["a"]);
}
