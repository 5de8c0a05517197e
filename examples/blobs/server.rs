//! The server: a store of named blobs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datagrammar::calls::{Context, ItemSender, Responder, Server};
use datagrammar::error::Chain;
use datagrammar::{Address, Listener};

use crate::log::Log;
use crate::protocol::{
    Blob, BlobsGetAnswer, BlobsHandler, BlobsService, Change, Entry, Refused, STORE_LEN, options,
};

/// Approximate overhead of a blob, in bytes. Counting it bounds the number of empty blobs.
const ENTRY_LEN: usize = 128;

/// How many changes a watcher may be behind. A watcher that falls further behind gets no more changes.
const MAX_BEHIND: usize = 1024;

/// How often a watch without changes checks whether its caller still waits.
const RECHECK: Duration = Duration::from_millis(100);

/// Serves clients forever, or one client.
pub(crate) fn serve(address: &Address, quiet: bool, once: bool) -> anyhow::Result<()> {
    let listener = Listener::bind_with(address, &options())?;
    let handler = Handler { store: Mutex::default(), log: Log::new(quiet) };
    let server = Server::new(BlobsService(handler)).on_error(|peer, error| {
        let client = peer.map_or_else(|| "no client".into(), |peer| format!("pid {}", peer.pid));
        eprintln!("{client}: {}", Chain(error));
    });
    if once {
        return Ok(server.serve(listener.accept()?)?);
    }
    eprintln!("serving at {address}");
    Ok(server.run(&listener)?)
}

/// Handles the calls of all clients.
struct Handler {
    store: Mutex<Store>,
    log: Log,
}

impl BlobsHandler for Handler {
    fn put(&self, cx: &Context, name: &str, content: &[u8]) -> Result<u64, Refused> {
        self.log.request(cx, name);
        self.store().put(name, content)
    }

    fn get(&self, cx: &Context, name: &str, responder: Responder<BlobsGetAnswer<'static>>) {
        self.log.request(cx, name);
        // Never answer with the lock held: a client that does not read would block the others.
        let content = self.store().blobs.get(name).cloned();
        let result = match &content {
            Some(content) => Ok(Blob(content)),
            None => Err(Refused::new(format_args!("there is no blob {name:?}"))),
        };
        // Fails only if the answer cannot be encoded, and then the client gets an error.
        _ = responder.send(result);
    }

    fn list(&self, cx: &Context, mut items: ItemSender<Entry<'static>>) {
        self.log.request(cx, "");
        let entries = self.store().entries();
        for (name, size) in &entries {
            if items.send(&Entry { name, size: *size }).is_err() {
                return;
            }
        }
    }

    fn import(&self, cx: &Context, name: &str, file: File) -> Result<u64, Refused> {
        self.log.request(cx, name);
        self.store().put(name, &read(file)?)
    }

    fn remove(&self, cx: &Context, name: &str) {
        self.log.request(cx, name);
        self.store().remove(name);
    }

    fn watch(&self, cx: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        self.log.request(cx, prefix);
        let (changed, changes) = mpsc::sync_channel(MAX_BEHIND);
        self.store().watchers.push(changed);
        while !cx.is_cancelled() {
            let (name, size) = match changes.recv_timeout(RECHECK) {
                Ok(changed) => changed,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let change = match size {
                Some(size) => Change::Stored { name: &name, size },
                None => Change::Removed { name: &name },
            };
            if name.starts_with(prefix) && items.send(&change).is_err() {
                return;
            }
        }
    }
}

impl Handler {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a client's open file. Refuses other descriptors, such as pipes, which could block the server.
fn read(mut file: File) -> Result<Vec<u8>, Refused> {
    if !file.metadata().map_err(Refused::new)?.is_file() {
        return Err(Refused::new("only regular files can be imported"));
    }
    let mut content = Vec::new();
    // The file may grow while it is read, so bound the read.
    let limit = STORE_LEN as u64 + 1;
    file.by_ref().take(limit).read_to_end(&mut content).map_err(Refused::new)?;
    Ok(content)
}

/// Names and contents. Contents are shared, so the server sends them without holding the lock.
#[derive(Default)]
struct Store {
    blobs: BTreeMap<Arc<str>, Arc<[u8]>>,
    /// The bytes kept, at most `STORE_LEN` for all clients together. (Frames in transit are bounded only for
    /// each client.)
    bytes: usize,
    watchers: Vec<SyncSender<Changed>>,
}

/// The name of a blob and its new size, `None` if it was removed.
type Changed = (Arc<str>, Option<u64>);

impl Store {
    fn put(&mut self, name: &str, content: &[u8]) -> Result<u64, Refused> {
        let replaced = self.blobs.get(name).map_or(0, |content| len(name, content));
        let bytes = self.bytes - replaced + len(name, content);
        if bytes > STORE_LEN {
            return Err(Refused::new(format_args!(
                "the store is full: it keeps at most {STORE_LEN} bytes"
            )));
        }
        self.bytes = bytes;
        let name: Arc<str> = name.into();
        self.blobs.insert(Arc::clone(&name), content.into());
        let size = content.len() as u64;
        self.tell(&name, Some(size));
        Ok(size)
    }

    fn remove(&mut self, name: &str) {
        if let Some((name, content)) = self.blobs.remove_entry(name) {
            self.bytes -= len(&name, &content);
            self.tell(&name, None);
        }
    }

    fn tell(&mut self, name: &Arc<str>, size: Option<u64>) {
        self.watchers.retain(|watcher| watcher.try_send((Arc::clone(name), size)).is_ok());
    }

    fn entries(&self) -> Vec<(Arc<str>, u64)> {
        let blobs = self.blobs.iter();
        blobs.map(|(name, content)| (Arc::clone(name), content.len() as u64)).collect()
    }
}

/// Returns how much a blob counts.
fn len(name: &str, content: &[u8]) -> usize {
    ENTRY_LEN + name.len() + content.len()
}
