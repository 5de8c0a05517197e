//! The server: a store of named blobs, with a thread for each client.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use datagrammar::{
    AcceptError, Address, Backoff, Connection, Listener, Message, RecvError, SendError, Sender,
};

use crate::log::{Direction, Log};
use crate::protocol::{Reply, Request, STORE_LEN, options};

/// Approximate overhead of a blob, in bytes. Counting it bounds the number of empty blobs.
const ENTRY_LEN: usize = 128;

type Client = Connection<Reply<'static>, Request<'static>>;

/// Names and contents. Contents are shared, so the server sends them without holding the lock.
#[derive(Default)]
struct Store {
    blobs: BTreeMap<Box<str>, Arc<[u8]>>,
    /// The bytes kept, at most `STORE_LEN` for all clients together. (Frames in transit are bounded only for
    /// each client.)
    bytes: usize,
}

/// Serves clients forever, or one client.
pub(crate) fn serve(address: &Address, quiet: bool, once: bool) -> anyhow::Result<()> {
    let listener = Listener::bind_with(address, &options())?;
    let store = Arc::new(Mutex::new(Store::default()));
    if once {
        return serve_client(listener.accept()?, &store, quiet);
    }
    eprintln!("serving at {address}");
    let mut backoff = Backoff::new();
    loop {
        let client = match listener.accept() {
            Ok(client) => client,
            Err(error @ AcceptError::Exhausted(_)) => {
                eprintln!("cannot accept: {:#}", anyhow::Error::from(error));
                backoff.wait();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        backoff.reset();
        let store = Arc::clone(&store);
        let served = thread::Builder::new().spawn(move || {
            if let Err(error) = serve_client(client, &store, quiet) {
                eprintln!("a client failed: {error:#}");
            }
        });
        // The closure was dropped with the client, which sees the end.
        if let Err(error) = served {
            eprintln!("no thread for a client: {error}");
        }
    }
}

fn serve_client(client: Client, store: &Mutex<Store>, quiet: bool) -> anyhow::Result<()> {
    let (mut tx, mut rx) = client.split();
    let mut log = Log::new(quiet);
    loop {
        let frame = match rx.recv() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(error @ RecvError::TooLarge { .. }) => {
                tx.send(&Reply::Refused { why: &error.to_string() })?;
                continue;
            }
            Err(error) => return Err(error).context("receiving"),
        };
        let len = frame.len();
        let request = match frame.decode() {
            Ok(request) => request,
            // The connection stays usable: report the error, and continue.
            Err(error) => {
                tx.send(&Reply::Refused { why: &error.to_string() })?;
                continue;
            }
        };
        log.received(Direction::ToServer, len, &request, subject(&request));
        answer(&request, store, &mut tx)
            .with_context(|| format!("answering a {}", request.name()))?;
    }
}

fn answer(
    request: &Request<'_>,
    store: &Mutex<Store>,
    tx: &mut Sender<Reply<'static>>,
) -> Result<(), SendError> {
    // Never send with the lock held: a client that does not read would block the others.
    let store = || store.lock().unwrap_or_else(PoisonError::into_inner);
    match *request {
        Request::Put { size, content, .. } if size != content.len() as u64 => {
            reply(tx, &Reply::Refused { why: &format!("{} bytes came, not {size}", content.len()) })
        }
        Request::Put { name, size, content } => {
            let stored = store().put(name, content);
            match stored {
                Ok(()) => reply(tx, &Reply::Stored { size }),
                Err(why) => reply(tx, &Reply::Refused { why: &why }),
            }
        }
        Request::Import { name, ref file } => {
            let stored = read(file).and_then(|content| {
                store().put(name, &content)?;
                Ok(content.len() as u64)
            });
            match stored {
                Ok(size) => reply(tx, &Reply::Stored { size }),
                Err(why) => reply(tx, &Reply::Refused { why: &why }),
            }
        }
        Request::Get { name } => {
            let content = store().blobs.get(name).cloned();
            match content {
                Some(content) => {
                    let size = content.len() as u64;
                    reply(tx, &Reply::Blob { name, size, content: &content })
                }
                None => reply(tx, &Reply::Refused { why: &format!("there is no blob {name:?}") }),
            }
        }
        Request::List => {
            let entries = store().entries();
            for (name, size) in &entries {
                reply(tx, &Reply::Entry { name, size: *size })?;
            }
            reply(tx, &Reply::End { entries: entries.len() as u64 })
        }
        Request::Unknown(ref unknown) => {
            let why = format!("this server does not know requests of tag {}", unknown.tag());
            reply(tx, &Reply::Refused { why: &why })
        }
    }
}

/// Reads a client's open file. Refuses other descriptors, such as pipes, which could block the server.
fn read(mut file: &File) -> Result<Vec<u8>, String> {
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("only regular files can be imported".to_owned());
    }
    let mut content = Vec::new();
    // The file may grow while it is read, so bound the read.
    let limit = STORE_LEN as u64 + 1;
    file.by_ref().take(limit).read_to_end(&mut content).map_err(|error| error.to_string())?;
    Ok(content)
}

fn reply(tx: &mut Sender<Reply<'static>>, reply: &Reply<'_>) -> Result<(), SendError> {
    tx.send(reply).map(|_len| ())
}

impl Store {
    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), String> {
        let len = |content: &[u8]| ENTRY_LEN + name.len() + content.len();
        let replaced = self.blobs.get(name).map_or(0, |content| len(content));
        let bytes = self.bytes - replaced + len(content);
        if bytes > STORE_LEN {
            return Err(format!("the store is full: it keeps at most {STORE_LEN} bytes"));
        }
        self.bytes = bytes;
        self.blobs.insert(name.into(), content.into());
        Ok(())
    }

    fn entries(&self) -> Vec<(Box<str>, u64)> {
        self.blobs.iter().map(|(name, content)| (name.clone(), content.len() as u64)).collect()
    }
}

fn subject<'m>(request: &'m Request<'_>) -> &'m str {
    match request {
        Request::Put { name, .. } | Request::Import { name, .. } | Request::Get { name } => name,
        Request::List | Request::Unknown(_) => "",
    }
}
