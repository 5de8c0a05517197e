//! A store of blobs: its protocol and its handler.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use datagrammar::calls::{Context, ItemSender, Responder};
use datagrammar::{Message, Protocol};

#[derive(Message, Protocol, Debug)]
pub(crate) enum Blobs<'a> {
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    #[message(tag = 3, items = Change<'_>)]
    Watch { prefix: &'a str },
    #[message(tag = 4, reply = Result<u64, Refused>)]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
    #[message(tag = 5)]
    Touch { name: &'a str },
}

#[derive(Message, Debug, PartialEq)]
#[message(tag = 1)]
pub(crate) struct Blob<'a>(#[message(rest)] pub(crate) &'a [u8]);

#[derive(Message, Debug, PartialEq)]
pub(crate) enum Change<'a> {
    #[message(tag = 1)]
    Stored(&'a str),
    #[message(tag = 2)]
    Removed(&'a str),
}

#[derive(Message, Debug, PartialEq)]
pub(crate) enum Refused {
    #[message(tag = 1)]
    NotFound,
    #[message(tag = 2)]
    NotAllowed { uid: Option<u32> },
}

/// The request of a handler: the call's name, its tag, and its length.
pub(crate) type Asked = (&'static str, u32, usize);

/// Stores blobs for root. Names that begin with `!` are special.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    /// How many changes were sent.
    pub(crate) sent: Arc<AtomicU64>,
    /// The number of watches that learned that their caller wants no more.
    pub(crate) stopped: Arc<AtomicU64>,
}

impl Store {
    fn note(&self, cx: &Context) {
        self.asked.lock().unwrap().push((cx.name(), cx.tag(), cx.frame_len()));
    }
}

impl BlobsHandler for Store {
    fn put(&self, cx: &Context, name: &str, content: &[u8]) -> Result<u64, Refused> {
        self.note(cx);
        let uid = cx.peer().map(|peer| peer.uid);
        match (name, uid) {
            ("!panic", _) => panic!("as asked"),
            ("!deadline", _) => return Ok(u64::from(cx.deadline().is_some())),
            (_, Some(0)) => {}
            _ => return Err(Refused::NotAllowed { uid }),
        }
        self.blobs.lock().unwrap().insert(name.into(), content.into());
        Ok(content.len() as u64)
    }

    fn get(&self, cx: &Context, name: &str, responder: Responder<BlobsGetAnswer<'static>>) {
        self.note(cx);
        match name {
            "!dropped" => drop(responder),
            "!late" => drop(thread::spawn(move || {
                thread::sleep(Duration::from_millis(5));
                responder.send(Ok(Blob(b"late"))).unwrap();
            })),
            _ => {
                let blobs = self.blobs.lock().unwrap();
                let found = blobs.get(name).map(|content| Blob(content));
                responder.send(found.ok_or(Refused::NotFound)).unwrap();
            }
        }
    }

    fn watch(&self, cx: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        self.note(cx);
        if prefix == "!" {
            // Until the caller wants no more.
            while items.send(&Change::Stored(prefix)).is_ok() {
                self.sent.fetch_add(1, Ordering::SeqCst);
            }
            self.stopped.fetch_add(1, Ordering::SeqCst);
            return;
        }
        for name in self.blobs.lock().unwrap().keys().filter(|name| name.starts_with(prefix)) {
            items.send(&Change::Stored(name)).unwrap();
        }
        items.send(&Change::Removed("z")).unwrap();
    }

    fn import(&self, cx: &Context, name: &str, mut file: File) -> Result<u64, Refused> {
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        self.put(cx, name, &content)
    }

    fn touch(&self, cx: &Context, name: &str) {
        self.note(cx);
        self.blobs.lock().unwrap().entry(name.into()).or_default();
    }
}

/// Returns a file with this content, at its start.
pub(crate) fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}
